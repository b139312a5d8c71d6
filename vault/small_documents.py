"""Many small documents deposited together, in one object and one transaction: what a feed brings.

Each has its own key, its own row and its own seal, as if it were alone, and may be of another dossier. What holds for
one deposit holds for all of them: a pending row, committed, before the object; rows in the caller's transaction, in
which that pending row goes; nothing of them if it fails. They are committed together or not at all.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, load
from models.errors import DatabaseError
from models.queries.keys import KEY_COLUMNS, key_of_row
from models.queries.statements import padded
from models.tables import content
from vault import pending
from vault.blobs import BlobStore
from vault.documents import Deposit, Documents, Kept, Now, content_row
from vault.envelope import Context, Reader, Sealer, sealed_size
from vault.errors import DepositLostError, NoObjectError, SealBrokenError, StoreError
from vault.keys import DossierKeys, Randomness, RowKeys
from vault.packs import LARGEST_PACK, object_of, packed, position_in_pack
from vault.sealing import KEY_SIZE

NOBODYS = UUID(int=0)
"""The dossier under which a pack is pending: it belongs to none."""

_FOUND_AT_ONCE = 512
_READ_AT_ONCE = 8
_GAP = 64 * 1024
"""So far apart in a pack, two documents are still read by one request."""

_SEALED_IN_ONE_TURN = 32
_COLUMNS = [column.name for column in content.columns]

Place = tuple[UUID, UUID]
"""A document's dossier, and its id."""


@dataclass(frozen=True, slots=True)
class Small:
    """A document to deposit, whole in memory."""

    dossier: UUID
    document: UUID
    version: int
    content_type: str
    title: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pack:
    """An object written and not yet committed: nobody sees what is in it. Titles are in the order of deposits."""

    object_name: str = field(repr=False)
    deposits: tuple[Deposit, ...]
    titles: tuple[str, ...] = field(repr=False)


