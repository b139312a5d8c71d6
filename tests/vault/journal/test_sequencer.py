"""Entries come into the tree in the order in which they were written, whichever instance puts them there."""

import asyncio
import multiprocessing
from typing import Any
from uuid import uuid5

import pytest
import structlog
from sqlalchemy import select, text, update

from models.database import Database, open_database
from models.errors import DatabaseError
from models.tables import journal_head, journal_leaf, journal_node, journal_waiting
from tests.doubles.unreliable_database import UnreliableDatabase
from tests.vault.journal import hanging
from tests.vault.journal.entries import DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.errors import ProofError
from vault.journal.audit import verify_log
from vault.journal.entry import Receipt
from vault.journal.hashes import read_head
from vault.journal.ledger import Ledger
from vault.journal.sequencer import integrate_all, sequence, step
from vault.journal.tree import Frontier

PROCESSES = multiprocessing.get_context("forkserver")
PATIENCE = 30.0


async def written(ledger: Ledger, size: int) -> list[Receipt]:
    """Entries of seven dossiers, one after the other."""
    return await ledger.record_all([an_entry(dossier=uuid5(DOSSIER, str(number % 7))) for number in range(size)])


async def order(database: Database) -> list[Receipt]:
    """What stands in the tree."""
    leaves = select(journal_leaf.c.dossier, journal_leaf.c.sequence).order_by(journal_leaf.c.position)
    async with database.connect() as connection:
        return [Receipt(*row) for row in await connection.execute(leaves)]


async def whole(database: Database, size: int) -> None:
    """The tree has this size, is right, and nothing waits."""
    verdict = await verify_log(database, fixed_keys(), ())
    assert (verdict.size, verdict.waiting, verdict.broken) == (size, 0, None)


async def until(database: Database, size: int) -> None:
    """Wait until the tree has grown to this size."""
    async with asyncio.timeout(PATIENCE):
        while len(await order(database)) < size:  # noqa: ASYNC110 - another process may be who changes it
            await asyncio.sleep(0.01)


async def test_one_step_takes_what_waits(ledger: Ledger, database: Database) -> None:
    """All of it, in the order of writing; then nothing waits."""
    receipts = await written(ledger, 300)
    assert await step(database) == 300
    assert await step(database) == 0
    assert await order(database) == receipts
    await whole(database, 300)


