"""What is read back, page by page, and proved; and what is noticed on the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from models.database import Database
from models.facts import Reference
from models.tables import journal_entry, journal_head, journal_node
from tests.vault.journal.entries import AT, DOSSIER, HOSPITAL, NURSE, OTHER_DOSSIER, PHYSICIAN, an_entry
from vault.errors import JournalEntryError, ProofError
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.entry import Line
from vault.journal.ledger import Ledger
from vault.journal.proof import Proof, verify_inclusion
from vault.journal.reading import Reader, by_professional
from vault.journal.tree import EMPTY_ROOT, Frontier, leaf_hash

EVERYONE = [PHYSICIAN, NURSE, HOSPITAL]


async def written(ledger: Ledger, database: Database, size: int) -> None:
    """Entries of three subjects in turn, a minute apart."""
    entries = [
        an_entry(subject=EVERYONE[number % 3], at=AT + timedelta(minutes=number), request_id=f"r-{number}")
        for number in range(size)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)


def told(lines: list[Line]) -> list[int]:
    return [line.sequence for line in lines]


async def test_newest_first_page_by_page(ledger: Ledger, database: Database, reader: Reader) -> None:
    """A page goes on where the one before it ended, and misses nothing when entries are added meanwhile."""
    await written(ledger, database, 5)
    assert told(await reader.read(DOSSIER, limit=2)) == [5, 4]
    await ledger.record(an_entry())
    assert told(await reader.read(DOSSIER, after=4, limit=2)) == [3, 2]
    assert told(await reader.read(DOSSIER, after=2, limit=2)) == [1]
    assert told(await reader.read(DOSSIER, after=1, limit=2)) == []


@pytest.mark.parametrize("subject,expected", [(PHYSICIAN, [7, 4, 1]), (NURSE, [5, 2]), (HOSPITAL, [6, 3])])
async def test_own_entries_only(
    subject: Reference, expected: list[int], ledger: Ledger, database: Database, reader: Reader
) -> None:
    """A professional or an organization that may see its own trace sees that, and pages through it."""
    await written(ledger, database, 7)
    first = await reader.read(DOSSIER, limit=2, subject=subject)
    rest = await reader.read(DOSSIER, limit=2, subject=subject, after=first[-1].sequence)
    assert told(first + rest) == expected


async def test_a_dossier_shows_its_own_entries(ledger: Ledger, reader: Reader) -> None:
    """Another dossier's entries are not there."""
    await ledger.record(an_entry())
    assert await reader.read(OTHER_DOSSIER, limit=10) == []
    assert await reader.line(OTHER_DOSSIER, 1) is None
    assert await reader.proof(OTHER_DOSSIER, 1) is None


@pytest.mark.parametrize("sequence", [-1, 0, 2, 2**63 - 1, 2**63, 10**30])
async def test_a_line_that_cannot_be(sequence: int, ledger: Ledger, reader: Reader) -> None:
    """Whatever number is asked for, a line that is not there is not there."""
    await ledger.record(an_entry())
    assert await reader.line(DOSSIER, sequence) is None
    assert await reader.proof(DOSSIER, sequence) is None


async def test_all_entries_of_a_professional(ledger: Ledger, database: Database) -> None:
    """The authorities get all entries of a professional between two instants, in order, whatever the dossier."""
    await written(ledger, database, 7)
    await ledger.record(an_entry(dossier=OTHER_DOSSIER, at=AT + timedelta(seconds=1)))
    found = by_professional(database, PHYSICIAN.id, AT, AT + timedelta(minutes=6))
    assert [line.entry.at - AT async for line in found] == [timedelta(seconds=s) for s in (0, 1, 180)]


async def test_all_entries_of_a_busy_professional(ledger: Ledger, database: Database) -> None:
    """Pages leave nothing out, even when a thousand entries have the same instant."""
    async with database.begin() as connection:
        await ledger.append(connection, [an_entry(request_id=str(number)) for number in range(1_000)])
    found = by_professional(database, PHYSICIAN.id, AT, AT + timedelta(seconds=1))
    assert [line.position async for line in found] == list(range(1_000))


async def test_the_checkpoint_of_nothing(reader: Reader, signer: Signer) -> None:
    """Before the first entry the log has size 0 and the root of the empty tree."""
    expected = Checkpoint("dmp.example/journal", 0, EMPTY_ROOT)
    assert signer.verifier.open(await reader.checkpoint()) == expected


