"""Word is left of what must be told, in the transaction of the entry, and of nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from models.database import Database
from models.queries.notifications import Notification, list_notifications
from models.vocabulary import Notice
from tests.doubles.told import AT, BOTH, DOSSIER, owed
from tests.doubles.told import owe as owe_readings
from vault.journal.entry import Entry, fold
from vault.journal.ledger import Ledger
from vault.journal.notifying import Owed, notification_id, notify, owe

PATIENT, PHYSICIANS = BOTH
OTHERS = ("alert_withheld", "own_entries_only", "write_down")


@pytest.fixture
async def opened(database: Database) -> Database:
    """There is a dossier, and nobody to be told of anything."""
    await owe_readings(database, 0)
    return database


async def told(database: Database) -> list[tuple[int, str]]:
    waiting = await list_notifications(database, dead=False, limit=100)
    return sorted((each.sequence, each.obligation) for each in waiting)


def entry(*obligations: str) -> Entry:
    return owed(1, *obligations)[0]


async def test_each_obligation_to_tell_is_one_notification(opened: Database, ledger: Ledger) -> None:
    """Due at once, with the entry's sequence, action, mode and instant; obligations of another kind tell nobody."""
    await ledger.record_all([entry("write_down"), entry(*BOTH, *OTHERS), entry(PATIENT)])
    assert await told(opened) == [(2, PATIENT), (2, PHYSICIANS), (3, PATIENT)]
    (waiting,) = [each for each in await list_notifications(opened, dead=False, limit=9) if each.sequence == 3]
    assert waiting == Notification(
        DOSSIER, notification_id(DOSSIER, 3, PATIENT), 3, PATIENT, "document:read", "break_glass", AT, 0, AT, None
    )


async def test_a_refusal_tells_nobody(opened: Database, ledger: Ledger) -> None:
    """Nothing was done, whatever an entry of a refusal says."""
    await ledger.record(replace(entry(*BOTH), allowed=False))
    assert await told(opened) == []


async def test_what_was_asked_together_is_told_together(opened: Database, ledger: Ledger) -> None:
    """The entry of a batch has the obligations of all its items, and one notification of each."""
    batch = fold([entry(PATIENT), replace(entry(), allowed=False), entry(*BOTH), entry(PATIENT)])
    assert len(batch) == 1
    await ledger.record_all(batch)
    assert await told(opened) == [(1, PATIENT), (1, PHYSICIANS)]


async def test_neither_stands_without_the_other(opened: Database, ledger: Ledger) -> None:
    """A transaction that is undone tells nobody."""

    async def change_and_fail() -> None:
        async with opened.begin() as connection:
            await ledger.append(connection, [entry(PATIENT)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    assert await told(opened) == []
    assert await opened.read("SELECT 1 FROM journal_entry") == []


async def test_nothing_is_kept_of_a_dossier_that_is_gone(opened: Database) -> None:
    """It was erased while an access to it was on its way: that access stands in the journal alone."""
    async with opened.begin() as connection:
        await notify(connection, [owed(1, PATIENT, dossier=UUID(int=9)), owed(2, PATIENT)])
    assert await told(opened) == [(2, PATIENT)]


async def test_what_a_change_owes_is_told_of_its_document(opened: Database) -> None:
    """Each from its own instant on, under an id of its own, beside what the entry's obligations owe; or nothing."""
    one, other = UUID(int=1), UUID(int=2)
    later = AT + timedelta(weeks=2)
    owing = [
        Owed(Notice.CONTEST_ANSWERED, one, AT),
        Owed(Notice.STILL_WITHHELD, one, later),
        Owed(Notice.STILL_WITHHELD, other, later),
    ]
    async with opened.begin() as connection:
        await notify(connection, [owed(1, PATIENT)])
        await owe(connection, *owed(1), owing)
        await owe(connection, *owed(2), [])
    waiting = await list_notifications(opened, dead=False, limit=9)
    found = sorted((each.obligation, each.document or DOSSIER, each.due_at) for each in waiting)
    expected = [(each.notice.value, each.document, each.due_at) for each in owing]
    assert found == [expected[0], (PATIENT, DOSSIER, AT), *expected[1:]]
    assert {each.sequence for each in waiting} == {1}
    assert {each.id for each in waiting} == {
        notification_id(DOSSIER, 1, PATIENT),
        *(notification_id(DOSSIER, 1, f"{each.notice.value}/{each.document}") for each in owing),
    }


async def test_a_dossier_that_is_gone_is_owed_nothing(opened: Database) -> None:
    """As above: it was erased meanwhile."""
    async with opened.begin() as connection:
        await owe(connection, *owed(1, dossier=UUID(int=9)), [Owed(Notice.CONTEST_ANSWERED, UUID(int=1), AT)])
    assert await told(opened) == []


def test_ids_are_made_of_what_they_tell_of() -> None:
    """The same from whatever backup the database was restored, another for anything else."""
    others = [(DOSSIER, 1, PHYSICIANS), (DOSSIER, 2, PATIENT), (UUID(int=9), 1, PATIENT)]
    assert notification_id(DOSSIER, 1, PATIENT) == notification_id(DOSSIER, 1, PATIENT)
    assert len({notification_id(DOSSIER, 1, PATIENT), *(notification_id(*other) for other in others)}) == 4
