"""A replica: how far it is behind at most, and when it is not asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import Database, Standing, open_database, open_replica
from models.database.protocol import Dialect
from models.database.replica import Place, Written
from models.errors import DatabaseError, DatabaseUnavailableError
from tests.servers.processes import free_port
from tests.servers.standby import Standby

LONGEST = 5.0
COUNT = "SELECT COUNT(*) FROM organization"


class Primary:
    """A primary that may fall silent; without a database, one that says the same again and again."""

    dialect: Dialect = "postgresql"

    def __init__(self, database: Database | None = None, said: Sequence[Any] = (), *, answers: bool = True) -> None:
        self.database = database
        self.said = said
        self.answers = answers

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        if not self.answers:
            raise DatabaseUnavailableError("silent")
        return [self.said] if self.database is None else await self.database.read(statement, *values)


class Bench:
    """A replica under a clock that is set, and what was observed of it."""

    def __init__(self, url: str, primary: Primary, longest: float = LONGEST) -> None:
        self.now = 0.0
        self.url = url
        self.primary = primary
        self.seen: list[Standing] = []
        self.replica = open_replica(url, primary, longest, lambda: self.now, self.observe)

    def observe(self, standing: Standing, _: str) -> None:
        self.seen.append(standing)

    async def look_until(self, standing: Standing, stale_seconds: float | None = None) -> None:
        """Look until it stands so, as behind as that."""
        async with asyncio.timeout(30):
            while (self.replica.standing, self.replica.stale_seconds) != (standing, stale_seconds):
                await self.replica.look()
                await asyncio.sleep(0.01)

    async def counted(self) -> tuple[int, float]:
        """How many organizations the replica has, and how far behind it may be."""
        async with self.replica.reading() as reading:
            ((count,),) = await reading.read(COUNT)
            return count, reading.stale_seconds()


@asynccontextmanager
async def bench(url: str, standby: Standby) -> AsyncIterator[Bench]:
    """A replica of this database on this standby."""
    primary = await open_database(url)
    made = Bench(standby.server.url(urlsplit(url).path[1:]), Primary(primary))
    try:
        yield made
    finally:
        made.replica.close()
        await primary.close()


async def add(url: str, identity: str) -> None:
    """One more organization, on the primary."""
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO organization (id, kind, name) VALUES ($1, 'pharmacy', '')", identity)
    await connection.close()


# The bound


def test_nothing_is_missing_of_before_the_latest_instant_whose_place_is_reached() -> None:
    """Whoever is between two places has what was committed before the first of them was asked for."""
    written = Written(LONGEST)
    assert written.since(Place("a", 100)) is None
    for at, position in ((1.0, 100), (2.0, 200), (3.0, 300)):
        written.note(at, Place("a", position))
    reached = {position: written.since(Place("a", position)) for position in (99, 100, 199, 200, 300, 400)}
    assert reached == {99: None, 100: 1.0, 199: 1.0, 200: 2.0, 300: 3.0, 400: 3.0}


def test_who_has_all_of_a_primary_that_writes_nothing_is_not_behind() -> None:
    """The instant is that of the last look, whenever the last write was."""
    written = Written(LONGEST)
    for at in range(100):
        written.note(float(at), Place("a", 100))
    assert written.since(Place("a", 100)) == 99.0


def test_what_was_longer_ago_than_allowed_is_forgotten() -> None:
    """To whoever has come no further, too much is missing."""
    written = Written(LONGEST)
    written.note(0.0, Place("a", 100))
    written.note(5.0, Place("a", 200))
    assert written.since(Place("a", 150)) == 0.0
    written.note(5.1, Place("a", 300))
    assert written.since(Place("a", 150)) is None


def test_places_of_another_history_do_not_count() -> None:
    """However far the log of what was the primary before has come."""
    written = Written(LONGEST)
    written.note(1.0, Place("a/1", 100))
    written.note(2.0, Place("a/2", 90))
    assert (written.since(Place("a/1", 500)), written.since(Place("a/2", 90))) == (1.0, 2.0)
    assert (written.knows("a/1"), written.knows("a/2")) == (False, True)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 3)), min_size=1, max_size=30), st.integers(0, 90))
def test_the_bound_is_the_oracles(steps: list[tuple[float, int]], replayed: int) -> None:
    """The greatest instant not too long ago up to which no more was written than is replayed."""
    written, now, position = Written(LONGEST), 0.0, 0
    told: list[tuple[float, int]] = []
    for wait, growth in steps:
        now, position = now + wait, position + growth
        written.note(now, Place("a", position))
        told.append((now, position))
    instants = [at for at, place in told if place <= replayed and at >= now - LONGEST]
    assert max(instants, default=None) == written.since(Place("a", replayed))


# A real standby


async def test_a_replica_says_how_far_it_is_behind(migrated_postgresql_url: str, standby_server: Standby) -> None:
    """Up to what is allowed it answers with less than the primary has; beyond, it is not asked; caught up, it is."""
    async with bench(migrated_postgresql_url, standby_server) as made:
        await made.look_until(Standing.CURRENT, 0.0)
        assert await made.counted() == (0, 0.0)
        standby_server.hold()
        await add(migrated_postgresql_url, "750000010")
        made.now = 3.0
        await made.replica.look()
        assert (await made.counted(), made.replica.stale_seconds) == ((0, 3.0), 3.0)
        made.now = 5.0
        assert await made.counted() == (0, 5.0)
        made.now = 5.25
        with pytest.raises(DatabaseUnavailableError, match="not asked: behind"):
            await made.counted()
        standby_server.go_on()
        await made.look_until(Standing.CURRENT, 0.0)
        assert await made.counted() == (1, 0.0)
    assert made.seen[-3:] == [Standing.CURRENT, Standing.BEHIND, Standing.CURRENT]


async def test_what_grew_too_old_while_it_was_read_is_not_told(
    migrated_postgresql_url: str, standby_server: Standby
) -> None:
    """A search that takes too long is none of the replica's, which stands as it stood."""
    async with bench(migrated_postgresql_url, standby_server) as made:
        await made.look_until(Standing.CURRENT, 0.0)
        async with made.replica.reading() as reading:
            await reading.read(COUNT)
            made.now = 5.25
            with pytest.raises(DatabaseUnavailableError, match="too old"):
                reading.stale_seconds()
        assert made.replica.standing is Standing.CURRENT


