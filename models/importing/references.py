"""What a file refers to must be in the file or in the database: checked a table at a time, told by the first line."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, exists, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import placement_of, unload
from models.errors import ImportRefusedError
from models.importing import staging
from models.queries.holding import hold
from models.tables import whereabouts
from models.whereabouts import find_dossier, has

ELSEWHERE = "id: that of a document or message of another dossier"
_AT_ONCE = 10_000
_ASKED_AT_ONCE = 1_000


async def hold_dossiers(connection: AsyncConnection) -> None:
    """All that the file is about, ours to change, in the order in which others hold several: to be called first."""
    dossier = tables.dossier.c.id
    about = union(select(staging.dossier.c.id), select(staging.sheet.c.dossier))
    query = select(dossier).with_for_update(key_share=True)
    if placement_of(connection) is not None:
        await hold(connection, query, dossier, sorted((await connection.execute(about)).scalars()))
        return
    held = query.where(dossier.in_(about)).order_by(dossier).subquery()
    await connection.execute(select(func.count()).select_from(held))


async def check_references(connection: AsyncConnection) -> None:
    """To be called once the file's organizations, professionals and dossiers are in their tables.

    Raises ImportRefusedError with the first line that refers to nothing.
    """
    faults: list[tuple[int, str]] = []
    for reason, staged, refused in _checks():
        line = (await connection.execute(select(func.min(staged.c.line)).where(refused))).scalar()
        if line is not None:
            faults.append((line, reason))
    faults += await _of_other_dossiers(connection)
    faults += await _of_messages(connection)
    if faults:
        raise ImportRefusedError(*min(faults))


async def _of_other_dossiers(connection: AsyncConnection) -> list[tuple[int, str]]:
    """What `whereabouts` packs no statement tells apart: the entries of each document's bucket are looked into."""
    said, kept = staging.place.c, whereabouts.c
    query = select(said.line, said.entry, kept.entries).join_from(
        staging.place, whereabouts, kept.bucket == said.bucket
    )
    faults: list[tuple[int, str]] = []
    async for rows in unload(connection, query, _AT_ONCE):
        for line, entry, entries in rows:
            if not has(entries, entry) and find_dossier(entries, UUID(bytes=entry[:16])):
                faults.append((line, ELSEWHERE))
    return faults


async def _of_messages(connection: AsyncConnection) -> list[tuple[int, str]]:
    """Of the same dossier, where `whereabouts` does not tell them from documents."""
    message, said = tables.message.c, staging.place.c
    query = select(message.id, message.dossier).where(message.dossier.in_(select(staging.sheet.c.dossier)))
    faults: list[tuple[int, str]] = []
    messages = await connection.stream(query)
    async for some in messages.partitions(_ASKED_AT_ONCE):
        entries = [identity.bytes + dossier.bytes for identity, dossier in some]
        line = (await connection.execute(select(func.min(said.line)).where(said.entry.in_(entries)))).scalar()
        if line is not None:
            faults.append((line, "id: that of a message of the dossier"))
    return faults


def _checks() -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    for staged in (staging.exercise, staging.staff):
        yield "an organization that is not known", staged, _missing(tables.organization.c.id, staged.c.organization)
    known = select(tables.dossier.c.id).where(tables.dossier.c.id.in_(select(staging.sheet.c.dossier))).cte("known")
    yield "a dossier that is not known", staging.sheet, _missing(known.c.id, staging.sheet.c.dossier)
    party = staging.party.c
    keys = {"a professional": tables.professional.c.rpps, "an organization": tables.organization.c.id}
    for what, key in keys.items():
        unknown = (party.type == what.split()[1]) & _missing(key, party.id)
        yield f"{what} that is not known", staging.party, (party.of == "relation") & unknown
        yield f"author: {what} that is not known", staging.party, (party.of == "document") & unknown


def _missing(key: ColumnElement[Any], reference: ColumnElement[Any]) -> ColumnElement[bool]:
    return ~exists().where(key == reference)
