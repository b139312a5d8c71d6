"""Goes through all documents and opens each to its last byte, so that what is lost is known while a copy still exists.

How far it came is kept in the database, and so is what it found, until the next one begins. It can be interrupted at
any instant and goes on from there; documents come and go meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.queries.statements import among, padded
from models.sheets import find_filed
from models.tables import content, scrub, scrub_finding
from vault.blobs import BlobStore
from vault.documents import Documents
from vault.errors import NoContentError, NoObjectError, SealBrokenError
from vault.packs import object_of

_ONE = 1
_AT_ONCE = 4
_FIRST = UUID(int=0)
_NEXT = (
    "SELECT dossier, document, size FROM content WHERE (dossier, document) > ($1, $2) "
    "ORDER BY dossier, document LIMIT 64"
)
_SHEETS = "SELECT id, documents FROM dossier WHERE documents IS NOT NULL AND"
_UNKNOWN_VERSION = -1
"""Of a document whose facts are gone: nothing was sealed under it."""

Told = Callable[[int, int], None]
"""Told, again and again, how many documents and bytes were read so far."""


class Fault(StrEnum):
    MISSING = "missing"
    """The object is not there."""
    BROKEN = "broken"
    """Row or object is not what was written."""


class Finding(NamedTuple):
    """A document that cannot be read any more."""

    dossier: UUID
    document: UUID
    what: Fault


@dataclass(frozen=True, slots=True)
class Scrub:
    """A scrub that came to its end; `size` is of the plaintexts read, in bytes."""

    started_at: datetime
    documents: int
    size: int
    findings: tuple[Finding, ...]


class _Next(NamedTuple):
    dossier: UUID
    document: UUID
    size: int
    version: int | None


class Scrubbing:
    """Reads everything that is kept, a few documents at a time."""

    def __init__(self, database: Database, store: BlobStore, documents: Documents, now: Callable[[], datetime]) -> None:
        self._database = database
        self._store = store
        self._documents = documents
        self._now = now

    async def run(self, *, anew: bool = False, told: Told = lambda _documents, _size: None) -> Scrub:
        """Go on with the scrub that was interrupted, or begin one; `anew` always begins one.

        Raises StoreError or DatabaseError where one of them does not answer; run it again then.
        """
        await self._begin(anew=anew)
        while True:
            async with self._database.connect() as connection:
                far = (await connection.execute(select(scrub))).one()
            told(far.documents, far.bytes)
            page = await self._page(far.after_dossier, far.after_document)
            if not page:
                return await self._end(far.started_at, far.documents, far.bytes)
            faults = await self._faults(page)
            async with self._database.begin() as connection:
                await self._keep(connection, page, faults)

    async def _begin(self, *, anew: bool) -> None:
        async with self._database.begin() as connection:
            if not anew and await connection.scalar(select(scrub.c.id).where(scrub.c.finished_at.is_(None))):
                return
            await connection.execute(delete(scrub))
            await connection.execute(delete(scrub_finding))
            first = {"id": _ONE, "started_at": self._now(), "documents": 0, "bytes": 0}
            await connection.execute(
                insert(connection, scrub).values(first | {"after_dossier": _FIRST, "after_document": _FIRST})
            )

    async def _page(self, after_dossier: UUID, after_document: UUID) -> list[_Next]:
        """What follows, with the versions that the sheets of the dossiers tell, each of which is read once."""
        rows = await self._database.read(_NEXT, after_dossier, after_document)
        dossiers = padded(list(dict.fromkeys(row[0] for row in rows)))
        if not dossiers:
            return []
        statement = f"{_SHEETS} {among('id', len(dossiers), 1)}"
        sheets = {row[0]: row[1] for row in await self._database.read(statement, *dossiers)}
        page: list[_Next] = []
        for dossier, document, size in rows:
            filed = find_filed(sheets.get(dossier, b""), document)
            page.append(_Next(dossier, document, size, None if filed is None else filed.version.version))
        return page

    async def _keep(self, connection: AsyncConnection, page: Sequence[_Next], faults: Sequence[Fault | None]) -> None:
        found = [
            {"dossier": each.dossier, "document": each.document, "what": fault.value, "found_at": self._now()}
            for each, fault in zip(page, faults, strict=True)
            if fault is not None
        ]
        if found:
            await connection.execute(insert(connection, scrub_finding).on_conflict_do_nothing(), found)
        read = sum(each.size for each, fault in zip(page, faults, strict=True) if fault is None)
        far = update(scrub).values(
            after_dossier=page[-1].dossier,
            after_document=page[-1].document,
            documents=scrub.c.documents + len(page),
            bytes=scrub.c.bytes + read,
        )
        await connection.execute(far)

    async def _end(self, started_at: datetime, documents: int, size: int) -> Scrub:
        """What was erased since it was found is no finding."""
        async with self._database.begin() as connection:
            await connection.execute(update(scrub).values(finished_at=self._now()))
            still_kept = (content.c.dossier == scrub_finding.c.dossier) & (
                content.c.document == scrub_finding.c.document
            )
            found = select(scrub_finding.c.dossier, scrub_finding.c.document, scrub_finding.c.what)
            rows = await connection.execute(found.join(content, still_kept).order_by(*found.selected_columns[:2]))
            findings = tuple(Finding(dossier, document, Fault(what)) for dossier, document, what in rows)
        return Scrub(started_at, documents, size, findings)

    async def _faults(self, page: Sequence[_Next]) -> list[Fault | None]:
        """What is wrong with each, in their order; a few are read at a time, and none after one that cannot be."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def look(each: _Next) -> Fault | None:
            async with slots:
                return await self._fault(each)

        looks = [asyncio.create_task(look(each)) for each in page]
        try:
            return [await one for one in looks]
        finally:
            for one in looks:
                one.cancel()
            await asyncio.gather(*looks, return_exceptions=True)

    async def _fault(self, each: _Next) -> Fault | None:
        version = _UNKNOWN_VERSION if each.version is None else each.version
        try:
            kept = await self._documents.find(each.dossier, each.document, version)
        except NoContentError:
            return None
        except SealBrokenError:
            return Fault.BROKEN
        try:
            reading = await self._documents.read(kept)
            async with aclosing(reading.stream) as pieces:
                async for _ in pieces:
                    pass
        except NoContentError:
            return None
        except SealBrokenError:
            return await self._how_broken(kept.object_name)
        return None

    async def _how_broken(self, name: str) -> Fault:
        try:
            async with aclosing(self._store.get(object_of(name), 0, 1)) as piece:
                await anext(piece, None)
        except NoObjectError:
            return Fault.MISSING
        return Fault.BROKEN
