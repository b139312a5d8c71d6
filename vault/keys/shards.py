"""Keys between the masters and the dossiers: 4,096 shards of a tree, so that another master means few keys to wrap.

A tree of dossiers has a keyset for each shard; the others have shard 0 alone. A shard's first key is made when it is
needed. Whoever wraps under a primary holds its row until his transaction ends (FOR KEY SHARE, which does not keep
others from wrapping), and counts there what he wrapped. So whoever takes the row FOR UPDATE, and then makes another
key primary, knows that everything wrapped under the one before is committed, and can be found and wrapped anew. On a
cluster he makes it primary first, and then waits for whoever may have wrapped under the one before
(`models.queries.holding`).
"""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.queries.holding import use, writing_used
from models.queries.statements import padded
from models.tables import shard_key
from vault.errors import KeyStateError, SealBrokenError
from vault.keys.keyset import WrappingKey
from vault.keys.remembering import Clock, Remembered
from vault.keys.service import GeneratedKey, KeyService, KeyState, Name, Tree, WrappedKey, shard_name
from vault.sealing import KEY_SIZE, NONCE_SIZE

SHARDS = 4096
"""Of the trees of dossiers: the first 12 bits of the dossier's id."""

MOST_USES = 2**31
"""A shard key wraps no more than about so many keys, half of what random nonces allow (SP 800-38D §8.3)."""

Randomness = Callable[[int], bytes]
Used = Mapping[tuple[int, int], int]
"""How many keys were wrapped by shard and version."""

_USABLE = frozenset({KeyState.PRIMARY, KeyState.ENABLED})
_ID = re.compile(rf"({'|'.join(Tree)})/([0-9a-f]{{3}})/([1-9][0-9]{{0,8}})")
_LEARNT_AT_ONCE = 512
_FIND = "SELECT state, key_id, wrapped FROM shard_key WHERE tree = $1::text AND shard = $2 AND version = $3"
_VERSIONS = (
    "SELECT version, state, key_id, wrapped FROM shard_key WHERE tree = $1::text AND shard = $2 ORDER BY version"
)


def shard_of(dossier: UUID) -> int:
    """The shard of a dossier."""
    return int.from_bytes(dossier.bytes[:2], "big") >> 4


def shard_key_id(tree: Tree, shard: int, version: int) -> str:
    """The id of a shard key: `dossier/0a1/3`."""
    return f"{tree}/{shard:03x}/{version}"


def parse_shard_key_id(key_id: str) -> tuple[Tree, int, int]:
    """Tree, shard and version. Raises SealBrokenError on what is no id of a shard key."""
    parts = _ID.fullmatch(key_id)
    if parts is None:
        raise SealBrokenError
    return Tree(parts[1]), int(parts[2], 16), int(parts[3])


