"""What writers find when they lock a dossier's chain: that it is as they remember it, or not."""

import asyncio

import pytest
from sqlalchemy import select, update

from models.database import Database, open_database
from models.tables import journal_chain
from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from tests.waiting import somebody_waits
from vault.errors import JournalMovedError, JournalUnavailableError, SealBrokenError
from vault.journal.audit import verify_log
from vault.journal.chains import hold
from vault.journal.entry import Receipt
from vault.journal.erasing import erase_journal
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger


async def remembered_in_vain(ledger: Ledger, database: Database) -> None:
    """The ledger remembers the key of a chain whose transaction was rolled back."""

    async def change_of_mind() -> None:
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry()])
            await ledger.append(connection, [an_entry()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()


async def test_a_chain_that_went_with_its_transaction(ledger: Ledger, database: Database) -> None:
    """Whoever remembers its key tries again, and begins the chain anew."""
    await remembered_in_vain(ledger, database)
    assert await ledger.record(an_entry()) == Receipt(DOSSIER, 1)


async def test_a_change_beside_a_chain_that_went(ledger: Ledger, database: Database) -> None:
    """A change of rights is refused once, and made when it is tried again."""
    await remembered_in_vain(ledger, database)
    with pytest.raises(JournalMovedError):
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry()])
    async with database.begin() as connection:
        assert await ledger.append(connection, [an_entry()]) == [Receipt(DOSSIER, 1)]


async def test_a_key_that_was_erased_meanwhile(ledger: Ledger, database: Database) -> None:
    """Nothing is sealed under a key that was destroyed, however lately it was read."""
    await ledger.record_all([an_entry(), an_entry(dossier=OTHER_DOSSIER)])
    await ledger.record_all([an_entry(), an_entry(dossier=OTHER_DOSSIER)])
    async with database.begin() as connection:
        await erase_journal(connection, DOSSIER)
    receipts = await ledger.record_all([an_entry(), an_entry(dossier=OTHER_DOSSIER)])
    assert receipts == [Receipt(DOSSIER, 3), Receipt(OTHER_DOSSIER, 3)]
    verdict = await verify_log(database, fixed_keys(), ())
    assert (verdict.broken, verdict.erased) == (None, 2)


async def test_a_chain_that_goes_on_moving_refuses(
    ledger: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody tries for ever."""
    tried = []

    async def moved(*_: object) -> None:
        tried.append(1)
        raise JournalMovedError("moved")

    monkeypatch.setattr("vault.journal.appending.hold", moved)
    with pytest.raises(JournalUnavailableError):
        await ledger.record(an_entry())
    assert len(tried) == 2


async def test_a_key_that_was_spoilt_refuses(ledger: Ledger, database: Database) -> None:
    """Where a dossier's key does not unwrap nothing is written, for no other dossier of the commit either."""
    await ledger.record(an_entry())
    async with database.begin() as connection:
        await connection.execute(update(journal_chain).values(wrapped=b"?"))
    with pytest.raises(JournalUnavailableError) as raised:
        await Ledger(database, fixed_keys()).record_all([an_entry(), an_entry(dossier=OTHER_DOSSIER)])
    assert isinstance(raised.value.__cause__, SealBrokenError)
    async with database.begin() as connection:
        with pytest.raises(JournalUnavailableError) as raised:
            await ledger.append(connection, [an_entry()])
    assert isinstance(raised.value.__cause__, SealBrokenError)


async def test_a_key_that_was_wrapped_anew(ledger: Ledger, database: Database, journal_keys: JournalKeys) -> None:
    """What is remembered under other bytes is read anew, under the lock."""
    await ledger.record(an_entry())
    await ledger.record(an_entry())
    async with database.begin() as connection:
        fresh = await journal_keys.generate(connection, [DOSSIER])
        wrapped, _ = fresh[DOSSIER]
        await connection.execute(update(journal_chain).values(key_id=wrapped.key_id, wrapped=wrapped.wrapped))
    assert await ledger.record(an_entry()) == Receipt(DOSSIER, 3)


async def test_two_begin_a_chain_at_once(migrated_postgresql_url: str) -> None:
    """The one who comes second waits, and takes the key of the first."""
    one, other = [await open_database(migrated_postgresql_url) for _ in range(2)]
    second = Ledger(other, fixed_keys())
    async with one.begin() as connection:
        await hold(connection, fixed_keys(), {DOSSIER})
        wrapped = await connection.scalar(select(journal_chain.c.wrapped))
        waiting = asyncio.create_task(second.record(an_entry()))
        await somebody_waits(one, waiting)
    assert await waiting == Receipt(DOSSIER, 1)
    assert await one.read("SELECT wrapped FROM journal_chain") == [(wrapped,)]
    await one.close()
    await other.close()
