"""The journal backwards."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import journal_entry, journal_head, journal_leaf
from tests.vault.journal.entries import AT, DOSSIER, OTHER_DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.errors import JournalEntryError, ProofError
from vault.journal.entry import Line
from vault.journal.erasing import erase_journal
from vault.journal.hashes import read_head
from vault.journal.ledger import Ledger
from vault.journal.recent import newest_first
from vault.journal.sequencer import integrate_all
from vault.journal.tree import Frontier

EVERY_THIRD = 3


async def written(ledger: Ledger, database: Database, size: int) -> None:
    """Entries an hour apart, every third of another dossier, in the tree."""
    entries = [
        an_entry(
            dossier=DOSSIER if number % EVERY_THIRD else OTHER_DOSSIER,
            at=AT + timedelta(hours=number),
            request_id=str(number),
        )
        for number in range(size)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    await integrate_all(database)


async def numbers(database: Database, **bounds: Any) -> list[int]:
    """Of the entries that are shown, by the order in which they were written."""
    pages = newest_first(database, fixed_keys(), **bounds)
    return [number_of(line) async for page in pages for line in page]


def number_of(line: Line) -> int:
    assert line.entry is not None
    return int(line.entry.request_id)


@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 1_200])
async def test_everything_newest_first(size: int, ledger: Ledger, database: Database) -> None:
    """Whatever the number of pages, each line comes once, in the order that is the reverse of writing."""
    await written(ledger, database, size)
    assert await numbers(database) == list(range(size))[::-1]


async def test_the_lines_of_a_dossier(ledger: Ledger, database: Database) -> None:
    """Another dossier's are left out; a dossier without any has none."""
    await written(ledger, database, 1_600)
    assert await numbers(database, dossier=OTHER_DOSSIER) == list(range(0, 1_600, EVERY_THIRD))[::-1]
    since = AT + timedelta(hours=1_590)
    assert await numbers(database, dossier=OTHER_DOSSIER, since=since) == [1_599, 1_596, 1_593, 1_590]
    assert await numbers(database, dossier=UUID(int=7)) == []


async def test_since_an_instant(ledger: Ledger, database: Database) -> None:
    """The instant itself counts; older lines are left out, and pages of nothing but these are not read."""
    await written(ledger, database, 2_000)
    assert await numbers(database, since=AT + timedelta(hours=1_990)) == list(range(1_990, 2_000))[::-1]
    pages = [len(page) async for page in newest_first(database, fixed_keys(), since=AT + timedelta(hours=1_490))]
    assert pages == [500, 10]
    assert await numbers(database, since=AT + timedelta(hours=2_000)) == []


async def test_a_line_that_was_long_on_its_way(ledger: Ledger, database: Database) -> None:
    """A line is found though lines before it in the journal tell a later instant, or lines after it an older one."""
    await written(ledger, database, 500)
    since = AT + timedelta(hours=499)
    late = [since - timedelta(hours=23), since, since + timedelta(hours=1), *[since - timedelta(hours=20)] * 500]
    async with database.begin() as connection:
        await ledger.append(connection, [an_entry(at=at, request_id=str(500 + n)) for n, at in enumerate(late)])
    await integrate_all(database)
    assert await numbers(database, since=since) == [502, 501, 499]


async def test_what_is_written_meanwhile_is_left_out(ledger: Ledger, database: Database) -> None:
    """A walk ends though the journal grows."""
    await written(ledger, database, 501)
    found = []
    async for page in newest_first(database, fixed_keys()):
        found += [number_of(line) for line in page]
        await ledger.record(an_entry())
        await integrate_all(database)
    assert found == list(range(501))[::-1]


async def test_what_waits_comes_first(ledger: Ledger, database: Database) -> None:
    """What is not in the tree yet is told once, even if it is put there meanwhile, and counts for a dossier too."""
    await written(ledger, database, 4)
    for number in (4, 5):
        await ledger.record(an_entry(at=AT + timedelta(hours=number), request_id=str(number)))
    assert await numbers(database) == [5, 4, 3, 2, 1, 0]
    assert await numbers(database, since=AT + timedelta(hours=5)) == [5]
    assert await numbers(database, since=AT + timedelta(hours=60)) == []
    assert await numbers(database, dossier=DOSSIER) == [5, 4, 2, 1]
    found = []
    async for page in newest_first(database, fixed_keys()):
        found.append([number_of(line) for line in page])
        await integrate_all(database)
    assert found == [[5, 4], [3, 2, 1, 0]]