async def test_the_checkpoint_covers_what_is_written(
    ledger: Ledger, database: Database, reader: Reader, signer: Signer
) -> None:
    """The root that is signed is that of the leaves of all lines so far."""
    await written(ledger, database, 5)
    leaves = [leaf_hash(line.encode()) for line in await reader.read(DOSSIER, limit=5)]
    expected = Checkpoint("dmp.example/journal", 5, Frontier().extend(leaves[::-1])[0].root())
    assert signer.verifier.open(await reader.checkpoint()) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 600])
async def test_every_line_is_proved(
    size: int, ledger: Ledger, database: Database, reader: Reader, signer: Signer
) -> None:
    """The proof of a line, carried as JSON, verifies with nothing but the public key, in trees of any shape."""
    await written(ledger, database, size)
    for sequence in {1, 2, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = await reader.proof(DOSSIER, sequence)
        assert proof is not None
        carried = Proof.parse(proof.encode())
        assert verify_inclusion(carried, signer.verifier) == await reader.line(DOSSIER, sequence)


async def test_a_proof_in_a_deep_tree(ledger: Ledger, database: Database, reader: Reader, signer: Signer) -> None:
    """Where tiles of tiles stand between the leaf and the root, the proof goes through them."""
    for _ in range(67):
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry()] * 1_000)
    for sequence in (1, 30_000, 65_536, 65_537, 67_000):
        proof = await reader.proof(DOSSIER, sequence)
        assert proof is not None
        assert verify_inclusion(proof, signer.verifier).sequence == sequence


async def tamper(database: Database, columns: dict[str, Any]) -> None:
    """Change the second line of the dossier behind the ledger's back."""
    async with database.begin() as connection:
        await connection.execute(update(journal_entry).where(journal_entry.c.sequence == 2).values(columns))


async def test_a_line_edited_in_the_database_is_not_shown(ledger: Ledger, database: Database, reader: Reader) -> None:
    """A line whose bytes are not those that were hashed raises; the others are still read."""
    await written(ledger, database, 3)
    await tamper(database, {"entry": Line(an_entry(), 1, 2, b"\x00" * 32).encode()})
    with pytest.raises(JournalEntryError, match="hashed"):
        await reader.line(DOSSIER, 2)
    with pytest.raises(JournalEntryError, match="hashed"):
        await reader.read(DOSSIER, limit=3)
    assert told(await reader.read(DOSSIER, after=2, limit=3)) == [1]


@pytest.mark.parametrize(
    "columns",
    [{"sequence": 9}, {"position": 9}, {"dossier": OTHER_DOSSIER}, {"at": AT}, {"subject": "person/x"}],
)
async def test_a_line_moved_in_the_database_is_not_shown(
    columns: dict[str, Any], ledger: Ledger, database: Database, reader: Reader
) -> None:
    """A line cannot be passed off as another's, as of another time or place."""
    await written(ledger, database, 3)
    await tamper(database, columns)
    with pytest.raises(JournalEntryError, match="where it was written"):
        await reader.line(columns.get("dossier", DOSSIER), columns.get("sequence", 2))


async def test_a_line_forged_in_the_database_is_not_proved(ledger: Ledger, database: Database, reader: Reader) -> None:
    """A line rewritten with its hash is shown, but no proof is given for it."""
    await written(ledger, database, 3)
    line = await reader.line(DOSSIER, 2)
    assert line is not None
    forged = replace(line, entry=replace(line.entry, rule="holder")).encode()
    await tamper(database, {"entry": forged, "leaf": leaf_hash(forged)})
    with pytest.raises(ProofError, match="does not stand"):
        await reader.proof(DOSSIER, 2)


async def test_what_the_database_lacks_is_not_proved(ledger: Ledger, database: Database, reader: Reader) -> None:
    """Without the hashes that lead to the root, or without a head, there is no proof."""
    await written(ledger, database, 300)
    async with database.begin() as connection:
        await connection.execute(delete(journal_node))
    with pytest.raises(ProofError, match="lacks"):
        await reader.proof(DOSSIER, 300)
    async with database.begin() as connection:
        await connection.execute(delete(journal_head))
    with pytest.raises(ProofError, match="lacks"):
        await reader.proof(DOSSIER, 1)


async def test_a_damaged_head_is_not_signed(ledger: Ledger, database: Database, reader: Reader) -> None:
    """No checkpoint is made of a head that makes no sense."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await connection.execute(update(journal_head).values(frontier=b"?"))
    with pytest.raises(ProofError, match="damaged"):
        await reader.checkpoint()
