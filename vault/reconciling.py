"""What crashes and erasures left behind is removed; what ought to be there and is not is reported.

Store and database are walked side by side in the order of names, in constant memory. They are not read at one instant,
so whatever differs is looked at again before it is believed.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from models.database import Database
from vault import pending
from vault.blobs import BlobStore, StoredObject
from vault.errors import NoObjectError, StoreError
from vault.packs import after_pack, object_of

_NAMED = 1000
_LEFT = "SELECT dossier, object_name FROM pending_object WHERE removing OR started_at < $1"
_NEXT_KEPT = (
    "SELECT object_name, dossier, document FROM content WHERE object_name > $1 "
    "ORDER BY object_name, dossier, document LIMIT 1000"
)
_STILL_KEPT = "SELECT 1 FROM content WHERE dossier = $1 AND document = $2 AND object_name = $3"
_KNOWN = (
    "SELECT 1 FROM content WHERE object_name >= $1 AND object_name < $2 "
    "UNION ALL SELECT 1 FROM pending_object WHERE object_name >= $1 AND object_name < $2"
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A document whose object is gone: it cannot be read any more."""

    dossier: UUID
    document: UUID


@dataclass(slots=True)
class Report:
    """What was found and done. `failed` counts what could not be removed now; of the missing the first are named."""

    removed_pending: int = 0
    removed_orphans: int = 0
    failed: int = 0
    missing: int = 0
    named_missing: list[Missing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    dossier: UUID
    document: UUID

    @property
    def object(self) -> str:
        return object_of(self.name)


async def reconcile(database: Database, store: BlobStore, before: datetime) -> Report:
    """Remove what was left before that instant, which is further back than any deposit takes.

    Raises StoreError or DatabaseError if one of them cannot be walked.
    """
    report = Report()
    for dossier, name in await database.read(_LEFT, before):
        try:
            report.removed_pending += await pending.remove(database, store, dossier, name)
        except StoreError:
            report.failed += 1
    async with aclosing(store.names()) as objects, aclosing(_all_kept(database)) as rows:
        await _compare(database, store, before, objects, rows, report)
    return report


async def _compare(
    database: Database,
    store: BlobStore,
    before: datetime,
    objects: AsyncGenerator[StoredObject],
    rows: AsyncGenerator[_Kept],
    report: Report,
) -> None:
    stored, kept = await anext(objects, None), await anext(rows, None)
    while stored or kept:
        if stored and (kept is None or stored.name < kept.object):
            if stored.modified_at < before:
                await _remove_orphan(database, store, stored, report)
            stored = await anext(objects, None)
        elif kept and (stored is None or kept.object < stored.name):
            await _note_missing(database, store, kept, report)
            kept = await anext(rows, None)
        else:  # the object is passed over with the last row that names it
            kept = await anext(rows, None)
            if stored and (kept is None or kept.object != stored.name):
                stored = await anext(objects, None)


async def _remove_orphan(database: Database, store: BlobStore, stored: StoredObject, report: Report) -> None:
    """If no row names it none ever will: a deposit is committed by the pending row that it has from the start."""
    if await database.read(_KNOWN, stored.name, after_pack(stored.name)):
        return
    try:
        await store.delete(stored.name)
        report.removed_orphans += 1
    except StoreError:
        report.failed += 1


async def _note_missing(database: Database, store: BlobStore, kept: _Kept, report: Report) -> None:
    try:
        async with aclosing(store.get(kept.object, 0, 1)) as piece:
            await anext(piece, None)
    except NoObjectError:
        if await database.read(_STILL_KEPT, kept.dossier, kept.document, kept.name):
            report.missing += 1
            if len(report.named_missing) < _NAMED:
                report.named_missing.append(Missing(kept.dossier, kept.document))


async def _all_kept(database: Database) -> AsyncGenerator[_Kept]:
    after = ""
    while rows := await database.read(_NEXT_KEPT, after):
        for row in rows:
            yield _Kept(*row)
        after = rows[-1][0]