async def test_what_moves_into_the_tree_is_told_once(ledger: Ledger, database: Database, monkeypatch: Any) -> None:
    """An entry that waits when the walk begins, and stands in the tree when its head is read, is told once."""
    await written(ledger, database, 2)
    await ledger.record(an_entry(request_id="2"))

    async def later(connection: AsyncConnection) -> Frontier:
        if database.dialect == "sqlite":
            await connection.rollback()
        await integrate_all(database)
        return await read_head(connection)

    monkeypatch.setattr("vault.journal.recent.read_head", later)
    assert await numbers(database) == [2, 1, 0]


async def test_erased_lines_are_told_as_such(ledger: Ledger, database: Database) -> None:
    """Of an erased entry nothing is told but its place, whatever the instant asked for."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await erase_journal(connection, OTHER_DOSSIER)
    pages = newest_first(database, fixed_keys(), since=AT + timedelta(hours=2))
    assert [(line.entry is None, line.sequence) async for page in pages for line in page] == [(False, 2), (True, 1)]


async def tamper(database: Database, columns: dict[str, Any]) -> None:
    """Change the fifth entry, the third of its dossier."""
    fifth = (journal_entry.c.dossier == DOSSIER) & (journal_entry.c.sequence == 3)
    async with database.begin() as connection:
        await connection.execute(update(journal_entry).where(fifth).values(columns))


@pytest.mark.parametrize(
    "columns, expected",
    [
        ({"commitment": b"\x00" * 32}, "entry 4 of the journal: its line is not"),
        ({"leaf": b"\x00" * 32}, "entry 4 of the journal: its hash is not"),
        ({"sealed": b"\x00" * 64}, "entry 4 of the journal: it does not open"),
        ({"at": AT + timedelta(hours=40)}, "entry 4 of the journal: it does not stand where"),
        ({"subject": b"\x00" * 16}, "entry 4 of the journal: it does not stand where"),
        ({"sequence": 900}, "entry 4 of the journal: it is missing"),
    ],
)
async def test_a_line_that_was_tampered_with(
    columns: dict[str, Any], expected: str, ledger: Ledger, database: Database
) -> None:
    """It is named and refused: no figure is made of what nobody wrote."""
    await written(ledger, database, 6)
    await tamper(database, columns)
    with pytest.raises(JournalEntryError, match=expected):
        await numbers(database)


async def test_a_waiting_line_that_was_tampered_with(ledger: Ledger, database: Database) -> None:
    """It has no place yet by which to name it."""
    await ledger.record(an_entry())
    async with database.begin() as connection:
        await connection.execute(update(journal_entry).values(subject=b""))
    with pytest.raises(JournalEntryError, match="an entry that waits for the journal's tree: it does not stand where"):
        await numbers(database)


async def test_a_line_of_a_dossier_that_was_tampered_with(ledger: Ledger, database: Database) -> None:
    """It is named by its place in the dossier."""
    await written(ledger, database, 6)
    await tamper(database, {"subject": b""})
    with pytest.raises(JournalEntryError, match="entry 3 of the dossier: it does not stand where"):
        await numbers(database, dossier=DOSSIER)


@pytest.mark.parametrize("position", [0, 3, 5])
async def test_a_leaf_that_was_taken_out(position: int, ledger: Ledger, database: Database) -> None:
    """A gap is told, at either end too."""
    await written(ledger, database, 6)
    async with database.begin() as connection:
        await connection.execute(delete(journal_leaf).where(journal_leaf.c.position == position))
    with pytest.raises(JournalEntryError, match=f"entry {position} of the journal is missing"):
        await numbers(database)


@pytest.mark.parametrize("sequence", [1, 2, 4])
async def test_a_line_that_was_taken_out(sequence: int, ledger: Ledger, database: Database) -> None:
    """The same of a dossier."""
    await written(ledger, database, 6)
    async with database.begin() as connection:
        await connection.execute(delete(journal_entry).where(journal_entry.c.sequence == sequence))
    with pytest.raises(JournalEntryError, match=f"entry {sequence} of the dossier is missing"):
        await numbers(database, dossier=DOSSIER)


async def test_a_journal_without_its_head(ledger: Ledger, database: Database) -> None:
    """Where it ends is not known then."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(frontier=b"?"))
    with pytest.raises(ProofError, match="damaged"):
        await numbers(database)
