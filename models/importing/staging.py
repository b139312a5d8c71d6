"""Temporary tables that hold the lines of a file as rows, with their numbers, until all of them are known."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import Id

metadata = MetaData()


def _staged(name: str, *columns: Column[Any] | Index) -> Table:
    """On PostgreSQL they go with the transaction, and until then may still be read from."""
    line = Column("line", BigInteger, nullable=False)
    return Table(f"staged_{name}", metadata, line, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def _like(target: Table, names: str, *more: Column[Any] | Index) -> Table:
    return _staged(target.name, *(Column(name, target.c[name].type) for name in names.split()), *more)


organization = _like(tables.organization, "id kind name")
professional = _like(
    tables.professional, "rpps profession samu_regulator person", Index("staged_professional_rpps", "rpps", "line")
)
exercise = _like(
    tables.exercise, "professional organization", Index("staged_exercise_key", "professional", "organization")
)
staff = _like(tables.staff, "id organization")
dossier = _like(
    tables.dossier,
    "id state born protected care_team_consent refuses_break_glass refuses_centre_15 masked_in_emergency",
    Column("ins_sealed", LargeBinary),
    Column("version", Integer),
    Column("key_id", Text),
    Column("wrapped", LargeBinary),
)

# What goes into sheets comes gathered (models.importing.gathering): what is packed, and beside it what must be checked.

sheet = _staged(
    "sheet",
    Column("dossier", Id),
    Column("holder", LargeBinary, comment="The dossier again, as bytes."),
    Column("ties", LargeBinary),
    Column("documents", LargeBinary),
)
party = _staged(
    "party",
    Column("of", Text, comment="relation or document."),
    Column("type", Text),
    Column("id", Text),
)
place = _staged(
    "place",
    Column("bucket", Integer),
    Column("entry", LargeBinary, comment="Of a document, as in `whereabouts`."),
)

BY_NAME = {table.name.removeprefix("staged_"): table for table in metadata.sorted_tables}


async def create(connection: AsyncConnection) -> None:
    await connection.run_sync(lambda inside: metadata.create_all(inside, checkfirst=False))


async def drop(connection: AsyncConnection) -> None:
    if connection.dialect.name != "postgresql":
        await connection.run_sync(lambda inside: metadata.drop_all(inside, checkfirst=False))
