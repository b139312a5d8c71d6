"""Temporary tables that hold the lines of a file as rows, with their numbers, until all of them are known."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables

metadata = MetaData()


def _staged(target: Table, names: str, *more: Column[bytes] | Column[int] | Column[str] | Index) -> Table:
    columns = [Column(name, target.c[name].type) for name in names.split()]
    line = Column("line", BigInteger, nullable=False)
    return Table(f"staged_{target.name}", metadata, line, *columns, *more, prefixes=["TEMPORARY"])


organization = _staged(tables.organization, "id kind name")
professional = _staged(
    tables.professional, "rpps profession samu_regulator person", Index("staged_professional_rpps", "rpps", "line")
)
exercise = _staged(
    tables.exercise, "professional organization", Index("staged_exercise_key", "professional", "organization")
)
staff = _staged(tables.staff, "id organization")
dossier = _staged(
    tables.dossier,
    "id state born protected care_team_consent refuses_break_glass refuses_centre_15 masked_in_emergency",
    Column("ins_sealed", LargeBinary),
    Column("version", Integer),
    Column("key_id", Text),
    Column("wrapped", LargeBinary),
)
relation = _staged(tables.relation, "dossier party_type party kind since until")
representation = _staged(tables.representation, "dossier person kind until")
document = _staged(
    tables.document,
    "dossier id document_type author_type author_id created_at masked withheld_until hidden_from_representatives "
    "status",
)

BY_KIND = {table.name.removeprefix("staged_"): table for table in metadata.sorted_tables}


async def create(connection: AsyncConnection) -> None:
    await connection.run_sync(lambda inside: metadata.create_all(inside, checkfirst=False))


async def drop(connection: AsyncConnection) -> None:
    await connection.run_sync(lambda inside: metadata.drop_all(inside, checkfirst=False))
