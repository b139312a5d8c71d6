"""From the staging tables into the sheets of dossiers, by pages of ascending dossiers, and into `whereabouts`."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import insert, unload
from models.errors import ConstraintError, ImportRefusedError
from models.importing import staging
from models.importing.filing import put_documents, put_ties
from models.importing.references import ELSEWHERE
from models.queries.sheets import hold_sheets, keep_sheets
from models.queries.whereabouts import add_entries
from models.sheets import Sheet
from models.tables import whereabouts
from models.whereabouts import find_dossier, has

_DOSSIERS = 2_000
_ROWS = 10_000


async def merge_sheets(connection: AsyncConnection) -> int:
    """Ties and documents; how many were written. The file's dossiers are held already."""
    written = 0
    async for said in _pages(connection):
        was = await hold_sheets(connection, said)
        now: dict[UUID, Sheet] = {}
        for dossier, (said_ties, said_documents) in said.items():
            if dossier not in was:
                raise ConstraintError("there is no such dossier")
            try:
                ties, tied = put_ties(was[dossier].ties, said_ties)
                documents, filed = put_documents(was[dossier].documents, said_documents)
            except ValueError as error:
                raise ImportRefusedError(await _last_line(connection, dossier), str(error)) from None
            now[dossier] = Sheet(ties, documents)
            written += tied + filed
        await keep_sheets(connection, was, now)
    return written


async def _pages(connection: AsyncConnection) -> AsyncIterator[dict[UUID, Sheet]]:
    """Everything that the file says of some dossiers, by ascending dossier and line."""
    staged = staging.sheet.c
    query = select(staged.holder, staged.ties, staged.documents).order_by(staged.dossier, staged.line)
    page: dict[UUID, Sheet] = {}
    async for rows in unload(connection, query, _DOSSIERS):
        for holder, ties, documents in rows:
            dossier = UUID(bytes=holder)
            if dossier in page:
                said = page[dossier]
                page[dossier] = Sheet(said.ties + ties, said.documents + documents)
                continue
            if len(page) == _DOSSIERS:
                yield page
                page = {}
            page[dossier] = Sheet(ties, documents)
    if page:
        yield page


async def merge_whereabouts(connection: AsyncConnection) -> None:
    """Where the file's documents are. Whoever is alone in its bucket, as most are at first, no one need look at."""
    said, kept = staging.place.c, whereabouts.c
    alone = select(said.bucket, said.entry).where(said.line > 0).order_by(said.bucket, said.line)
    into = insert(connection, whereabouts).from_select(["bucket", "entries"], alone)
    await connection.execute(into.on_conflict_do_nothing())
    shared = (
        select(said.bucket, said.line, said.entry, kept.entries)
        .join_from(staging.place, whereabouts, kept.bucket == said.bucket)
        .where(kept.entries != said.entry)
        .order_by(said.bucket, said.line)
    )
    page: dict[int, bytes] = {}
    async for rows in unload(connection, shared, _ROWS):
        for bucket, line, entry, entries in rows:
            if bucket not in page and len(page) >= _ROWS:
                await add_entries(connection, page)
                page = {}
            there = entries + page.get(bucket, b"")
            if not has(there, entry):
                if find_dossier(there, UUID(bytes=entry[:16])):
                    raise ImportRefusedError(line, ELSEWHERE)
                page[bucket] = page.get(bucket, b"") + entry
    if page:
        await add_entries(connection, page)


async def _last_line(connection: AsyncConnection, dossier: UUID) -> int:
    said = staging.sheet.c
    line: int = (await connection.execute(select(func.max(said.line)).where(said.dossier == dossier))).scalar_one()
    return line
