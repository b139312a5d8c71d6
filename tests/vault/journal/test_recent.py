"""The journal backwards."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import journal_entry, journal_head
from tests.vault.journal.entries import AT, DOSSIER, OTHER_DOSSIER, an_entry
from vault.errors import JournalEntryError, ProofError
from vault.journal.entry import Line
from vault.journal.ledger import Ledger
from vault.journal.recent import newest_first

EVERY_THIRD = 3


async def written(ledger: Ledger, database: Database, size: int) -> None:
    """Entries an hour apart, every third of another dossier."""
    entries = [
        an_entry(dossier=DOSSIER if number % EVERY_THIRD else OTHER_DOSSIER, at=AT + timedelta(hours=number))
        for number in range(size)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)


async def positions(database: Database, **bounds: Any) -> list[int]:
    return [line.position async for page in newest_first(database, **bounds) for line in page]


@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 1_200])
async def test_everything_newest_first(size: int, ledger: Ledger, database: Database) -> None:
    """Whatever the number of pages, each line comes once, in the order that is the reverse of writing."""
    await written(ledger, database, size)
    assert await positions(database) == list(range(size))[::-1]


async def test_the_lines_of_a_dossier(ledger: Ledger, database: Database) -> None:
    """Another dossier's are left out; a dossier without any has none."""
    await written(ledger, database, 1_600)
    assert await positions(database, dossier=OTHER_DOSSIER) == list(range(0, 1_600, EVERY_THIRD))[::-1]
    since = AT + timedelta(hours=1_590)
    assert await positions(database, dossier=OTHER_DOSSIER, since=since) == [1_599, 1_596, 1_593, 1_590]
    assert await positions(database, dossier=UUID(int=7)) == []


async def test_since_an_instant(ledger: Ledger, database: Database) -> None:
    """The instant itself counts; older lines are left out, and pages of nothing but these are not read."""
    await written(ledger, database, 2_000)
    assert await positions(database, since=AT + timedelta(hours=1_990)) == list(range(1_990, 2_000))[::-1]
    pages = [len(page) async for page in newest_first(database, since=AT + timedelta(hours=1_490))]
    assert pages == [500, 10]
    assert await positions(database, since=AT + timedelta(hours=2_000)) == []


async def test_a_line_that_was_long_on_its_way(ledger: Ledger, database: Database) -> None:
    """A line is found though lines before it in the journal tell a later instant, or lines after it an older one."""
    await written(ledger, database, 500)
    since = AT + timedelta(hours=499)
    late = [since - timedelta(hours=23), since, since + timedelta(hours=1), *[since - timedelta(hours=20)] * 500]
    async with database.begin() as connection:
        await ledger.append(connection, [an_entry(at=at) for at in late])
    assert await positions(database, since=since) == [502, 501, 499]


async def test_what_is_written_meanwhile_is_left_out(ledger: Ledger, database: Database) -> None:
    """A walk ends though the journal grows."""
    await written(ledger, database, 501)
    found = []
    async for page in newest_first(database):
        found += [line.position for line in page]
        await ledger.record(an_entry())
    assert found == list(range(501))[::-1]


async def tamper(database: Database, columns: dict[str, Any]) -> None:
    async with database.begin() as connection:
        await connection.execute(update(journal_entry).where(journal_entry.c.position == 4).values(columns))


@pytest.mark.parametrize(
    "columns, expected",
    [
        ({"entry": Line(an_entry(), 4, 3, b"\x00" * 32).encode()}, "entry 4 of the journal: its bytes are not"),
        ({"at": AT + timedelta(hours=40)}, "entry 4 of the journal: it does not stand where"),
        ({"subject": "person/x"}, "entry 4 of the journal: it does not stand where"),
        ({"position": 900}, "entry 4 of the journal is missing"),
        ({"position": 3}, "entry 4 of the journal is missing"),
    ],
)
async def test_a_line_that_was_tampered_with(
    columns: dict[str, Any], expected: str, ledger: Ledger, database: Database
) -> None:
    """It is named and refused: no figure is made of what nobody wrote."""
    await written(ledger, database, 6)
    await tamper(database, columns)
    with pytest.raises(JournalEntryError, match=expected):
        await positions(database)


async def test_a_line_of_a_dossier_that_was_tampered_with(ledger: Ledger, database: Database) -> None:
    """It is named by its place in the dossier."""
    await written(ledger, database, 6)
    await tamper(database, {"subject": "person/x"})
    with pytest.raises(JournalEntryError, match="entry 3 of the dossier: it does not stand where"):
        await positions(database, dossier=DOSSIER)


@pytest.mark.parametrize("position", [0, 3, 5])
async def test_a_line_that_was_taken_out(position: int, ledger: Ledger, database: Database) -> None:
    """A gap is told, at either end too."""
    await written(ledger, database, 6)
    async with database.begin() as connection:
        await connection.execute(delete(journal_entry).where(journal_entry.c.position == position))
    with pytest.raises(JournalEntryError, match=f"entry {position} of the journal is missing"):
        await positions(database)


@pytest.mark.parametrize("position", [0, 3])
async def test_a_line_that_stands_twice(position: int, ledger: Ledger, database: Database) -> None:
    """The second of two lines in one place is no line of the journal."""
    await written(ledger, database, 6)
    async with database.begin() as connection:
        first = select(journal_entry).where(journal_entry.c.position == position)
        row = (await connection.execute(first)).one()
        await connection.execute(insert(journal_entry).values(row._asdict() | {"sequence": 90}))
    with pytest.raises(JournalEntryError, match=f"entry {position} of the journal stands twice"):
        await positions(database)


async def test_a_journal_without_its_head(ledger: Ledger, database: Database) -> None:
    """Where it ends is not known then."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(frontier=b"?"))
    with pytest.raises(ProofError, match="damaged"):
        await positions(database)
