"""Look-ups in a database over several nodes: each asked where its rows are, all at once.

What is looked up of dossiers on one node is one statement on a connection that is held there, whatever its shards; a
single look-up names its own shard alone. A node that has given a shard away says so, and one that has died is not
reached: then the coordinator is asked anew, and whoever has what was looked up is asked once more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from models.database.faults import reached
from models.database.placement import Place, Placement
from models.database.protocol import Read
from models.database.shards import Shards
from models.errors import DatabaseError, DatabaseUnavailableError

Item = TypeVar("Item", bound=Hashable)
Row = TypeVar("Row")

Home = UUID | int | None
"""By what rows are distributed: a dossier, a bucket of `whereabouts`, or neither, of what is on every node."""

Ask = Callable[[Read, Shards | None, Sequence[Item]], Awaitable[Mapping[Item, Row]]]
"""Looks items up by one statement for these shards, and gives what it found of each."""

_GIVEN_AWAY = (asyncpg.DivisionByZeroError, asyncpg.UndefinedTableError)


class _GivenAwayError(DatabaseUnavailableError):
    """A node has a shard no more that it was asked for."""


class Located:
    """A placement, by node: what is asked of it for one look-up, and for several."""

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self._dossiers = _by_begin(placement.by_dossier)
        self._buckets = _by_begin(placement.by_bucket)

    def grouped(self, items: Collection[Item], home: Callable[[Item], Home]) -> list[tuple[Shards | None, list[Item]]]:
        """Items that are looked up by one statement, and where; None is the coordinator."""
        groups: dict[Shards | None, list[Item]] = defaultdict(list)
        alone: dict[Shards | None, Shards | None] = {}
        for item in items:
            value = home(item)
            own, node = (None, None) if value is None else self._shards_of(value)
            groups[node].append(item)
            alone[node] = own
        return [(node if len(some) > 1 else alone[node], some) for node, some in groups.items()]

    def _shards_of(self, value: UUID | int) -> tuple[Shards, Shards]:
        shards = self._buckets if isinstance(value, int) else self._dossiers
        return shards[self.placement.begin_of(value)]


def _by_begin(ranges: Mapping[int, Place]) -> dict[int, tuple[Shards, Shards]]:
    """Of each range its own shards, and those of all that are on its node."""
    begins = sorted(ranges)
    nodes: dict[tuple[str, int], list[tuple[int, Place]]] = defaultdict(list)
    for number, begin in enumerate(begins, 1):
        nodes[ranges[begin].host, ranges[begin].port].append((number, ranges[begin]))
    return {
        begins[number - 1]: (Shards(begins, [(number, place)]), together)
        for numbered in nodes.values()
        for together in [Shards(begins, numbered)]
        for number, place in numbered
    }


class Workers:
    """Connections to the nodes on which dossiers are; `locate` asks the coordinator where, `read` asks it the rest."""

    def __init__(
        self, placement: Placement, locate: Callable[[], Awaitable[Placement]], read: Read, pool: Callable[..., Any]
    ) -> None:
        self._located = Located(placement)
        self._locate = locate
        self._locating = asyncio.Lock()
        self._read = read
        self._pool = pool
        self._pools: dict[tuple[str, int], Any] = {}

    async def ask(
        self, items: Collection[Item], home: Callable[[Item], Home], ask: Ask[Item, Row]
    ) -> dict[Item, Row | DatabaseError]:
        """What is found of each item; where its node does not answer, that."""
        located = self._located
        found, failed = await self._asked(located, items, home, ask)
        if failed and await self._moved(located):
            again, failed = await self._asked(self._located, list(failed), home, ask)
            found |= again
        return found | failed

    async def _asked(
        self, located: Located, items: Collection[Item], home: Callable[[Item], Home], ask: Ask[Item, Row]
    ) -> tuple[dict[Item, Row | DatabaseError], dict[Item, DatabaseError]]:
        """What was found, and of what nothing could be."""
        groups = located.grouped(items, home)
        answers = await asyncio.gather(
            *(ask(self._reader(shards), shards, some) for shards, some in groups), return_exceptions=True
        )
        found: dict[Item, Row | DatabaseError] = {}
        failed: dict[Item, DatabaseError] = {}
        for (_, some), answer in zip(groups, answers, strict=True):
            if isinstance(answer, DatabaseUnavailableError):
                failed |= dict.fromkeys(some, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found |= answer
        return found, failed

    def _reader(self, shards: Shards | None) -> Read:
        if shards is None:
            return self._read
        if shards.node not in self._pools:
            self._pools[shards.node] = self._pool(*shards.node)
        pool = self._pools[shards.node]

        async def read(statement: str, *values: Any) -> Sequence[Sequence[Any]]:
            with reached():
                try:
                    rows: Sequence[Sequence[Any]] = await pool.read(statement, values)
                except _GIVEN_AWAY:
                    raise _GivenAwayError("a node has a shard no more that it was asked for") from None
            return rows

        return read

    async def _moved(self, seen: Located) -> bool:
        """Whether rows are elsewhere than was thought, as the coordinator says or has said to others meanwhile."""
        async with self._locating:
            if self._located is not seen:
                return True
            try:
                placement = await self._locate()
            except DatabaseError:
                return False
            if placement != seen.placement:
                self._located = Located(placement)
        return self._located is not seen

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