class SmallDocuments:
    """The vault's way for many small documents at once."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        keys: DossierKeys,
        rows: RowKeys,
        documents: Documents,
        *,
        now: Now = lambda: datetime.now(UTC),
        randomness: Randomness = os.urandom,
    ) -> None:
        self._database = database
        self._store = store
        self._keys = keys
        self._rows = rows
        self._documents = documents
        self._now = now
        self._randomness = randomness

    async def write(self, documents: Sequence[Small]) -> list[Pack]:
        """Seal these into the store: after the decisions, outside any transaction. Then `commit` or `discard`.

        Raises StoreError or DatabaseError; there is then nothing to discard.
        """
        packs: list[Pack] = []
        written = False
        try:
            for some in _packfuls(documents):
                packs += [await self._write(some)]
            written = True
        finally:
            if not written:
                await self.discard(packs)
        return packs

    async def commit(self, connection: AsyncConnection, packs: Sequence[Pack]) -> None:
        """Make the documents visible with the caller's transaction, in which their facts are written too.

        Dossiers' keys are held in the order of ids, as an erasure takes them first. Raises DepositLostError if
        reconciling took a pack for one left behind.
        """
        for pack in packs:
            if not await pending.claim(connection, NOBODYS, pack.object_name):
                raise DepositLostError
        deposits = [deposit for pack in packs for deposit in pack.deposits]
        titles = [title for pack in packs for title in pack.titles]
        if not deposits:
            return
        keys = await self._keys.ensure_all(connection, {each.dossier for each in deposits})
        at = self._now()
        rows = [content_row(keys[each.dossier], each, title, at) for each, title in zip(deposits, titles, strict=True)]
        macs = await self._rows.macs(connection, content, rows)
        values = [(*row.values(), mac) for row, mac in zip(rows, macs, strict=True)]
        await load(connection, content, values, [*rows[0], "mac"])

    async def discard(self, packs: Sequence[Pack]) -> None:
        """Remove what was written, unless it was committed after all: for a transaction that failed or may have."""
        for pack in packs:
            await self._clear(pack.object_name)

    async def read(self, versions: Mapping[Place, int]) -> dict[Place, bytes | SealBrokenError]:
        """The contents of these documents, verified, by few requests; those that have none are left out.

        What was tampered with does not hide the others, hence the error in its place. Raises StoreError.
        """
        kept, contents = await self._find(versions)
        slots = asyncio.Semaphore(_READ_AT_ONCE)

        async def read(span: "_Span") -> dict[Place, bytes | SealBrokenError]:
            async with slots:
                return await self._opened(span)

        readings = [asyncio.create_task(read(span)) for span in _spans(kept)]
        try:
            for reading in readings:
                contents |= await reading
        finally:
            for reading in readings:
                reading.cancel()
            await asyncio.gather(*readings, return_exceptions=True)
        return contents

    async def _write(self, documents: Sequence[Small]) -> Pack:
        name = self._randomness(16).hex()
        deposits, sealed = await self._sealed(name, documents)
        async with self._database.begin() as connection:
            await pending.add(connection, NOBODYS, [name], self._now())
        written = False
        try:
            await self._store.put(name, _at_once(sealed))
            written = True
        finally:
            if not written:
                await self._clear(name)
        return Pack(name, tuple(deposits), tuple(each.title for each in documents))

    async def _sealed(self, pack: str, documents: Sequence[Small]) -> tuple[list[Deposit], bytes]:
        """Everybody else gets his turn in between."""
        deposits: list[Deposit] = []
        sealed = bytearray()
        for number, each in enumerate(documents, 1):
            key = self._randomness(KEY_SIZE)
            sealer = Sealer(key, Context(each.dossier, each.document, each.version, each.content_type))
            name = packed(pack, len(sealed))
            sealed += sealer.update(each.content)
            sealed += sealer.finish()
            about = (each.dossier, each.document, each.version, each.content_type, sealer.size, sealer.sha256)
            deposits.append(Deposit(*about, name, sealer.head, key))
            if number % _SEALED_IN_ONE_TURN == 0:
                await asyncio.sleep(0)
        return deposits, bytes(sealed)

    async def _find(self, versions: Mapping[Place, int]) -> tuple[list[Kept], dict[Place, bytes | SealBrokenError]]:
        """What is kept of these, verified; and the error of each row that was tampered with."""
        places = list(versions)
        found: list[Kept] = []
        broken: dict[Place, bytes | SealBrokenError] = {}
        for begin in range(0, len(places), _FOUND_AT_ONCE):
            asked = padded(places[begin : begin + _FOUND_AT_ONCE])
            rows = await self._database.read(find_statement(len(asked)), *(id_ for place in asked for id_ in place))
            keyed = {(row[0], row[1]): (row, key) for row in rows if (key := key_of_row(row)) is not None}
            await self._keys.learn({dossier: key for (dossier, _), (_, key) in keyed.items()})
            for place, (row, _) in keyed.items():
                try:
                    found.append(await self._documents.verified(place[0], versions[place], row))
                except SealBrokenError as error:
                    broken[place] = error
        return found, broken

    async def _opened(self, span: "_Span") -> dict[Place, bytes | SealBrokenError]:
        opened: dict[Place, bytes | SealBrokenError] = {}
        try:
            async with aclosing(self._store.get(object_of(span.kept[0].object_name), span.start, span.stop)) as pieces:
                sealed = b"".join([piece async for piece in pieces])
        except NoObjectError:
            still_kept, _ = await self._find({(each.dossier, each.document): each.version for each in span.kept})
            return {(each.dossier, each.document): SealBrokenError() for each in still_kept}
        for each in span.kept:
            place = each.dossier, each.document
            begin = (position_in_pack(each.object_name) or 0) - span.start
            end = None if span.stop is None else begin + sealed_size(each.size)
            try:
                opened[place] = _plaintext(each, sealed[begin:end])
            except SealBrokenError as error:
                opened[place] = error
        return opened

    async def _clear(self, name: str) -> None:
        """As far as store and database answer; the row remains for reconciling."""
        with suppress(StoreError, DatabaseError):
            await pending.remove(self._database, self._store, NOBODYS, name)


@dataclass(slots=True)
class _Span:
    """Documents that are read by one request: bytes of one object, to its end for one that is alone in it."""

    start: int
    stop: int | None
    kept: list[Kept]


def _spans(kept: Iterable[Kept]) -> list[_Span]:
    spans: list[_Span] = []
    for each in sorted(kept, key=lambda one: one.object_name):
        position = position_in_pack(each.object_name)
        if position is None:
            spans.append(_Span(0, None, [each]))
            continue
        stop = position + sealed_size(each.size)
        if spans and _is_near(spans[-1], each, position):
            spans[-1].stop = stop
            spans[-1].kept.append(each)
        else:
            spans.append(_Span(position, stop, [each]))
    return spans


def _is_near(span: _Span, kept: Kept, position: int) -> bool:
    same = object_of(span.kept[0].object_name) == object_of(kept.object_name)
    return same and span.stop is not None and position - span.stop <= _GAP


def _plaintext(kept: Kept, sealed: bytes) -> bytes:
    context = Context(kept.dossier, kept.document, kept.version, kept.content_type)
    reader = Reader(kept.key, context, kept.head, kept.size, 0, kept.size)
    plaintext = reader.update(sealed)
    reader.finish()
    return plaintext


def _packfuls(documents: Iterable[Small]) -> list[list[Small]]:
    """As many as a pack takes; one that is larger has its own."""
    packfuls: list[list[Small]] = []
    size = LARGEST_PACK
    for each in documents:
        size += sealed_size(len(each.content))
        if size > LARGEST_PACK:
            packfuls.append([])
            size = sealed_size(len(each.content))
        packfuls[-1].append(each)
    return packfuls


async def _at_once(sealed: bytes) -> AsyncGenerator[bytes]:
    yield sealed


@lru_cache(maxsize=16)
def find_statement(count: int) -> str:
    """The rows of so many documents, each followed by its dossier's key."""
    places = ", ".join(f"(${2 * number + 1}::uuid, ${2 * number + 2}::uuid)" for number in range(count))
    columns = ", ".join(f"content.{name}" for name in _COLUMNS)
    return (
        f"WITH q(dossier, document) AS (VALUES {places}) SELECT {columns}, {KEY_COLUMNS} FROM q "  # noqa: S608  # names of our own tables, values are parameters
        "LEFT JOIN content ON content.dossier = q.dossier AND content.document = q.document "
        "LEFT JOIN dossier_key ON dossier_key.dossier = content.dossier"
    )
