"""Which rules are in force, the same on both engines."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from models.database import Database
from models.queries.policy import InForce, find_bundle, find_in_force, lock_in_force, move_in_force

NONE = InForce(0, b"", "", datetime(2026, 10, 15, 12, tzinfo=UTC))
FIRST = InForce(1, b"\1" * 32, "1" * 64, datetime(2026, 10, 16, 12, 0, 0, 123456, tzinfo=UTC))


async def test_nothing_is_in_force_at_first(database: Database) -> None:
    """Nor is there a bundle."""
    assert await find_in_force(database) is None
    assert await find_bundle(database) == b""


async def test_what_is_locked_first_is_in_force(database: Database) -> None:
    """Whoever comes later finds it, and not his own."""
    for number in (0, 1):
        async with database.begin() as connection:
            assert await lock_in_force(connection, replace(NONE, version=number)) == NONE
    assert await find_in_force(database) == NONE
    assert await find_bundle(database) == b""


async def test_what_is_moved_is_in_force(database: Database) -> None:
    """With its bundle; without one, the last bundle stays."""
    async with database.begin() as connection:
        await lock_in_force(connection, NONE)
        await move_in_force(connection, FIRST, b"bundle")
    assert (await find_in_force(database), await find_bundle(database)) == (FIRST, b"bundle")
    other = replace(FIRST, revision="2" * 64)
    async with database.begin() as connection:
        assert await lock_in_force(connection, NONE) == FIRST
        await move_in_force(connection, other, None)
    assert (await find_in_force(database), await find_bundle(database)) == (other, b"bundle")


async def test_one_moves_at_a_time(database: Database) -> None:
    """Each sees what the one before has done, also the first ones of all."""

    async def count() -> None:
        async with database.begin() as connection:
            before = await lock_in_force(connection, NONE)
            await move_in_force(connection, replace(before, version=before.version + 1), b"")

    await asyncio.gather(*(count() for _ in range(8)))
    assert await find_in_force(database) == replace(NONE, version=8)
