"""Documents deposited, read and erased, so that a crash at any instant leaves nothing visible half-way.

A deposit goes in this order: the caller's decision; a pending row, committed; the object, written; then, in the
caller's one transaction with the facts and the journal's entry, the content row takes the pending row's place. An
erasure takes the content row away, and with it the only wrapped key, in the caller's transaction; the object, noise
from then on, goes after. What a crash leaves behind is removed by `vault.reconciling`. Many small ones are deposited
together by `vault.small_documents`, and lie in one object; they are read and erased here like any other.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, Loaded, storable, write_together
from models.errors import DatabaseError
from models.queries.keys import KEY_COLUMNS, key_of_row
from models.queries.statements import MOST_NAMED, among, padded
from models.tables import content, dossier_key
from vault import pending
from vault.blobs import BlobStore
from vault.envelope import Context, Reader, Sealer, sealed_size
from vault.errors import (
    ContentTooLargeError,
    DepositLostError,
    NoContentError,
    NoObjectError,
    RangeNotSatisfiableError,
    SealBrokenError,
    StoreError,
)
from vault.keys import DossierKey, DossierKeys, Randomness, RowKeys
from vault.packs import object_of, position_in_pack
from vault.sealing import KEY_SIZE

MAX_SIZE = 5 * 1024**3
"""Of a document, in bytes."""

WHOLE_SIZE = 4 * 1024**2
"""Up to so many bytes are verified to the last before the first leaves."""

_SEALED_AT_ONCE = 1024 * 1024
_NAMES = [column.name for column in content.columns]
_FIND_ALL = (
    f"SELECT {', '.join(f'content.{name}' for name in _NAMES)}, {KEY_COLUMNS} FROM content "  # noqa: S608  # names of our own tables
    "JOIN dossier_key ON dossier_key.dossier = content.dossier WHERE content.dossier = $1"
)
_FIND = _FIND_ALL + " AND content.document = $2"

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Deposit:
    """An object written and not yet committed: nobody sees it. `size` and `sha256` are the plaintext's."""

    dossier: UUID
    document: UUID
    version: int
    content_type: str
    size: int
    sha256: bytes = field(repr=False)
    object_name: str = field(repr=False)
    head: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as its row says, verified: what is known without reading it, and what opens its object."""

    dossier: UUID
    document: UUID
    version: int
    content_type: str
    size: int
    sha256: bytes = field(repr=False)
    title: str = field(repr=False)
    deposited_at: datetime
    object_name: str = field(repr=False)
    head: bytes = field(repr=False)
    key: bytes = field(repr=False)


class Plaintext:
    """Verified bytes, piece by piece: an asynchronous iterator. Close it when not reading to the end."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    def __aiter__(self) -> "Plaintext":
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._rest)

    async def aclose(self) -> None:
        """Let go of the store's connection."""
        self._first = None
        await self._rest.aclose()


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes `start` until before `stop` of a document. The stream may still raise SealBrokenError."""

    kept: Kept
    start: int
    stop: int
    stream: Plaintext = field(repr=False)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Objects whose keys go with the caller's transaction, to be removed once that is committed."""

    dossier: UUID
    object_names: tuple[str, ...] = field(repr=False)


