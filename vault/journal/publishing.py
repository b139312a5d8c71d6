"""Publication: signed checkpoints and the tree's hashes, in the object store, for whoever holds the log to its word.

A checkpoint is written in the database before anything of it is in the store, so every one that was ever signed for
publication is known; then its tiles, then itself. Whatever a crash interrupts is published later by any instance, from
the same rows to the same bytes. Nothing is signed that does not continue what was signed before: neither over
a tree that was changed, nor in a database that was set back behind what the store holds.

Only hashes are published. The entry bundles of C2SP tlog-tiles are not: entries speak of patients. Nor is there its one
`checkpoint` that is replaced each time, since what is kept here is kept for good: the newest is the last of
`journal/checkpoint/`, whose names are sizes in twenty digits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import journal_checkpoint
from vault.errors import ProofError
from vault.journal import tree
from vault.journal.checkpoint import Checkpoint, Signer, Verifier, open_note
from vault.journal.hashes import read_hashes, read_head
from vault.journal.published import CHECKPOINTS, checkpoint_name
from vault.journal.tiles import Tile, edge_root, full_tiles, partial_tiles
from vault.journal.tree import Frontier, Node
from vault.records import JOURNAL, RecordStore

_AT_ONCE = 16
"""So many tiles are on their way to the store at the same time."""

_LOCK = text("SELECT pg_try_advisory_xact_lock(7166)")
_LAST = select(journal_checkpoint).order_by(journal_checkpoint.c.size.desc()).limit(1)

Signing = Callable[[], Awaitable[tuple[Signer, Sequence[Verifier]]]]

_Signed = Row[int, str, datetime, datetime | None]


async def last_published(database: Database) -> tuple[int, datetime] | None:
    """The size of the newest checkpoint that is in the store, and since when."""
    published = select(journal_checkpoint.c.size, journal_checkpoint.c.published_at)
    published = published.where(journal_checkpoint.c.published_at.is_not(None))
    async with database.connect() as connection:
        found = await connection.execute(published.order_by(journal_checkpoint.c.size.desc()).limit(1))
        row = found.one_or_none()
    return None if row is None else (row.size, row.published_at)


class Publisher:
    """Signs and publishes; as many as there are instances, of which one signs at a time.

    `signing` gives the key that signs now, and all the log's keys, those of before included: it is asked each time,
    since the key may change while an instance runs. `interval` passes between two checkpoints.
    """

    def __init__(
        self,
        database: Database,
        store: RecordStore,
        signing: Signing,
        interval: timedelta,
    ) -> None:
        self._database = database
        self._store = store
        self._signing = signing
        self._interval = interval

    async def publish(self, now: datetime) -> list[int]:
        """Sign a checkpoint if the tree grew and it is time, then publish what is not; the sizes that now are.

        What another instance signed within the interval is left to it. Raises StoreError and DatabaseError, after which
        the next call goes on; ProofError where the journal does not continue what was signed, or lacks a hash.
        """
        signed = await self._sign(now)
        async with self._database.connect() as connection:
            waiting = select(journal_checkpoint).where(journal_checkpoint.c.published_at.is_(None))
            mine = (journal_checkpoint.c.at <= now - self._interval) | (journal_checkpoint.c.size == signed)
            rows = (await connection.execute(waiting.where(mine).order_by(journal_checkpoint.c.size))).all()
        for row in rows:
            await self._upload(row)
            await self._mark(row.size, now)
        return [row.size for row in rows]

    async def _sign(self, now: datetime) -> int | None:
        """The size of the checkpoint that was signed, if it was."""
        async with self._database.connect() as connection:
            last = await _last(connection)
            if not self._is_due(last, await read_head(connection), now):
                return None
        newest = await self._newest_in_store(_name_of(last))
        signer, verifiers = await self._signing()
        async with self._database.begin() as connection:
            if not await _alone(connection):
                return None
            last, head = await _last(connection), await read_head(connection)
            if newest > _name_of(last):
                raise ProofError("the object store holds a checkpoint that the database does not know: it was set back")
            if not self._is_due(last, head, now):
                return None
            if last is not None:
                await _hold_continued(connection, open_note(last.note, verifiers), head)
            note = signer.sign(head.size, head.root())
            await connection.execute(insert(journal_checkpoint).values(size=head.size, note=note, at=now))
        return head.size

    def _is_due(self, last: _Signed | None, head: Frontier, now: datetime) -> bool:
        """Raises ProofError where the tree was set back."""
        if last is None:
            return head.size > 0
        if head.size < last.size:
            raise ProofError("the journal has fewer entries than its last checkpoint was signed over")
        return bool(head.size > last.size and last.at + self._interval <= now)

    async def _newest_in_store(self, known: str) -> str:
        newest = known
        async for name in self._store.record_names(CHECKPOINTS, known):
            newest = name
        return newest

    async def _upload(self, row: _Signed) -> None:
        """Its tiles, as far as no smaller published checkpoint has brought them, then itself."""
        _, verifiers = await self._signing()
        checkpoint = open_note(row.note, verifiers)
        edge = partial_tiles(row.size)
        hashes = await self._hashes(edge)
        if edge_root([[hashes[node] for node in tile.nodes()] for tile in edge]) != checkpoint.root:
            raise ProofError("the journal is not what its checkpoint was signed over")
        tiles = chain(full_tiles(await self._published_before(row.size), row.size), edge)
        while batch := list(islice(tiles, _AT_ONCE)):
            hashes = await self._hashes(batch)
            keeping = [self._store.keep(JOURNAL + tile.path(), tile.encode(hashes)) for tile in batch]
            for fate in await asyncio.gather(*keeping, return_exceptions=True):
                if fate is not None:
                    raise fate
        await self._store.keep(checkpoint_name(row.size), row.note.encode())

    async def _hashes(self, tiles: Sequence[Tile]) -> dict[Node, bytes]:
        nodes = [node for tile in tiles for node in tile.nodes()]
        async with self._database.connect() as connection:
            return await _read_all(connection, nodes)

    async def _published_before(self, size: int) -> int:
        smaller = select(func.max(journal_checkpoint.c.size)).where(
            journal_checkpoint.c.published_at.is_not(None), journal_checkpoint.c.size < size
        )
        async with self._database.connect() as connection:
            return await connection.scalar(smaller) or 0

    async def _mark(self, size: int, now: datetime) -> None:
        unmarked = (journal_checkpoint.c.size == size) & journal_checkpoint.c.published_at.is_(None)
        async with self._database.begin() as connection:
            await connection.execute(update(journal_checkpoint).where(unmarked).values(published_at=now))


async def _alone(connection: AsyncConnection) -> bool:
    """Whether no other instance is signing; SQLite has one writer anyway."""
    return connection.dialect.name == "sqlite" or bool(await connection.scalar(_LOCK))


async def _last(connection: AsyncConnection) -> _Signed | None:
    return (await connection.execute(_LAST)).one_or_none()


async def _hold_continued(connection: AsyncConnection, old: Checkpoint, head: Frontier) -> None:
    steps = tree.consistency(old.size, head.size)
    hashes = await _read_all(connection, {part for step in steps for node in step for part in tree.stored(node)})
    path = [tree.compute(step, hashes) for step in steps]
    if not tree.verify_consistency(old.size, head.size, old.root, head.root(), path):
        raise ProofError("the journal does not continue what its last checkpoint was signed over")


def _name_of(last: _Signed | None) -> str:
    return checkpoint_name(0 if last is None else last.size)


async def _read_all(connection: AsyncConnection, nodes: Collection[Node]) -> dict[Node, bytes]:
    hashes = await read_hashes(connection, nodes)
    if len(hashes) != len(nodes):
        raise ProofError("the journal lacks a hash of its tree")
    return hashes
