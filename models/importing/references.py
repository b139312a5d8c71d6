"""What a file refers to must be in the file or in the database: checked a table at a time, told by the first line."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.errors import ImportRefusedError
from models.importing import staging


async def check_references(connection: AsyncConnection) -> None:
    """To be called once the file's organizations, professionals and dossiers are in their tables.

    Raises ImportRefusedError with the first line that refers to nothing.
    """
    faults: list[tuple[int, str]] = []
    for reason, staged, refused in _checks():
        line = (await connection.execute(select(func.min(staged.c.line)).where(refused))).scalar()
        if line is not None:
            faults.append((line, reason))
    if faults:
        raise ImportRefusedError(*min(faults))


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
