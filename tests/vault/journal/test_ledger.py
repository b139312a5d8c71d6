"""Writing: one order for all, in one commit for all who wait."""

import asyncio
from uuid import UUID, uuid5

import pytest
from anyio import wait_all_tasks_blocked
from msgspec.structs import replace
from sqlalchemy import func, insert, select, text

from models.database import Database
from models.errors import DatabaseError
from models.facts import Reference
from models.tables import dossier, has_read, journal_entry
from tests.doubles.unreliable_database import UnreliableDatabase
from tests.vault.journal.entries import AT, DOCUMENT, DOSSIER, HOLDER, NURSE, OTHER_DOSSIER, PHYSICIAN, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.errors import JournalUnavailableError
from vault.journal.audit import Verdict, verify_log
from vault.journal.entry import Entry, Item, Receipt
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all
from vault.journal.tree import leaf_hash


async def count(database: Database) -> int:
    async with database.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(journal_entry)) or 0)


async def verified(database: Database) -> Verdict:
    """Once everything is in the tree."""
    await integrate_all(database)
    return await verify_log(database, fixed_keys(), ())


async def readers(database: Database) -> set[tuple[UUID, str]]:
    async with database.connect() as connection:
        rows = await connection.execute(select(has_read.c.dossier, has_read.c.professional))
        return {(row.dossier, row.professional) for row in rows}


async def numbered(ledger: Ledger, first: int, last: int) -> list[Receipt | BaseException]:
    """Record these entries at once; what each caller got."""
    entries = [an_entry(request_id=f"r-{number}") for number in range(first, last)]
    return await asyncio.gather(*map(ledger.record, entries), return_exceptions=True)


async def test_an_entry_is_there_once_recorded(ledger: Ledger, reader: Reader) -> None:
    """When `record` returns, another connection reads the entry."""
    receipt = await ledger.record(an_entry())
    assert receipt == Receipt(DOSSIER, 1)
    line = await reader.line(DOSSIER, 1)
    assert line is not None
    assert (line.entry, line.sequence, line.previous) == (an_entry(), 1, b"")


async def test_each_dossier_counts_for_itself(ledger: Ledger, reader: Reader) -> None:
    """Sequences count for each dossier, and each line names the one before it in its dossier."""
    dossiers = [DOSSIER, OTHER_DOSSIER, DOSSIER]
    receipts = [await ledger.record(an_entry(dossier=dossier)) for dossier in dossiers]
    assert receipts == [Receipt(DOSSIER, 1), Receipt(OTHER_DOSSIER, 1), Receipt(DOSSIER, 2)]
    second, first = await reader.read(DOSSIER, limit=2)
    assert second.previous == leaf_hash(first.encode())


async def test_those_who_wait_share_a_commit(database: Database) -> None:
    """What arrives while a commit is under way goes into the next one, whole, up to the largest commit."""
    held = UnreliableDatabase(database)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys(), largest_commit=20)
    first = asyncio.create_task(ledger.record(an_entry(request_id="first")))
    await held.waits.wait()
    others = asyncio.create_task(numbered(ledger, 0, 41))
    held.goes_on.set()
    receipts = await others
    assert await first == Receipt(DOSSIER, 1)
    assert receipts == [Receipt(DOSSIER, number + 2) for number in range(41)]
    assert held.transactions == 4
    await ledger.aclose()


async def test_entries_of_one_caller_stand_together(database: Database) -> None:
    """What one caller records together goes into one commit whatever its number, and others fill what is left."""
    held = UnreliableDatabase(database)
    ledger = Ledger(held, fixed_keys(), largest_commit=3)
    portions = [[an_entry()] * size for size in (1, 2, 5, 0, 2, 1)]
    receipts = await asyncio.gather(*map(ledger.record_all, portions))
    assert [len(portion) for portion in receipts] == [1, 2, 5, 0, 2, 1]
    assert [receipt.sequence for portion in receipts for receipt in portion] == list(range(1, 12))
    assert held.transactions == 3


async def test_entries_of_one_caller_fall_together(database: Database) -> None:
    """What one caller records together is refused together."""
    failing = UnreliableDatabase(database, fails_to_commit=True)
    with pytest.raises(JournalUnavailableError):
        await Ledger(failing, fixed_keys()).record_all([an_entry(), an_entry(dossier=OTHER_DOSSIER)])
    assert await count(database) == 0


