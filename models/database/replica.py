"""A hot standby of the primary, for reads that may be behind by a bounded time: how far it is behind is never guessed.

Now and then the primary is asked up to where its log is written. Whoever has replayed the log up to a place that the
primary had reached at an instant lacks nothing that was committed before it, whatever was or was not written since,
and whether or not the two still see each other. (The standby's own `now() - pg_last_xact_replay_timestamp()` grows
while nothing is written, and stands still for one that is cut off and has replayed what it got.)
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import URL

from models.database.faults import reached
from models.database.postgresql import Held, dsn
from models.database.protocol import Dialect, Reads
from models.errors import DatabaseError, DatabaseUnavailableError

_HELD = 4
_PROBE_SECONDS = 2.0

# A commit is told to its client once the log is flushed up to it (`synchronous_commit`, which the journal needs too).
# After a failover, or beside another cluster or database, places in the log mean nothing: hence what precedes them.
_WRITTEN = (
    "SELECT concat_ws('/', system_identifier, current_database(), substr(pg_walfile_name(written), 1, 8)),"
    " (written - '0/0'::pg_lsn)::bigint, to_regclass('pg_catalog.pg_dist_partition') IS NULL"
    " FROM pg_control_system(), (SELECT pg_current_wal_flush_lsn() AS written) AS w"
)
_REPLAYED = (
    "SELECT concat_ws('/', system_identifier, current_database(), upper(lpad(to_hex(timeline_id), 8, '0'))),"
    " COALESCE((pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint, 0), pg_is_in_recovery()"
    " FROM pg_control_system(), pg_control_checkpoint()"
)


class Standing(StrEnum):
    """What a replica is good for."""

    UNKNOWN = "unknown"
    CURRENT = "current"
    BEHIND = "behind"
    """By more than is allowed, or the primary has not said for so long up to where it has written."""
    UNREACHABLE = "unreachable"
    """Or it does not tell what it is asked."""
    NO_STANDBY = "no-standby"
    """It takes writes: the primary itself, or what was a standby."""
    ANOTHER = "another"
    """It follows another server, another database, or what the primary was before a failover."""
    DISTRIBUTED = "distributed"
    """The primary is the coordinator of several servers, of which a standby of one tells nothing."""


class Place(NamedTuple):
    """How far a server has come in the log, and in which: places of different histories do not compare."""

    history: str
    position: int


class Written:
    """Up to where the primary had written, at instants that are not longer ago than a replica may be behind."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._places: deque[tuple[float, Place]] = deque()

    def note(self, at: float, place: Place) -> None:
        """It had written up to there, at least, after this instant."""
        if self._places and self._places[-1][1] == place:
            self._places.pop()
        self._places.append((at, place))
        while self._places[0][0] < at - self._longest:
            self._places.popleft()

    def since(self, replayed: Place) -> float | None:
        """The latest instant before which nothing is missing to whoever has come so far; None if it is too long ago."""
        for at, place in reversed(self._places):
            if place.history == replayed.history and place.position <= replayed.position:
                return at
        return None

    def knows(self, history: str) -> bool:
        """Whether the primary was last seen to write this one; so it is thought to until it has been seen."""
        return not self._places or self._places[-1][1].history == history


class Replica:
    """A standby that is asked in the primary's stead while it is behind by no more than `longest` seconds.

    `clock` counts seconds and never goes back; `observe` is told of each change of its standing, and why it is not
    reached.
    """

    def __init__(
        self,
        url: URL,
        primary: Reads,
        longest: float,
        clock: Callable[[], float],
        observe: Callable[[Standing, str], None],
    ) -> None:
        self._primary = primary
        self._longest = longest
        self._clock = clock
        self._observe = observe
        self._written = Written(longest)
        self._watching = Held(dsn(url))
        self._held = [Held(dsn(url)) for _ in range(_HELD)]
        self._free: asyncio.LifoQueue[Held] = asyncio.LifoQueue()
        for held in self._held:
            self._free.put_nowait(held)
        self.standing = Standing.UNKNOWN
        self.stale_seconds: float | None = None
        """By how much it was behind at most when it was last looked at, if that is known."""

    async def look(self) -> None:
        """See up to where the primary has written, and where the replica stands: to be called now and then."""
        if not await self._note():
            self._become(Standing.DISTRIBUTED)
            return
        with suppress(DatabaseError):
            self.stale_seconds = self._clock() - await self._since(self._watching)

    async def _note(self) -> bool:
        """Whether one server has it all; a primary that does not answer leaves what it said before to grow old."""
        at = self._clock()
        try:
            ((history, position, is_whole),) = await self._primary.read(_WRITTEN)
        except DatabaseError:
            return True
        self._written.note(at, Place(history, position))
        return bool(is_whole)

    async def _since(self, held: Held) -> float:
        """The instant before which nothing is missing on a connection. Raises DatabaseError."""
        try:
            replayed, is_standby = await _probe(held)
        except DatabaseError as error:
            held.forget()
            self._become(Standing.UNREACHABLE, str(error))
            raise
        since = self._written.since(replayed)
        if not is_standby:
            standing = Standing.NO_STANDBY
        elif not self._written.knows(replayed.history):
            standing = Standing.ANOTHER
        elif since is None or self._clock() - since > self._longest:
            standing = Standing.BEHIND
        else:
            self._become(Standing.CURRENT)
            return since
        self._become(standing)
        raise _unasked(standing)

    def _become(self, standing: Standing, why: str = "") -> None:
        if standing is not Standing.CURRENT:
            self.stale_seconds = None
        if standing is not self.standing:
            self.standing = standing
            self._observe(standing, why)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Reading"]:
        """One connection of the replica for all reads of a search: none sees less than those before.

        Raises DatabaseError if the replica is not current, or not reached, or lost or too slow in between: then nothing
        that was read may be told.
        """
        self._check()
        try:
            async with asyncio.timeout(self._longest):
                held = await self._free.get()
                try:
                    self._check()  # it may have been found otherwise by those that were waited for
                    yield Reading(held, await self._since(held), self._longest, self._clock)
                except (DatabaseError, asyncio.CancelledError):
                    held.forget()
                    raise
                finally:
                    self._free.put_nowait(held)
        except TimeoutError:
            raise DatabaseUnavailableError("the replica answers too late") from None

    def _check(self) -> None:
        if self.standing is not Standing.CURRENT:
            raise _unasked(self.standing)

    def close(self) -> None:
        """Leave it, whether it is there or gone."""
        for held in (self._watching, *self._held):
            held.forget()


class Reading:
    """What a search reads of the replica, and by how much that may be behind."""

    dialect: Dialect = "postgresql"

    def __init__(self, held: Held, since: float, longest: float, clock: Callable[[], float]) -> None:
        self._held = held
        self._since = since
        self._longest = longest
        self._clock = clock

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        """See `models.database.protocol.Reads`; never tried again, since it would be on another connection."""
        with reached():
            return await self._held.fetch(statement, values)

    def stale_seconds(self) -> float:
        """All that was committed longer ago than this counted. Raises DatabaseUnavailableError if it is too long."""
        behind = self._clock() - self._since
        if behind > self._longest:
            raise DatabaseUnavailableError("what the replica gave has become too old")
        return behind


async def _probe(held: Held) -> tuple[Place, bool]:
    """How far it has replayed, and whether it is a standby still."""
    with reached():
        async with asyncio.timeout(_PROBE_SECONDS):
            ((history, position, is_standby),) = await held.read(_REPLAYED, ())
    return Place(history, position), bool(is_standby)


def _unasked(standing: Standing) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(f"the replica is not asked: {standing}")