async def test_a_primary_that_is_silent_leaves_the_replica_to_grow_old(
    migrated_postgresql_url: str, standby_server: Standby
) -> None:
    """Nobody knows what is missing of what was written since; that a primary is silent is no news of the replica."""
    async with bench(migrated_postgresql_url, standby_server) as made:
        await made.look_until(Standing.CURRENT, 0.0)
        made.primary.answers = False
        made.now = 4.0
        await made.replica.look()
        assert (made.replica.standing, made.replica.stale_seconds) == (Standing.CURRENT, 4.0)
        made.now = 6.0
        await made.replica.look()
        assert (made.replica.standing, made.replica.stale_seconds) == (Standing.BEHIND, None)


async def test_a_connection_that_is_lost_is_lost_for_the_whole_search(
    migrated_postgresql_url: str, standby_server: Standby
) -> None:
    """What was read is not told, and nothing of the rest comes from elsewhere; the next search has another."""
    async with bench(migrated_postgresql_url, standby_server) as made:
        await made.look_until(Standing.CURRENT, 0.0)
        with pytest.raises(DatabaseUnavailableError):  # noqa: PT012 - it is what ends the search
            async with made.replica.reading() as reading:
                ((process,),) = await reading.read("SELECT pg_backend_pid()")
                standby_server.server.execute(f"SELECT pg_terminate_backend({process}, 60000)")
                await reading.read(COUNT)
        assert (await made.counted(), made.replica.standing) == ((0, 0.0), Standing.CURRENT)


async def test_a_replica_that_says_nothing_is_not_waited_for(
    migrated_postgresql_url: str, standby_server: Standby
) -> None:
    """A search has as long as an answer may be behind; the connection, whatever it is at, is left."""
    async with bench(migrated_postgresql_url, standby_server) as made:
        await made.look_until(Standing.CURRENT, 0.0)
        hasty = Bench(made.url, made.primary, 0.05)
        await hasty.look_until(Standing.CURRENT, 0.0)
        with pytest.raises(DatabaseUnavailableError, match="too late"):
            async with hasty.replica.reading() as reading:
                await reading.read("SELECT pg_sleep(60)::text")
        assert (await made.counted())[0] == 0
        hasty.replica.close()


# What is no replica


async def test_a_primary_is_no_replica(migrated_postgresql_url: str) -> None:
    """Even of itself."""
    primary = await open_database(migrated_postgresql_url)
    made = Bench(migrated_postgresql_url, Primary(primary))
    await made.look_until(Standing.NO_STANDBY)
    made.replica.close()
    await primary.close()


async def test_what_has_another_history_is_no_replica(
    migrated_postgresql_url: str, postgresql_url: str, standby_server: Standby, standbys: Callable[[], Standby]
) -> None:
    """Another database of the same servers, a standby that was promoted, and one that was left behind by it."""
    promoted = standbys()
    async with bench(migrated_postgresql_url, promoted) as made:
        other = Bench(promoted.server.url(urlsplit(postgresql_url).path[1:]), made.primary)
        await other.look_until(Standing.ANOTHER)
        other.replica.close()
        await made.look_until(Standing.CURRENT, 0.0)
        promoted.promote()
        with pytest.raises(DatabaseUnavailableError, match=r"not asked: no-standby"):
            await made.counted()
        async with bench(made.url, standby_server) as after:
            await after.look_until(Standing.ANOTHER)


async def test_a_replica_of_one_of_several_servers_is_not_asked() -> None:
    """A standby of the coordinator does not say how far those of the others are."""
    made = Bench(f"postgresql://u:p@127.0.0.1:{free_port()}/dmp", Primary(said=("a", 1, False)))
    await made.replica.look()
    assert made.seen == [Standing.DISTRIBUTED]


async def test_a_replica_need_not_be_there() -> None:
    """It is looked for, and is not asked before it was found."""
    made = Bench(f"postgresql://u:p@127.0.0.1:{free_port()}/dmp", Primary(answers=False))
    with pytest.raises(DatabaseUnavailableError, match="unknown"):
        await made.counted()
    await made.replica.look()
    assert made.seen == [Standing.UNREACHABLE]


@pytest.mark.parametrize("url", ["sqlite:///replica.sqlite", "mysql://h/dmp", "postgresql://h:port/dmp"])
def test_only_postgresql_has_replicas(url: str) -> None:
    """Anything else is said to be none, without its address."""
    with pytest.raises(DatabaseError) as refused:
        Bench(url, Primary(answers=False))
    assert url not in str(refused.value)


async def test_sqlite_has_none(migrated_sqlite_url: str) -> None:
    """Even at an address of PostgreSQL's."""
    primary = await open_database(migrated_sqlite_url)
    with pytest.raises(DatabaseError, match="PostgreSQL"):
        open_replica("postgresql://u:p@h/dmp", primary, LONGEST, time.monotonic, lambda *_: None)
    await primary.close()
