"""Where documents and messages are: ids are told apart within a bucket, and none is said to be in two dossiers."""

import asyncio
from uuid import UUID

import pytest

from models.database import Database
from models.errors import ConstraintError
from models.queries.whereabouts import add_whereabouts, find_dossiers, remove_whereabouts
from models.whereabouts import are_apart, bucket_of, bucket_of_entry, entries_of, find_dossier, has
from tests.waiting import somebody_waits

ALICE, BASILE = UUID(int=0xA11CE), UUID(int=0xBA51)
ONE, TWO, THREE = TOGETHER = [UUID(int=number) for number in (0x5E2F25D2, 0x772623DF, 0x8B9C498F)]
ELSEWHERE = UUID(int=1)


def _entry(identity: UUID, dossier: UUID) -> bytes:
    return identity.bytes + dossier.bytes


def test_the_ids_share_a_bucket() -> None:
    """As the other tests want it; whether known as ids or by what begins with one."""
    assert {bucket_of(each) for each in TOGETHER} == {bucket_of_entry(_entry(ONE, ALICE))}
    assert bucket_of(ELSEWHERE) != bucket_of(ONE)
    (entries,) = entries_of([(ONE, ALICE), (TWO, BASILE)]).values()
    assert entries == _entry(ONE, ALICE) + _entry(TWO, BASILE)


def test_an_entry_begins_where_entries_begin() -> None:
    """The same bytes across two fields are nothing."""
    entries = _entry(ONE, ALICE) + _entry(BASILE, TWO)
    assert (find_dossier(entries, BASILE), find_dossier(entries, ALICE)) == (TWO, None)
    assert has(entries, _entry(ONE, ALICE))
    assert not has(entries, _entry(ALICE, BASILE))


def test_ids_that_were_added_are_apart() -> None:
    """Those that were there before are no matter, but for one of the same id."""
    before, added = _entry(ONE, ALICE) + _entry(TWO, ALICE), _entry(THREE, BASILE)
    assert are_apart(before + added, len(added))
    assert not are_apart(before + added + _entry(ONE, BASILE), 2 * len(added))
    assert not are_apart(before + added + added, 2 * len(added))


@pytest.mark.parametrize(
    "again",
    [[(TWO, BASILE)], [(THREE, ALICE), (TWO, ALICE)], [(THREE, ALICE), (THREE, ALICE)], [(ELSEWHERE, ALICE)] * 2],
)
async def test_an_id_is_taken_once(database: Database, again: list[tuple[UUID, UUID]]) -> None:
    """In the same dossier or in another; nothing of what was said with it stays."""
    async with database.begin() as connection:
        await add_whereabouts(connection, [(ONE, ALICE), (TWO, ALICE)])

    async def add() -> None:
        async with database.begin() as connection:
            await add_whereabouts(connection, again)

    with pytest.raises(ConstraintError):
        await add()
    assert await find_dossiers(database, [*TOGETHER, ELSEWHERE]) == {ONE: ALICE, TWO: ALICE}


async def test_ids_come_and_go(database: Database) -> None:
    """Each alone, whoever shares its bucket."""
    async with database.begin() as connection:
        await add_whereabouts(connection, [(ONE, ALICE), (ELSEWHERE, BASILE)])
        await add_whereabouts(connection, [(THREE, BASILE), (TWO, ALICE)])
        await remove_whereabouts(connection, [ONE])
    found = await find_dossiers(database, [*TOGETHER, ELSEWHERE, UUID(int=2)])
    assert found == {TWO: ALICE, THREE: BASILE, ELSEWHERE: BASILE}


async def test_a_bucket_that_is_left_empty_goes(database: Database) -> None:
    """The others stay, and whoever is added later begins it anew."""
    async with database.begin() as connection:
        await add_whereabouts(connection, [(ONE, ALICE), (TWO, ALICE), (ELSEWHERE, BASILE)])
    async with database.begin() as connection:
        await remove_whereabouts(connection, [ONE, ELSEWHERE])
    assert await database.read("SELECT bucket FROM whereabouts") == [(bucket_of(ONE),)]
    async with database.begin() as connection:
        await remove_whereabouts(connection, [TWO])
        await add_whereabouts(connection, [(ELSEWHERE, BASILE)])
    assert await database.read("SELECT bucket FROM whereabouts") == [(bucket_of(ELSEWHERE),)]


async def test_whoever_adds_to_a_bucket_that_goes_begins_it_anew(database: Database) -> None:
    """He waits for the row, and finds none."""
    began = asyncio.Event()

    async def add() -> None:
        began.set()
        async with database.begin() as connection:
            await add_whereabouts(connection, [(TWO, BASILE)])

    async with database.begin() as connection:
        await add_whereabouts(connection, [(ONE, ALICE)])
    async with database.begin() as connection:
        await remove_whereabouts(connection, [ONE])
        adding = asyncio.create_task(add())
        await began.wait()
        await somebody_waits(database, adding)
    await adding
    assert await find_dossiers(database, TOGETHER) == {TWO: BASILE}


async def test_whoever_is_added_meanwhile_keeps_the_bucket(database: Database) -> None:
    """Whoever removes waits for him, and sees that the bucket is not empty."""
    began = asyncio.Event()

    async def remove() -> None:
        began.set()
        async with database.begin() as connection:
            await remove_whereabouts(connection, [ONE])

    async with database.begin() as connection:
        await add_whereabouts(connection, [(ONE, ALICE)])
    async with database.begin() as connection:
        await add_whereabouts(connection, [(TWO, BASILE)])
        removing = asyncio.create_task(remove())
        await began.wait()
        await somebody_waits(database, removing)
    await removing
    assert await find_dossiers(database, TOGETHER) == {TWO: BASILE}