async def test_what_another_took_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something waited a moment ago and no more does, nothing is done."""
    monkeypatch.setattr("vault.journal.sequencer._ANY", "SELECT 1")
    assert await step(database) == 0
    await whole(database, 0)


async def test_a_step_takes_no_more_than_its_batch(ledger: Ledger, database: Database) -> None:
    """What is left is for the next one; the tree is the same."""
    receipts = await written(ledger, 10)
    assert [await step(database, batch=4) for _ in range(4)] == [4, 4, 2, 0]
    assert await order(database) == receipts
    await whole(database, 10)


async def test_entries_are_found_by_their_leaves(ledger: Ledger, database: Database) -> None:
    """The head is over the leaves, and the roots of full tiles are kept."""
    await written(ledger, 257)
    await integrate_all(database)
    async with database.connect() as connection:
        leaves = (await connection.scalars(select(journal_leaf.c.leaf).order_by(journal_leaf.c.position))).all()
        head, tiles = Frontier().extend(leaves)
        assert await read_head(connection) == head
        nodes = (await connection.execute(select(journal_node))).all()
    assert [(node.level, node.position, node.hash) for node in nodes] == [(8, 0, tiles.popitem()[1])]


async def test_all_that_waits_is_integrated(ledger: Ledger, database: Database) -> None:
    """Whoever wants to see the whole tree does not go on before he can."""
    await written(ledger, 10)
    assert (await integrate_all(database), await integrate_all(database)) == (10, 0)
    await whole(database, 10)


async def test_one_instance_at_a_time(ledger: Ledger, migrated_postgresql_url: str) -> None:
    """While one integrates, another does nothing and waits for nothing; whoever needs the whole tree waits for it."""
    database = await open_database(migrated_postgresql_url)
    there = Ledger(database, fixed_keys())
    await written(there, 3)
    async with database.begin() as connection:
        assert await connection.scalar(text("SELECT pg_try_advisory_xact_lock(7165)"))
        assert await step(database) == 0
        waiting = asyncio.create_task(integrate_all(database))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == 3
    await whole(database, 3)
    await database.close()


async def test_steps_at_the_same_time(ledger: Ledger, database: Database, migrated_url: str) -> None:
    """Several instances integrate while others write: each entry has one place, and the tree is right."""
    other = await open_database(migrated_url)
    sequencers = [asyncio.create_task(sequence(each, seconds=0.001, batch=5)) for each in (database, other)]
    receipts = [*await written(ledger, 50), *await written(Ledger(other, fixed_keys()), 50)]
    await until(database, 100)
    for each in sequencers:
        each.cancel()
    await asyncio.wait(sequencers)
    assert {receipt.sequence for receipt in await order(database)} == {receipt.sequence for receipt in receipts}
    await whole(database, 100)
    await other.close()


async def test_a_full_batch_is_followed_at_once(ledger: Ledger, database: Database) -> None:
    """Whoever repeats does not pause while there is more than one step takes."""
    await written(ledger, 10)
    task = asyncio.create_task(sequence(database, seconds=10 * PATIENCE, batch=2))
    await until(database, 10)
    task.cancel()
    await asyncio.wait({task})
    await whole(database, 10)


async def test_a_fault_is_logged_and_tried_again(ledger: Ledger, database: Database) -> None:
    """A database that fails for a while delays the tree, and no more."""
    await written(ledger, 3)
    failing = UnreliableDatabase(database, fails_to_commit=True)
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(sequence(failing, seconds=0.001))
        async with asyncio.timeout(PATIENCE):
            while not logs:  # noqa: ASYNC110 - nobody tells of a log
                await asyncio.sleep(0.001)
        failing.fails_to_commit = False
        await until(database, 3)
        task.cancel()
        await asyncio.wait({task})
    assert {log["event"] for log in logs} == {"journal_not_integrated"}
    assert task.cancelled()
    await whole(database, 3)


async def test_a_step_that_fails_leaves_everything(ledger: Ledger, database: Database) -> None:
    """What it took waits again."""
    await written(ledger, 3)
    with pytest.raises(DatabaseError):
        await step(UnreliableDatabase(database, fails_to_commit=True))
    async with database.connect() as connection:
        assert len((await connection.execute(select(journal_waiting))).all()) == 3
    assert (await order(database), await step(database)) == ([], 3)
    await whole(database, 3)


@pytest.mark.parametrize("head", [{"size": 3, "frontier": b"?"}, {"size": -1, "frontier": b""}])
async def test_nothing_is_added_to_a_damaged_head(head: dict[str, Any], ledger: Ledger, database: Database) -> None:
    """Entries go on being written, and wait."""
    await written(ledger, 3)
    await integrate_all(database)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(head))
    await written(ledger, 2)
    with pytest.raises(ProofError, match="damaged"):
        await step(database)


async def test_a_place_is_given_once(ledger: Ledger, database: Database) -> None:
    """A head that was set back is found out by the leaf that stands where the next would."""
    await written(ledger, 3)
    await integrate_all(database)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(size=0, frontier=b""))
    await written(ledger, 1)
    with pytest.raises(DatabaseError):
        await step(database)


async def test_another_takes_over_from_one_that_is_killed(
    ledger: Ledger, database: Database, migrated_url: str
) -> None:
    """A process killed while it integrates leaves all that it took; another puts it into the tree at once."""
    await written(ledger, 20)
    heard, told = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=hanging.run, args=(migrated_url, told))
    process.start()
    assert await asyncio.to_thread(heard.recv) == "in the middle"
    if database.dialect == "postgresql":
        assert await step(database) == 0
    process.kill()
    await asyncio.to_thread(process.join)
    assert await integrate_all(database) == 20
    await whole(database, 20)
    heard.close()
    told.close()
