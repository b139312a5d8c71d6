"""A dossier's journal taken away: what is taken, against which log, and that it holds."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from models.database import Database
from models.tables import journal_head, journal_leaf, journal_node
from tests.vault.journal.entries import AT, DOSSIER, NURSE, OTHER_DOSSIER, PHYSICIAN, an_entry
from vault.errors import NotIntegratedError, ProofError
from vault.journal.copied import hold_copied
from vault.journal.erasing import erase_journal
from vault.journal.ledger import Ledger
from vault.journal.proof import Way, encode_line
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all
from vault.journal.taking import Placed, Taken
from vault.journal.tree import Frontier


async def written(ledger: Ledger, database: Database, size: int) -> None:
    """So many entries of two subjects in turn, each with one of another dossier before it."""
    entries = [
        an_entry(
            dossier=(OTHER_DOSSIER, DOSSIER)[number % 2],
            subject=(PHYSICIAN, NURSE)[number // 2 % 2],
            at=AT + timedelta(minutes=number),
        )
        for number in range(2 * size)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)


async def all_of(taken: Taken) -> tuple[list[Placed], list[Way]]:
    lines, ways = [], []
    async for page in taken.pages():
        lines += page
        paths = await taken.paths(page)
        ways += [Way(each.line.sequence, each.position, path) for each, path in zip(page, paths, strict=True)]
        assert [taken.path_length(each) for each in page] == [len(path) for path in paths]
    return lines, ways


@pytest.mark.parametrize("size", [1, 2, 49, 50, 51, 150])
async def test_what_is_taken_holds_by_itself(size: int, ledger: Ledger, database: Database, reader: Reader) -> None:
    """All lines of the dossier, newest first, each proved against one checkpoint, whatever is written afterwards."""
    await written(ledger, database, size)
    taken = await reader.take(DOSSIER, size)
    await written(ledger, database, 3)
    await integrate_all(database)
    lines, ways = await all_of(taken)
    assert [each.line.sequence for each in lines] == list(range(size, 0, -1))
    assert reader.signer.verifier.open(taken.note) == taken.checkpoint
    held = hold_copied([encode_line(each.line) for each in lines], [way.encode() for way in ways], taken.checkpoint)
    assert (held.lines, held.erased, held.dossier, held.findings) == (size, 0, DOSSIER, [])


async def test_what_is_taken_twice_is_the_same(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Later entries change neither the lines nor the log nor the paths."""
    await written(ledger, database, 20)
    first = await reader.take(DOSSIER, 15)
    before = await all_of(first)
    await written(ledger, database, 300)
    again = await reader.take(DOSSIER, 15)
    assert (again.note, await all_of(again)) == (first.note, before)


async def test_erased_lines_are_taken_with_what_is_left(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Their bytes and proofs stand, so that the chain is whole; what they said is gone."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await erase_journal(connection, DOSSIER)
    await written(ledger, database, 2)
    taken = await reader.take(DOSSIER, 5)
    lines, ways = await all_of(taken)
    held = hold_copied([encode_line(each.line) for each in lines], [way.encode() for way in ways], taken.checkpoint)
    assert (held.lines, held.erased, held.findings) == (5, 3, [])


async def test_own_entries_are_taken_alone(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Each is proved; nobody can tell from them whether others stand between."""
    await written(ledger, database, 101)
    taken = await reader.take(DOSSIER, 101, subject=NURSE)
    lines, ways = await all_of(taken)
    assert [each.line.sequence for each in lines] == list(range(100, 0, -2))
    told = [encode_line(each.line) for each in lines], [way.encode() for way in ways]
    assert hold_copied(*told, taken.checkpoint, whole=False).findings == []
    assert hold_copied(*told, taken.checkpoint).findings != []


async def test_a_line_that_is_not_there_is_not_taken(ledger: Ledger, reader: Reader) -> None:
    """Neither is anything before it."""
    await ledger.record(an_entry())
    with pytest.raises(ProofError):
        await reader.take(DOSSIER, 2)


async def test_an_entry_that_waits_too_long_is_not_taken(
    ledger: Ledger, database: Database, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as what it is: there is no proof of it yet."""

    async def busy(_: Database) -> None:
        """Another instance is at it, for ever."""

    monkeypatch.setattr("vault.journal.reading.step", busy)
    await ledger.record(an_entry())
    with pytest.raises(NotIntegratedError):
        await Reader(database, reader._keys, reader.signer, patience=0.01).take(DOSSIER, 1)  # noqa: SLF001  # the same but for patience


async def test_a_tree_that_does_not_go_on_is_not_signed(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Whoever changes the leaves without the head, which was signed, is found out before anything is taken."""
    await written(ledger, database, 4)
    await integrate_all(database)
    async with database.begin() as connection:
        await connection.execute(update(journal_leaf).where(journal_leaf.c.position == 1).values(leaf=b"\x00" * 32))
    with pytest.raises(ProofError):
        await reader.take(DOSSIER, 2)


async def test_a_tree_that_lacks_a_hash_is_not_signed(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Neither is one behind whose head a line stands."""
    await written(ledger, database, 200)
    await integrate_all(database)
    async with database.begin() as connection:
        await connection.execute(delete(journal_node))
    with pytest.raises(ProofError):
        await reader.take(DOSSIER, 190)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(size=0, frontier=Frontier().encode()))
    with pytest.raises(ProofError):
        await reader.take(DOSSIER, 1)


async def test_a_line_that_cannot_be_proved_is_not_taken(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Not one whose neighbour is another than it was, nor one whose neighbour is gone."""
    await written(ledger, database, 4)
    taken = await reader.take(DOSSIER, 4)
    lines, _ = await all_of(taken)
    async with database.begin() as connection:
        await connection.execute(update(journal_leaf).where(journal_leaf.c.position == 0).values(leaf=b"\x00" * 32))
    with pytest.raises(ProofError):
        await taken.paths(lines)
    async with database.begin() as connection:
        await connection.execute(delete(journal_leaf).where(journal_leaf.c.position == 0))
    with pytest.raises(ProofError):
        await taken.paths(lines)


async def test_a_line_without_a_place_ends_the_taking(ledger: Ledger, database: Database, reader: Reader) -> None:
    """It was left out of the tree: nothing says that it is the one that was written."""
    await written(ledger, database, 4)
    taken = await reader.take(DOSSIER, 4)
    async with database.begin() as connection:
        await connection.execute(delete(journal_leaf).where(journal_leaf.c.position == 1))
    with pytest.raises(ProofError):
        await all_of(taken)
