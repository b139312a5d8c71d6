"""Transactions of those who write many times a second: on a kept connection, by the driver's statements."""

import asyncio
from uuid import UUID, uuid5

import asyncpg
import pytest
from sqlalchemy import insert, make_url, text

from models.database import Changed, Database, Loaded, find, load, open_database, take, write_together
from models.database.keeping import Kept
from models.database.placement import Placement, placement_of
from models.database.postgresql import engine
from models.errors import DatabaseError, DatabaseUnavailableError
from models.tables import journal_chain, journal_leaf, journal_waiting, whereabouts

BUCKETS = "SELECT bucket, entries FROM whereabouts ORDER BY bucket"
ONE = UUID("5f0c0d4e-4b5e-4c6a-9d2b-1d3a6c1e7a10")
TWO = UUID("7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03")
CHAIN = ("dossier", "sequence", "leaf")


async def test_what_is_written_hot_stands(database: Database) -> None:
    """Rows of the driver's statements and of SQLAlchemy's stand together, in one transaction after the other."""
    for number in (1, 3):
        async with database.begin_hot() as connection:
            await load(connection, whereabouts, [(number, b"loaded")])
            await connection.execute(insert(whereabouts).values(bucket=number + 1, entries=b"inserted"))
    expected = [(1, b"loaded"), (2, b"inserted"), (3, b"loaded"), (4, b"inserted")]
    assert [tuple(row) for row in await database.read(BUCKETS)] == expected


@pytest.mark.parametrize("by_sqlalchemy", [False, True])
async def test_what_is_written_hot_falls(database: Database, *, by_sqlalchemy: bool) -> None:
    """Nothing of a transaction that fails remains, and the next one finds nothing held."""

    async def change_of_mind() -> None:
        async with database.begin_hot() as connection:
            await load(connection, whereabouts, [(1, b"loaded")])
            if by_sqlalchemy:
                await connection.execute(insert(whereabouts).values(bucket=2, entries=b"inserted"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    async with database.begin_hot() as connection:
        await load(connection, whereabouts, [(1, b"again")])
    assert [tuple(row) for row in await database.read(BUCKETS)] == [(1, b"again")]


async def test_a_refused_statement_is_told(database: Database) -> None:
    """As the house's error, whose text quotes no value."""
    with pytest.raises(DatabaseError, match="contradicts"):
        async with database.begin_hot() as connection:
            await load(connection, whereabouts, [(1, b"secret"), (1, b"secret")])


async def test_several_write_hot_at_once(database: Database) -> None:
    """More than there are connections kept."""

    async def write(number: int) -> None:
        async with database.begin_hot() as connection:
            await load(connection, whereabouts, [(number, b"")])

    await asyncio.gather(*map(write, range(5)))
    assert [tuple(row) for row in await database.read(BUCKETS)] == [(number, b"") for number in range(5)]


async def test_a_kept_connection_that_was_lost_is_replaced(migrated_postgresql_url: str) -> None:
    """After the server has closed every connection, the next transaction is written without an error."""
    database = await open_database(migrated_postgresql_url)
    try:
        for number in (1, 2):
            async with database.begin_hot() as connection:
                await load(connection, whereabouts, [(number, b"")])
            await _close_connections(migrated_postgresql_url)
        assert [tuple(row) for row in await database.read(BUCKETS)] == [(1, b""), (2, b"")]
    finally:
        await database.close()


async def test_a_kept_connection_lost_within_a_transaction_is_told(migrated_postgresql_url: str) -> None:
    """It is DatabaseUnavailableError, and nothing of the transaction remains."""
    database = await open_database(migrated_postgresql_url)

    async def fail() -> None:
        async with database.begin_hot() as connection:
            await load(connection, whereabouts, [(1, b"")])
            await _close_connections(migrated_postgresql_url)

    try:
        with pytest.raises(DatabaseUnavailableError):
            await fail()
        assert await database.read(BUCKETS) == []
    finally:
        await database.close()


async def test_a_kept_connection_knows_where_rows_are_now(migrated_postgresql_url: str) -> None:
    """It was told when it was made; after rows went elsewhere another one stands in its place."""
    kept, made = Kept(), engine(make_url(migrated_postgresql_url))
    try:
        for placement in (Placement({}, {}), Placement({}, {})):
            for _ in range(2):
                async with kept.begin(made.execution_options(placement=placement)) as connection:
                    assert placement_of(connection) is placement
    finally:
        await kept.close()
        await made.dispose()


async def test_rows_of_several_tables_are_written_together(database: Database) -> None:
    """Some appended, each table's in their order, and some changed."""
    waiting = [(uuid5(ONE, str(number)), number, b"%d" % number) for number in range(50)]
    async with database.begin_hot() as connection:
        await load(connection, journal_chain, [(ONE, 1, b"one"), (TWO, 2, b"two")], CHAIN)
        changed = Changed(journal_chain, CHAIN, [(TWO, 3, b"three")])
        await write_together(connection, Loaded(journal_waiting, CHAIN, waiting), changed)
        held = {tuple(row) for row in await find(connection, journal_chain, CHAIN, [TWO, ONE], "UPDATE")}
        first = await take(connection, journal_waiting, CHAIN, 20)
        rest = await take(connection, journal_waiting, CHAIN, 99)
        leaves = [(position, *row) for position, row in enumerate([*first, *rest])]
        await load(connection, journal_leaf, leaves)
    assert held == {(ONE, 1, b"one"), (TWO, 3, b"three")}
    assert len(first) == 20
    told = await database.read("SELECT dossier, sequence, leaf FROM journal_leaf ORDER BY position")
    assert [tuple(row) for row in told] == waiting
    assert await database.read("SELECT 1 FROM journal_waiting") == []


async def test_only_rows_that_are_there_are_found(database: Database) -> None:
    """Of many keys."""
    keys = [uuid5(ONE, str(number)) for number in range(1_100)]
    async with database.begin() as connection:
        await load(connection, journal_chain, [(key, 0, b"") for key in keys[::2]], CHAIN)
        found = await find(connection, journal_chain, ["dossier"], keys)
        assert {row[0] for row in found} == set(keys[::2])
        assert await connection.scalar(text("SELECT 1")) == 1


async def _close_connections(url: str) -> None:
    other = await asyncpg.connect(url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await other.close()
