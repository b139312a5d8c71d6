"""What a file refers to must be in the file or in the database: checked a table at a time, told by the first line."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.errors import ImportRefusedError
from models.importing import staging


async def check_references(connection: AsyncConnection) -> None:
    """To be called once the file's organizations, professionals and dossiers are in their tables.

    Raises ImportRefusedError with the first line that refers to nothing.
    """
    await _hold_dossiers(connection)
    faults: list[tuple[int, str]] = []
    for reason, staged, refused in _checks():
        line = (await connection.execute(select(func.min(staged.c.line)).where(refused))).scalar()
        if line is not None:
            faults.append((line, reason))
    if faults:
        raise ImportRefusedError(*min(faults))


async def _hold_dossiers(connection: AsyncConnection) -> None:
    """As `hold_dossier`, for all that the file adds to: none is erased before the file is in."""
    dossier = tables.dossier.c.id
    added_to = union(
        select(staging.relation.c.dossier), select(staging.representation.c.dossier), select(staging.document.c.dossier)
    )
    held = select(dossier).where(dossier.in_(added_to)).with_for_update(read=True, key_share=True).subquery()
    await connection.execute(select(func.count()).select_from(held))


def _checks() -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    for staged in (staging.exercise, staging.staff):
        yield "an organization that is not known", staged, _missing(tables.organization.c.id, staged.c.organization)
    for staged in (staging.relation, staging.representation, staging.document):
        yield "a dossier that is not known", staged, _missing(tables.dossier.c.id, staged.c.dossier)
    parties = {"professional": tables.professional.c.rpps, "organization": tables.organization.c.id}
    for kind, key in parties.items():
        article = "an" if kind == "organization" else "a"
        relation, document = staging.relation.c, staging.document.c
        of_relation = (relation.party_type == kind) & _missing(key, relation.party)
        yield f"{article} {kind} that is not known", staging.relation, of_relation
        of_document = (document.author_type == kind) & _missing(key, document.author_id)
        yield f"author: {article} {kind} that is not known", staging.document, of_document
    place, document = tables.place.c, staging.document.c
    elsewhere = exists().where(place.id == document.id, place.dossier != document.dossier)
    yield "id: that of a document or message of another dossier", staging.document, elsewhere


def _missing(key: ColumnElement[Any], reference: ColumnElement[Any]) -> ColumnElement[bool]:
    return ~exists().where(key == reference)