class ShardKeys:
    """The keys of `shard_key`, unwrapped by the key service, remembered for a while and so many of them.

    A key that is disabled, destroyed or wrapped anew is forgotten after that while at the latest.
    """

    def __init__(
        self,
        database: Database,
        service: KeyService,
        *,
        randomness: Randomness = os.urandom,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacity: int = 2 * SHARDS,
        seconds: float = 60.0,
    ) -> None:
        self._database = database
        self._service = service
        self._randomness = randomness
        self._now = now
        # What is committed, by id; and what a row opened to, by the row itself, committed or not.
        self._committed: Remembered[str, WrappingKey] = Remembered(clock, capacity, seconds)
        self._opened: Remembered[tuple[str, WrappedKey], WrappingKey] = Remembered(clock, capacity, seconds)

    async def generate(
        self, connection: AsyncConnection, tree: Tree, names: Sequence[tuple[int, Name]]
    ) -> list[GeneratedKey]:
        """A random key for each name, wrapped under its shard's primary, in the transaction that writes them.

        Raises KeyStateError if a primary has wrapped MOST_USES keys, KeysUnavailableError.
        """
        held = await self.hold(connection, tree, {shard for shard, _ in names})
        await self.count(connection, tree, Counter((shard, held[shard].version) for shard, _ in names))
        return self.wrapped_fresh([(held[shard], name) for shard, name in names])

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """A key by the shard key that it names. Raises SealBrokenError, KeysUnavailableError."""
        return (await self.key(wrapped.key_id)).unwrap(name, wrapped)

    async def learn(self, key_ids: Collection[str]) -> None:
        """Read those of these keys that are not remembered, many in one statement, before each is asked for.

        What `key` would refuse is passed over. Raises KeysUnavailableError.
        """
        unknown: list[tuple[Tree, int, int]] = []
        for key_id in sorted(set(key_ids)):
            if self._committed.get(key_id) is None:
                with suppress(SealBrokenError):
                    unknown.append(parse_shard_key_id(key_id))
        for begin in range(0, len(unknown), _LEARNT_AT_ONCE):
            asked = padded(unknown[begin : begin + _LEARNT_AT_ONCE])
            values = [value for tree, shard, version in asked for value in (tree.value, shard, version)]
            for tree, shard, version, state, key_id, wrapped in set(
                map(tuple, await self._database.read(_learning(len(asked)), *values))
            ):
                if state in _USABLE:
                    with suppress(SealBrokenError):
                        opened = await self._open(Tree(tree), shard, version, WrappedKey(key_id, wrapped))
                        self._committed.put(opened.key_id, opened)

    async def key(self, key_id: str) -> WrappingKey:
        """A shard key by its id, as committed. Raises SealBrokenError unless it is primary or enabled."""
        key = self._committed.get(key_id)
        if key is None:
            tree, shard, version = parse_shard_key_id(key_id)
            rows = await self._database.read(_FIND, tree.value, shard, version)
            if not rows or rows[0][0] not in _USABLE:
                raise SealBrokenError
            key = await self._open(tree, shard, version, WrappedKey(*rows[0][1:]))
            self._committed.put(key_id, key)
        return key

    async def versions(self, tree: Tree, shard: int = 0) -> dict[int, tuple[KeyState, WrappingKey]]:
        """The keys of a shard that are primary or enabled, as committed."""
        rows = await self._database.read(_VERSIONS, tree.value, shard)
        return {
            version: (KeyState(state), await self._open(tree, shard, version, WrappedKey(key_id, wrapped)))
            for version, state, key_id, wrapped in rows
            if state in _USABLE
        }

    async def hold(self, connection: AsyncConnection, tree: Tree, shards: Collection[int]) -> dict[int, WrappingKey]:
        """The primary of each shard, made if there is none, which stays primary until the transaction ends.

        Whoever wraps under it in this transaction says so by `count`.
        """
        held = await self._primaries(connection, tree, shards)
        if missing := sorted(set(shards) - set(held)):
            await self._make(connection, tree, missing)
            held |= await self._primaries(connection, tree, missing)
        if headless := set(shards) - set(held):
            raise KeyStateError(f"{tree}/{min(headless):03x} has no primary key")
        return held

    async def complete(self, tree: Tree) -> None:
        """Make what is missing of a tree of dossiers, at once: a long transaction makes none that others wait for."""
        async with self._database.begin() as connection:
            await self.hold(connection, tree, range(SHARDS))

    def wrapped_fresh(self, keys: Sequence[tuple[WrappingKey, Name]]) -> list[GeneratedKey]:
        """A random key for each name, under a primary that the caller holds and counts."""
        size = KEY_SIZE + NONCE_SIZE
        random = self._randomness(size * len(keys))
        generated: list[GeneratedKey] = []
        for position, (wrapping, name) in enumerate(keys):
            fresh = random[position * size : (position + 1) * size]
            key, nonce = fresh[:KEY_SIZE], fresh[KEY_SIZE:]
            generated.append(GeneratedKey(key, wrapping.wrap(name, key, nonce)))
        return generated

    async def count(self, connection: AsyncConnection, tree: Tree, used: Used) -> None:
        """Add what was wrapped to the rows that the transaction holds; others that count wait until it ends."""
        async with writing_used(self._database, connection) as writing:
            if len(used) > 1:
                # All in the same order, so that no two wait for each other.
                shards = sorted({shard for shard, _ in used})
                locked = select(shard_key.c.shard).where(shard_key.c.tree == tree.value, shard_key.c.shard.in_(shards))
                ordered = locked.order_by(shard_key.c.shard, shard_key.c.version)
                await writing.execute(ordered.with_for_update(key_share=True))
            alike: dict[tuple[int, int], list[int]] = {}
            for (shard, version), times in used.items():
                alike.setdefault((version, times), []).append(shard)
            for (version, times), shards in alike.items():
                counted = update(shard_key).where(
                    shard_key.c.tree == tree.value, shard_key.c.version == version, shard_key.c.shard.in_(shards)
                )
                await writing.execute(counted.values(uses=shard_key.c.uses + times))

    async def _primaries(
        self, connection: AsyncConnection, tree: Tree, shards: Collection[int]
    ) -> dict[int, WrappingKey]:
        query = (
            select(shard_key.c.shard, shard_key.c.version, shard_key.c.uses, shard_key.c.key_id, shard_key.c.wrapped)
            .where(
                shard_key.c.tree == tree.value,
                shard_key.c.shard.in_(sorted(shards)),
                shard_key.c.state == KeyState.PRIMARY.value,
            )
            .order_by(shard_key.c.shard)
        )
        held: dict[int, WrappingKey] = {}
        for shard, version, uses, key_id, wrapped in await use(connection, query):
            if uses >= MOST_USES:
                raise KeyStateError(f"{shard_key_id(tree, shard, version)} has wrapped {uses} keys: rotate it")
            held[shard] = await self._open(tree, shard, version, WrappedKey(key_id, wrapped))
        return held

    async def _make(self, connection: AsyncConnection, tree: Tree, shards: Sequence[int]) -> None:
        """Their first keys, unless another process is first."""
        generated = await self._service.generate(tree, [shard_name(tree, shard, 1) for shard in shards])
        rows = [
            {
                "tree": tree.value,
                "shard": shard,
                "version": 1,
                "state": KeyState.PRIMARY.value,
                "key_id": fresh.wrapped.key_id,
                "wrapped": fresh.wrapped.wrapped,
                "made_at": self._now(),
            }
            for shard, fresh in zip(shards, generated, strict=True)
        ]
        async with writing_used(self._database, connection) as writing:
            await writing.execute(insert(writing, shard_key).on_conflict_do_nothing(), rows)

    async def _open(self, tree: Tree, shard: int, version: int, wrapped: WrappedKey) -> WrappingKey:
        key_id = shard_key_id(tree, shard, version)
        opened = self._opened.get((key_id, wrapped))
        if opened is None:
            opened = WrappingKey(key_id, version, await self._service.unwrap(shard_name(tree, shard, version), wrapped))
            self._opened.put((key_id, wrapped), opened)
        return opened


@lru_cache(maxsize=16)
def _learning(count: int) -> str:
    """The rows of so many keys; of each that there is not, one of nothing."""
    keys = ", ".join(
        f"(${3 * number + 1}::text, ${3 * number + 2}::integer, ${3 * number + 3}::integer)" for number in range(count)
    )
    return (
        f"WITH q(tree, shard, version) AS (VALUES {keys}) "  # noqa: S608  # values are parameters
        "SELECT k.tree, k.shard, k.version, k.state, k.key_id, k.wrapped FROM q "
        "LEFT JOIN shard_key AS k ON k.tree = q.tree AND k.shard = q.shard AND k.version = q.version"
    )