async def test_two_ledgers_write_one_journal(database: Database) -> None:
    """Several processes append at once: each sequence is given once, and the journal verifies."""
    ledgers = [Ledger(database, fixed_keys(), largest_commit=3), Ledger(database, fixed_keys(), largest_commit=5)]
    got = await asyncio.gather(*(numbered(ledger, 0, 60) for ledger in ledgers))
    sequences = [receipt.sequence for receipts in got for receipt in receipts if isinstance(receipt, Receipt)]
    assert sorted(sequences) == list(range(1, 121))
    verdict = await verified(database)
    assert (verdict.size, verdict.broken) == (120, None)


async def test_many_dossiers_in_one_commit(ledger: Ledger, database: Database) -> None:
    """A commit of entries of as many dossiers, over more than a tile, verifies."""
    dossiers = [uuid5(DOSSIER, str(number)) for number in range(300)]
    await asyncio.gather(*(ledger.record(an_entry(dossier=dossier)) for dossier in dossiers * 2))
    verdict = await verified(database)
    assert (verdict.size, verdict.broken) == (600, None)


async def test_appending_within_a_transaction(ledger: Ledger, database: Database) -> None:
    """Entries appended with other writes stand with them."""
    async with database.begin() as connection:
        await connection.execute(insert(dossier), {"id": DOSSIER, "state": "open", "state_since": AT})
        receipts = await ledger.append(connection, [an_entry(), an_entry(dossier=OTHER_DOSSIER), an_entry()])
    assert receipts == [Receipt(DOSSIER, 1), Receipt(OTHER_DOSSIER, 1), Receipt(DOSSIER, 2)]
    assert await count(database) == 3


async def test_appending_falls_with_its_transaction(ledger: Ledger, database: Database) -> None:
    """Entries of a transaction that is rolled back were never written, and leave no gap."""
    await ledger.record(an_entry())

    async def change_of_mind() -> None:
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry(subject=NURSE)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    assert await ledger.record(an_entry()) == Receipt(DOSSIER, 2)
    assert await readers(database) == {(DOSSIER, PHYSICIAN.id)}
    assert (await verified(database)).broken is None


@pytest.mark.parametrize("table", ["journal_chain", "journal_waiting", "journal_entry"])
async def test_appending_where_the_journal_fails(table: str, ledger: Ledger, database: Database) -> None:
    """A change of rights that cannot be written down is refused for that reason, whichever statement failed."""

    async def change_rights() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(dossier), {"id": DOSSIER, "state": "open", "state_since": AT})
            await ledger.append(connection, [an_entry()])

    async with database.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO gone"))
    with pytest.raises(JournalUnavailableError) as raised:
        await change_rights()
    assert isinstance(raised.value.__cause__, DatabaseError)
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(dossier)) == 0


async def test_appending_nothing(ledger: Ledger, database: Database) -> None:
    """A transaction without entries does not touch the journal."""
    async with database.begin() as connection:
        assert await ledger.append(connection, []) == []
    assert await count(database) == 0


ITEM = Item("document:read", Reference("document", DOCUMENT), True, "care-team")


@pytest.mark.parametrize(
    "entry,expected",
    [
        (an_entry(), {(DOSSIER, PHYSICIAN.id)}),
        (an_entry(allowed=False), set()),
        (an_entry(action="document:list"), set()),
        (an_entry(action="document:list", items=(ITEM,)), {(DOSSIER, PHYSICIAN.id)}),
        (an_entry(action="document:list", items=(replace(ITEM, allowed=False),)), set()),
        (an_entry(action="document:list", items=(replace(ITEM, action="document:mask"),)), set()),
        (an_entry(subject=HOLDER), set()),
        (an_entry(situation=("physician", "document:read", "normal", "has_read")), set()),
        (an_entry(action="document:list", items=(replace(ITEM, situation=("has_read",)),)), set()),
    ],
)
async def test_who_has_read_is_remembered(
    entry: Entry, expected: set[tuple[UUID, str]], ledger: Ledger, database: Database
) -> None:
    """A professional permitted to read a document has read something of the dossier; nobody else has.

    Of one who was judged as having read before, it is remembered already.
    """
    await ledger.record(entry)
    await ledger.record(entry)
    assert await readers(database) == expected


async def test_strange_words_do_not_keep_others_from_being_written(ledger: Ledger, database: Database) -> None:
    """Whatever callers put into their questions, the entries of the same commit are written."""
    strange = an_entry(subject=Reference("person\0", "\ud800" * 999), client="\0", request_id="'; --")
    await asyncio.gather(ledger.record(strange), ledger.record(an_entry()))
    assert (await verified(database)).size == 2


