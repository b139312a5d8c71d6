"""The keys of dossiers, and of their journals, brought under the primaries of their shards."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, change
from models.queries.holding import hold, wait_for_users
from models.tables import dossier_key, journal_chain, shard_key
from vault.errors import SealBrokenError
from vault.journal.keys import journal_key_name
from vault.keys.dossiers import dossier_key_name
from vault.keys.keyset import WrappingKey
from vault.keys.rotation.progress import AnyRow, Done, Progress, again
from vault.keys.service import KeyState, Name, Tree, WrappedKey
from vault.keys.shards import Randomness, ShardKeys, shard_key_id, shard_of
from vault.sealing import NONCE_SIZE

BATCH = 2000
"""Keys of a transaction: their rows are locked for some milliseconds."""

_SHARD_BITS = 116
_ALL = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the keys stand that the shards of a tree wrap, one a dossier, and how each is named."""

    tree: Tree
    table: Table
    name: Callable[[AnyRow], Name]


PLACES = {
    place.tree: place
    for place in (
        Place(Tree.DOSSIER, dossier_key, lambda row: dossier_key_name(row.dossier, row.version)),
        Place(Tree.JOURNAL, journal_chain, lambda row: journal_key_name(row.dossier)),
    )
}


def span_of(shard: int) -> tuple[UUID, UUID]:
    """The first and the last dossier of a shard that can be."""
    return UUID(int=shard << _SHARD_BITS), UUID(int=(shard + 1 << _SHARD_BITS) - 1)


class Rewrapping:
    """Wraps anew whatever names another key of its shard than the primary."""

    def __init__(self, database: Database, shards: ShardKeys, *, randomness: Randomness, batch: int = BATCH) -> None:
        self._database = database
        self._shards = shards
        self._randomness = randomness
        self._batch = batch

    async def rewrap(self, tree: Tree, shards: Sequence[int] | None, progress: Progress) -> Done:
        """The keys below these shards of a tree, or below all. Raises DatabaseError, KeysUnavailableError."""
        done = Done()
        await wait_for_users(self._database)
        for first, last in [_ALL] if shards is None else map(span_of, shards):
            await self._walk(PLACES[tree], first, last, done, progress)
        return done

    async def _walk(self, place: Place, first: UUID, last: UUID, done: Done, progress: Progress) -> None:
        while True:

            async def step(first: UUID = first) -> tuple[Sequence[UUID], Done]:
                return await self._step(place, first, last)

            seen, changed = await again(step)
            done.add(changed)
            progress(len(seen))
            if len(seen) < self._batch or seen[-1] == last:
                return
            first = UUID(int=seen[-1].int + 1)

    async def _step(self, place: Place, first: UUID, last: UUID) -> tuple[Sequence[UUID], Done]:
        """The next dossiers, and what was changed of them."""
        keys = place.table.c
        among = keys.dossier.between(first, last), keys.wrapped.is_not(None)
        async with self._database.begin() as connection:
            query = select(keys.dossier, keys.key_id).where(*among).order_by(keys.dossier).limit(self._batch)
            rows = (await connection.execute(query)).all()
            if not rows:
                return [], Done()
            seen = [row.dossier for row in rows]
            outdated = await self._outdated(connection, place.tree, rows)
            if not outdated:
                return seen, Done()
            # Shards first, then dossiers in their order: so does whoever begins the journal of a dossier.
            primaries = await self._shards.hold(connection, place.tree, set(outdated))
            used = {(shard, primaries[shard].version): times for shard, times in outdated.items()}
            await self._shards.count(connection, place.tree, used)
            found = select(place.table).where(keys.wrapped.is_not(None)).with_for_update()
            locked = await hold(connection, found, keys.dossier, seen)
            rewrapped, broken = await self._rewrapped(place, locked, primaries)
            if rewrapped:
                await change(connection, place.table, ("key_id", "wrapped"), rewrapped)
        return seen, Done(len(rewrapped), broken)

    async def _outdated(self, connection: AsyncConnection, tree: Tree, rows: Sequence[AnyRow]) -> Counter[int]:
        """How many of these keys are not under their shard's primary, by shard."""
        shards = shard_of(rows[0].dossier), shard_of(rows[-1].dossier)
        query = select(shard_key.c.shard, shard_key.c.version).where(
            shard_key.c.tree == tree.value,
            shard_key.c.shard.between(*shards),
            shard_key.c.state == KeyState.PRIMARY.value,
        )
        primaries = {shard_key_id(tree, row.shard, row.version) for row in await connection.execute(query)}
        return Counter(shard_of(row.dossier) for row in rows if row.key_id not in primaries)

    async def _rewrapped(
        self, place: Place, rows: Sequence[AnyRow], primaries: Mapping[int, WrappingKey]
    ) -> tuple[list[tuple[UUID, str, bytes]], int]:
        """Changes, and how many keys do not open."""
        nonces = self._randomness(NONCE_SIZE * len(rows))
        changes, broken = list[tuple[UUID, str, bytes]](), 0
        for number, row in enumerate(rows):
            primary = primaries.get(shard_of(row.dossier))
            if primary is None or row.key_id == primary.key_id:
                continue
            wrapped = WrappedKey(row.key_id, row.wrapped)
            nonce = nonces[NONCE_SIZE * number : NONCE_SIZE * (number + 1)]
            try:
                before = await self._shards.key(row.key_id)
                anew = before.rewrap(place.name(row), wrapped, primary, nonce)
            except SealBrokenError:
                broken += 1
            else:
                changes.append((row.dossier, anew.key_id, anew.wrapped))
        return changes, broken
