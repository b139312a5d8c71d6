"""A database over a real Citus cluster: made, made again, with a worker killed. Where Citus is not installed: told."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from models.database import Database, open_database, upgrade
from models.database.placement import Placement, placement_of
from models.errors import DatabaseError, DatabaseUnavailableError
from models.queries.dossiers import open_dossier
from models.queries.sheets import hold_sheets
from tests.conftest import NOT_RUN
from tests.servers.citus import CitusServer, citus
from tests.servers.errors import UnavailableError

AT = datetime(2026, 10, 1, tzinfo=UTC)
DOSSIERS = [UUID(int=number << 96) for number in range(1, 17)]
PATIENCE = 30.0


@pytest.fixture(scope="module")
def cluster(pytestconfig: pytest.Config) -> Iterator[CitusServer]:
    """A coordinator and two workers."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(citus())
        except UnavailableError as error:
            pytestconfig.stash[NOT_RUN].append(f"nothing was tried on a cluster: {error}")
            pytest.skip(str(error))
        yield made


def test_a_file_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    path = tmp_path / "none.sqlite"
    with pytest.raises(DatabaseError, match="an SQLite file is not distributed"):
        upgrade(f"sqlite:///{path}", distributed=True)
    assert not path.exists()


def test_a_server_without_citus_is_refused(cluster: CitusServer) -> None:
    """And one that knows no other."""
    name = "alone"
    cluster.coordinator.server.create(name)
    with pytest.raises(DatabaseError, match="not one of a Citus cluster"):
        upgrade(cluster.url(name), distributed=True)
    cluster.coordinator.server.execute("CREATE EXTENSION citus", name)
    with pytest.raises(DatabaseError, match="the coordinator does not know itself"):
        upgrade(cluster.url(name), distributed=True)
    cluster.coordinator.server.drop(name)


async def test_a_database_in_use_is_distributed(cluster: CitusServer) -> None:
    """With what is in it; again changes nothing, and so does an upgrade that does not say so."""
    url = cluster.create("in_use")
    await asyncio.to_thread(upgrade, url)
    await _opened(url)
    for distributed in (True, True, False):
        await asyncio.to_thread(upgrade, url, distributed=distributed)
    database = await open_database(url)
    try:
        assert len({place.port for place in (await _placement(database)).by_dossier.values()}) == len(cluster.workers)
        assert await _found(database) == DOSSIERS
        async with database.begin() as connection:
            assert set(await hold_sheets(connection, DOSSIERS)) == set(DOSSIERS)
    finally:
        await database.close()


async def test_a_worker_is_killed(cluster: CitusServer) -> None:
    """Its dossiers are unavailable, and no others; they are there again, with what was written, once it is."""
    url = cluster.create("killed")
    await asyncio.to_thread(upgrade, url, distributed=True)
    await _opened(url)
    database = await open_database(url)
    placement, lost = await _placement(database), cluster.workers[0]
    there = [each for each in DOSSIERS if placement.place_of(each).port != lost.server.port]
    try:
        await asyncio.to_thread(lost.kill)
        for each in DOSSIERS:
            if each in there:
                assert await _state(database, each) == "open"
            else:
                with pytest.raises(DatabaseUnavailableError):
                    await _state(database, each)
        with pytest.raises(DatabaseUnavailableError):
            await _open(database, [UUID(int=each.int + 1) for each in DOSSIERS])
        lost.start()  # by this thread: a server goes with the thread that started it
        deadline = time.monotonic() + PATIENCE
        while await _reachable(database) != DOSSIERS:
            assert time.monotonic() < deadline
    finally:
        await database.close()


async def _opened(url: str) -> None:
    database = await open_database(url)
    try:
        await _open(database, DOSSIERS)
    finally:
        await database.close()


async def _open(database: Database, dossiers: Sequence[UUID]) -> None:
    """All or none."""
    async with database.begin() as connection:
        for each in dossiers:
            await open_dossier(connection, each, at=AT)


async def _placement(database: Database) -> Placement:
    async with database.connect() as connection:
        placement = placement_of(connection)
    assert placement is not None
    return placement


async def _found(database: Database) -> list[UUID]:
    return [row[0] for row in await database.read("SELECT id FROM dossier ORDER BY id")]


async def _reachable(database: Database) -> list[UUID]:
    try:
        return await _found(database)
    except DatabaseUnavailableError:
        await asyncio.sleep(0.1)
        return []


async def _state(database: Database, identity: UUID) -> object:
    ((state,),) = await database.read("SELECT state FROM dossier WHERE id = $1::uuid", identity)
    return state