@pytest.mark.parametrize("when", ["fails_to_begin", "fails_to_commit"])
async def test_a_failing_database_refuses_all_who_wait(when: str, database: Database) -> None:
    """Every waiter of the commit is refused, nothing is half written, and the ledger serves again afterwards."""
    failing = UnreliableDatabase(database)
    ledger = Ledger(failing, fixed_keys())
    setattr(failing, when, True)
    refusals = await numbered(ledger, 0, 5)
    assert [str(refusal) for refusal in refusals] == ["the journal could not be written"] * 5
    assert [type(refusal) for refusal in refusals] == [JournalUnavailableError] * 5
    setattr(failing, when, False)
    assert await ledger.record(an_entry()) == Receipt(DOSSIER, 1)
    assert (await verified(database)).size == 1


async def test_any_fault_refuses_those_who_wait(database: Database) -> None:
    """A fault that nobody foresaw refuses the waiters too, with its cause for the log."""
    failing = UnreliableDatabase(database, fails_to_begin=True, raises=ZeroDivisionError("a fault"))
    with pytest.raises(JournalUnavailableError) as raised:
        await Ledger(failing, fixed_keys()).record(an_entry())
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


async def test_a_cancelled_writer_refuses_those_who_wait(database: Database) -> None:
    """When the loop is torn down in the middle of a commit, nobody waits for ever."""
    failing = UnreliableDatabase(database, fails_to_begin=True, raises=asyncio.CancelledError())
    ledger = Ledger(failing, fixed_keys())
    with pytest.raises(JournalUnavailableError):
        await ledger.record(an_entry())
    failing.fails_to_begin = False
    assert await ledger.record(an_entry()) == Receipt(DOSSIER, 1)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_caller_harms_nobody(database: Database, *, fails: bool) -> None:
    """A caller that goes away while it waits leaves the others of its commit to their own fate."""
    held = UnreliableDatabase(database, fails_to_begin=fails)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys())
    leaving = asyncio.create_task(ledger.record(an_entry()))
    staying = asyncio.create_task(ledger.record(an_entry()))
    await held.waits.wait()
    leaving.cancel()
    held.goes_on.set()
    left, stayed = await asyncio.gather(leaving, staying, return_exceptions=True)
    assert isinstance(left, asyncio.CancelledError)
    assert isinstance(stayed, JournalUnavailableError if fails else Receipt)
    assert await count(database) == (0 if fails else 2)


async def test_a_hanging_database_does_not_keep_callers(database: Database) -> None:
    """An entry that is not written in time is refused, and the next is not lost when the database comes back."""
    held = UnreliableDatabase(database)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys(), patience=0.01)
    with pytest.raises(JournalUnavailableError, match="in time"):
        await ledger.record(an_entry())
    held.goes_on.set()
    await ledger.aclose()
    assert await count(database) == 1


async def test_who_came_later_waits_on(database: Database) -> None:
    """When the first has waited too long, it alone is refused; it was being written, and the next comes after it."""
    held = UnreliableDatabase(database)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys(), patience=0.01)
    first = asyncio.create_task(ledger.record(an_entry()))
    await held.waits.wait()
    ledger._patience = 60  # noqa: SLF001 - so that the next is not late however slow the machine is
    second = asyncio.create_task(ledger.record(an_entry()))
    with pytest.raises(JournalUnavailableError, match="in time"):
        await first
    assert not second.done()
    held.goes_on.set()
    assert await second == Receipt(DOSSIER, 2)
    await ledger.aclose()


async def test_too_many_waiting_are_refused(database: Database) -> None:
    """What waits is bounded: beyond, callers are refused at once, and those who wait are written."""
    held = UnreliableDatabase(database)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys(), most_waiting=3)
    first = asyncio.create_task(ledger.record(an_entry()))
    await held.waits.wait()
    waiting = asyncio.create_task(numbered(ledger, 0, 3))
    await wait_all_tasks_blocked()
    with pytest.raises(JournalUnavailableError, match="too many"):
        await ledger.record(an_entry())
    held.goes_on.set()
    assert await first == Receipt(DOSSIER, 1)
    assert await waiting == [Receipt(DOSSIER, number) for number in (2, 3, 4)]


async def test_closing_writes_what_waits(database: Database) -> None:
    """A graceful stop writes what waits, and takes nothing more."""
    held = UnreliableDatabase(database)
    held.goes_on.clear()
    ledger = Ledger(held, fixed_keys(), largest_commit=2)
    waiting = asyncio.create_task(numbered(ledger, 0, 5))
    await held.waits.wait()
    closing = asyncio.create_task(ledger.aclose())
    held.goes_on.set()
    await closing
    assert await waiting == [Receipt(DOSSIER, number + 1) for number in range(5)]
    with pytest.raises(JournalUnavailableError, match="closed"):
        await ledger.record(an_entry())
    await ledger.aclose()
