"""What was asked about a dossier, for the authorities."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models.database import Database
from models.tables import journal_entry
from tests.vault.journal.entries import AT, DOSSIER, NURSE, OTHER_DOSSIER, an_entry
from vault.errors import JournalEntryError
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.tracing import by_dossier

EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


async def told(database: Database, keys: JournalKeys, since: datetime, until: datetime) -> list[str]:
    lines = [line async for line in by_dossier(database, keys, DOSSIER, since, until)]
    assert {line.dossier for line in lines} <= {DOSSIER}
    return [line.entry.request_id for line in lines if line.entry is not None]


async def test_entries_of_a_dossier(database: Database, journal_keys: JournalKeys, ledger: Ledger) -> None:
    """Whoever asked, in their sequence, from an instant on and until before another, however many there are."""
    entries = [an_entry(request_id=f"r-{number}", at=AT + timedelta(seconds=number)) for number in range(1_001)]
    entries[3] = an_entry(request_id="r-3", at=AT + timedelta(seconds=3), subject=NURSE)
    for start in (0, 500):
        await ledger.record_all([*entries[start : start + 501], an_entry(dossier=OTHER_DOSSIER)])
    expected = [f"r-{number}" for number in [*range(501), *range(500, 1_001)]]
    assert await told(database, journal_keys, *EVER) == expected
    since, until = AT + timedelta(seconds=3), AT + timedelta(seconds=5)
    assert await told(database, journal_keys, since, until) == ["r-3", "r-4"]
    assert await told(database, journal_keys, until, since) == []


async def test_a_line_that_was_tampered_with(database: Database, journal_keys: JournalKeys, ledger: Ledger) -> None:
    """Is not shown as if it were what was written; an erased one is left out."""
    await ledger.record_all([an_entry(request_id=f"r-{number}") for number in range(3)])
    second = update(journal_entry).where(journal_entry.c.sequence == 2)
    async with database.begin() as connection:
        await connection.execute(second.values(at=AT + timedelta(days=1)))
    with pytest.raises(JournalEntryError):
        await told(database, journal_keys, *EVER)
    async with database.begin() as connection:
        await connection.execute(second.values(sealed=None, subject=None))
    assert await told(database, journal_keys, *EVER) == ["r-0", "r-2"]