class Documents:
    """The vault of documents: rows in the database, objects in the store, keys from the key service."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        keys: DossierKeys,
        rows: RowKeys,
        *,
        now: Now = lambda: datetime.now(UTC),
        randomness: Randomness = os.urandom,
        max_size: int = MAX_SIZE,
    ) -> None:
        self._database = database
        self._store = store
        self._keys = keys
        self._rows = rows
        self._now = now
        self._randomness = randomness
        self._max_size = max_size

    async def write(
        self, dossier: UUID, document: UUID, version: int, content_type: str, data: AsyncIterator[bytes]
    ) -> Deposit:
        """Seal a document into the store: after the decision, outside any transaction. Then `commit` or `discard`.

        Raises ContentTooLargeError, StoreError, or whatever `data` raises; there is then nothing to discard.
        """
        name, key = self._randomness(16).hex(), self._randomness(KEY_SIZE)
        sealer = Sealer(key, Context(dossier, document, version, content_type))
        async with self._database.begin_hot() as connection:
            await pending.add(connection, dossier, [name], self._now())
        written = False
        try:
            await self._store.put(name, self._sealed(sealer, data))
            written = True
        finally:
            if not written:
                await self._clear(dossier, [name])
        return Deposit(dossier, document, version, content_type, sealer.size, sealer.sha256, name, sealer.head, key)

    async def commit(self, connection: AsyncConnection, deposit: Deposit, title: str) -> None:
        """Make the deposit visible with the caller's transaction, in which the document's facts are written too.

        Raises DepositLostError if reconciling took it for one left behind.
        """
        if not await pending.claim(connection, deposit.dossier, deposit.object_name):
            raise DepositLostError
        row = content_row(await self._keys.ensure(connection, deposit.dossier), deposit, title, self._now())
        row["mac"] = await self._rows.mac(connection, content, row)
        await write_together(connection, Loaded(content, tuple(row), [tuple(row.values())]))

    async def discard(self, deposit: Deposit) -> None:
        """Remove what was written, unless it was committed after all: for a transaction that failed or may have."""
        await self._clear(deposit.dossier, [deposit.object_name])

    async def find(self, dossier: UUID, document: UUID, version: int) -> Kept:
        """What is kept of a document, without reading it. Raises NoContentError, SealBrokenError."""
        rows = await self._database.read(_FIND, dossier, document)
        if not rows:
            raise NoContentError
        return await self.verified(dossier, version, rows[0])

    async def find_all(self, dossier: UUID, versions: Mapping[UUID, int]) -> dict[UUID, Kept | SealBrokenError]:
        """What is kept of these documents of one dossier, in one round trip; those without content are left out.

        One row that was tampered with does not hide the others, hence the error in its place.
        """
        found: dict[UUID, Kept | SealBrokenError] = {}
        wanted = padded(sorted(versions)) if len(versions) <= MOST_NAMED else []
        statement = f"{_FIND_ALL} AND {among('content.document', len(wanted), 2)}" if wanted else _FIND_ALL
        for row in await self._database.read(statement, dossier, *wanted) if versions else ():
            document = row[_NAMES.index("document")]
            if document in versions:
                try:
                    found[document] = await self.verified(dossier, versions[document], row)
                except SealBrokenError as error:
                    found[document] = error
        return found

    async def read(self, kept: Kept, start: int = 0, stop: int | None = None) -> Reading:
        """Its bytes from `start` until before `stop`, or to the end, by one request to the store.

        Up to WHOLE_SIZE bytes are verified before this returns; of more, the first piece. Raises SealBrokenError,
        NoContentError if it was erased meanwhile, RangeNotSatisfiableError, StoreUnavailableError.
        """
        stop = kept.size if stop is None else min(stop, kept.size)
        if not (0 <= start < stop or start == stop == kept.size == 0):
            raise RangeNotSatisfiableError
        context = Context(kept.dossier, kept.document, kept.version, kept.content_type)
        pieces = self._opened(Reader(kept.key, context, kept.head, kept.size, start, stop), kept)
        try:
            if stop - start <= WHOLE_SIZE:
                first = b"".join([piece async for piece in pieces])
            else:
                first = await anext(pieces)
        except NoObjectError:
            await self.find(kept.dossier, kept.document, kept.version)
            raise SealBrokenError from None
        return Reading(kept, start, stop, Plaintext(first, pieces))

    async def open(
        self, dossier: UUID, document: UUID, version: int, span: tuple[int, int | None] = (0, None)
    ) -> Reading:
        """`find` and `read` in one."""
        return await self.read(await self.find(dossier, document, version), *span)

    async def erase(self, connection: AsyncConnection, dossier: UUID, document: UUID) -> Erasure:
        """Destroy a document's key with the caller's transaction. After its commit, give the erasure to `finish`."""
        return await self._erase(connection, dossier, content.c.document == document)

    async def erase_dossier(self, connection: AsyncConnection, dossier: UUID) -> Erasure:
        """Destroy a dossier's key, and so all that is sealed under it, with the caller's transaction.

        The key goes first: a deposit that is being committed holds its row, and is then erased with the others.
        """
        await connection.execute(delete(dossier_key).where(dossier_key.c.dossier == dossier))
        return await self._erase(connection, dossier, true())

    async def finish(self, erasure: Erasure) -> None:
        """Remove the objects of a committed erasure. What the store does not remove now, reconciling will."""
        await self._clear(erasure.dossier, erasure.object_names)

    async def _erase(self, connection: AsyncConnection, dossier: UUID, which: ColumnElement[bool]) -> Erasure:
        erased = delete(content).where(content.c.dossier == dossier, which).returning(content.c.object_name)
        names = tuple((await connection.execute(erased)).scalars())
        if names:
            await pending.add(connection, dossier, names, self._now(), removing=True)
        return Erasure(dossier, names)

    async def _clear(self, dossier: UUID, names: Sequence[str]) -> None:
        """As far as store and database answer; their rows remain for reconciling."""
        for name in names:
            with suppress(StoreError, DatabaseError):
                await pending.remove(self._database, self._store, dossier, name)

    async def _sealed(self, sealer: Sealer, data: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        async for piece in data:
            for position in range(0, len(piece), _SEALED_AT_ONCE):
                sealed = sealer.update(piece[position : position + _SEALED_AT_ONCE])
                if sealer.size > self._max_size:
                    raise ContentTooLargeError
                yield sealed
        yield sealer.finish()

    async def verified(self, dossier: UUID, version: int, row: Sequence[Any]) -> Kept:
        """What a row of `content` says, followed by its dossier's key. Raises SealBrokenError."""
        told = dict(zip(_NAMES, row, strict=False))
        await self._rows.verify(content, told)
        key = await self._keys.unwrap(dossier, key_of_row(row))
        document, content_type, size, head = told["document"], told["content_type"], told["size"], told["head"]
        return Kept(
            dossier,
            document,
            version,
            content_type,
            size,
            key.open_text(f"sha256/{document}", told["sha256"]),
            key.open_text(f"title/{document}", told["title_sealed"]).decode(),
            told["deposited_at"],
            told["object_name"],
            head,
            key.unwrap(told["data_key"], *key_facts(document, version, content_type, size, head)),
        )

    async def _opened(self, reader: Reader, kept: Kept) -> AsyncGenerator[bytes]:
        start, stop, position = reader.object_start, reader.object_stop, position_in_pack(kept.object_name)
        if position is not None:
            start, stop = position + start, position + (sealed_size(kept.size) if stop is None else stop)
        async with aclosing(self._store.get(object_of(kept.object_name), start, stop)) as sealed:
            async for piece in sealed:
                if plaintext := reader.update(piece):
                    yield plaintext
        reader.finish()


def content_row(key: DossierKey, deposit: Deposit, title: str, at: datetime) -> dict[str, Any]:
    """The row of a deposit under its dossier's key, to which its MAC is still to be added."""
    facts = key_facts(deposit.document, deposit.version, deposit.content_type, deposit.size, deposit.head)
    return {
        "dossier": deposit.dossier,
        "document": deposit.document,
        "object_name": deposit.object_name,
        "head": deposit.head,
        "data_key": key.wrap(deposit.key, *facts),
        "content_type": deposit.content_type,
        "size": deposit.size,
        "sha256": key.seal_text(f"sha256/{deposit.document}", deposit.sha256),
        "title_sealed": key.seal_text(f"title/{deposit.document}", title.encode()),
        "deposited_at": storable(at),
    }


def key_facts(document: UUID, version: int, content_type: str, size: int, head: bytes) -> tuple[bytes, ...]:
    """What the row says of the object: authenticated with its key, so that an edited row gives no key."""
    numbers = (number.to_bytes(8, "big", signed=True) for number in (version, size))
    return document.bytes, *numbers, content_type.encode(), head
