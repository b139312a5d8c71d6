"""What is read back, page by page, and proved; and what is noticed on the way."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.facts import Reference
from models.tables import journal_chain, journal_entry, journal_head, journal_node, journal_waiting
from tests.vault.journal.entries import AT, DOSSIER, HOSPITAL, NURSE, OTHER_DOSSIER, PHYSICIAN, an_entry
from tests.vault.journal.forging import sealed_again
from vault.errors import JournalEntryError, NotIntegratedError, ProofError
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.entry import Line, place
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.proof import Proof, verify_inclusion
from vault.journal.reading import Reader, by_professional
from vault.journal.sequencer import integrate_all, step
from vault.journal.tree import EMPTY_ROOT, Frontier, leaf_hash

EVERYONE = [PHYSICIAN, NURSE, HOSPITAL]


async def written(ledger: Ledger, database: Database, size: int) -> None:
    """Entries of three subjects in turn, a minute apart, in the tree."""
    entries = [
        an_entry(subject=EVERYONE[number % 3], at=AT + timedelta(minutes=number), request_id=f"r-{number}")
        for number in range(size)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    await integrate_all(database)


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


async def test_all_entries_of_a_professional(ledger: Ledger, database: Database, journal_keys: JournalKeys) -> None:
    """The authorities get all entries of a professional between two instants, in order, whatever the dossier."""
    await written(ledger, database, 7)
    await ledger.record(an_entry(dossier=OTHER_DOSSIER, at=AT + timedelta(seconds=1)))
    found = by_professional(database, journal_keys, PHYSICIAN.id, AT, AT + timedelta(minutes=6))
    instants = [line.entry.at async for line in found if line.entry is not None]
    assert instants == [AT + timedelta(seconds=seconds) for seconds in (0, 1, 180)]


async def test_all_entries_of_a_busy_professional(
    ledger: Ledger, database: Database, journal_keys: JournalKeys
) -> None:
    """Pages leave nothing out, even when a thousand entries of two dossiers have the same instant."""
    entries = [an_entry(dossier=(DOSSIER, OTHER_DOSSIER)[number % 2]) for number in range(1_000)]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    found = by_professional(database, journal_keys, PHYSICIAN.id, AT, AT + timedelta(seconds=1))
    expected = [(dossier, number) for dossier in (DOSSIER, OTHER_DOSSIER) for number in range(1, 501)]
    assert [(line.dossier, line.sequence) async for line in found] == expected


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
        assert verify_inclusion(carried, [signer.verifier]) == await reader.line(DOSSIER, sequence)


@pytest.mark.no_cover
async def test_a_proof_in_a_deep_tree(ledger: Ledger, database: Database, reader: Reader, signer: Signer) -> None:
    """Where tiles of tiles stand between the leaf and the root, the proof goes through them."""
    for _ in range(67):
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry()] * 1_000)
    await integrate_all(database)
    for sequence in (1, 30_000, 65_536, 65_537, 67_000):
        proof = await reader.proof(DOSSIER, sequence)
        assert proof is not None
        assert verify_inclusion(proof, [signer.verifier]).sequence == sequence


async def test_a_line_that_waits_is_proved(ledger: Ledger, database: Database, reader: Reader, signer: Signer) -> None:
    """Whoever asks for the proof of what was just written gets it: it is put into the tree first."""
    await written(ledger, database, 3)
    await ledger.record(an_entry())
    proof = await reader.proof(DOSSIER, 4)
    assert proof is not None
    assert (verify_inclusion(proof, [signer.verifier]).sequence, proof.position, proof.size) == (4, 3, 4)


async def test_a_proof_waits_for_another_instance(ledger: Ledger, reader: Reader, monkeypatch: Any) -> None:
    """Where another instance is integrating, the proof is given as soon as it has."""
    await ledger.record(an_entry())
    others = [0, 0]

    async def busy(database: Database) -> int:
        return others.pop() if others else await step(database)

    monkeypatch.setattr("vault.journal.reading.step", busy)
    assert await reader.proof(DOSSIER, 1) is not None


async def test_a_proof_does_not_wait_for_ever(
    ledger: Ledger, database: Database, journal_keys: JournalKeys, signer: Signer, monkeypatch: Any
) -> None:
    """Whoever asks while nobody comes to integrate is told to come back."""
    await ledger.record(an_entry())

    async def busy(_database: Database) -> int:
        return 0

    monkeypatch.setattr("vault.journal.reading.step", busy)
    with pytest.raises(NotIntegratedError):
        await Reader(database, journal_keys, signer, patience=0.01).proof(DOSSIER, 1)


async def test_a_line_that_neither_stands_nor_waits_is_not_proved(
    ledger: Ledger, database: Database, reader: Reader
) -> None:
    """Nobody waits for what will never be in the tree."""
    await ledger.record(an_entry())
    async with database.begin() as connection:
        await connection.execute(delete(journal_waiting))
    with pytest.raises(ProofError, match="nor does it wait"):
        await reader.proof(DOSSIER, 1)


async def tamper(database: Database, columns: dict[str, Any]) -> None:
    """Change the second line of the dossier behind the ledger's back: another row takes its place."""
    second = journal_entry.c.dossier == DOSSIER, journal_entry.c.sequence == 2
    async with database.begin() as connection:
        row = (await connection.execute(select(journal_entry).where(*second))).one()._asdict()
        await connection.execute(delete(journal_entry).where(*second))
        await connection.execute(insert(journal_entry).values(row | columns))


@pytest.mark.parametrize(
    "columns,what",
    [
        ({"previous": b"\x00" * 32}, "hashed"),
        ({"commitment": b"\x00" * 32}, "hashed"),
        ({"leaf": b"\x00" * 32}, "hashed"),
        ({"sealed": b"\x00" * 99}, "open"),
        ({"sealed": b""}, "open"),
        ({"sequence": 9}, "hashed"),
        ({"dossier": OTHER_DOSSIER}, "hashed"),
        ({"at": AT}, "where it was written"),
        ({"subject": b"\x00" * 16}, "where it was written"),
        ({"subject": None}, "where it was written"),
        ({"sealed": None}, "where it was written"),
    ],
)
async def test_a_line_edited_in_the_database_is_not_shown(
    columns: dict[str, Any], what: str, ledger: Ledger, database: Database, reader: Reader
) -> None:
    """Whatever column is changed, the line raises; the others are still read."""
    await written(ledger, database, 3)
    await tamper(database, columns)
    with pytest.raises(JournalEntryError, match=what):
        await reader.line(columns.get("dossier", DOSSIER), columns.get("sequence", 2))
    assert told(await reader.read(DOSSIER, after=2, limit=3)) == [1]


async def test_an_entry_of_another_place_does_not_open(ledger: Ledger, database: Database, reader: Reader) -> None:
    """What was sealed for one number of a dossier opens for no other, and for no other dossier."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        third = select(journal_entry.c.sealed, journal_entry.c.commitment).where(journal_entry.c.sequence == 3)
        sealed, commitment = (await connection.execute(third)).one()
    leaf = leaf_hash(place(DOSSIER, 2, b"", commitment))
    await tamper(database, {"sealed": sealed, "commitment": commitment, "previous": b"", "leaf": leaf})
    with pytest.raises(JournalEntryError, match="open"):
        await reader.line(DOSSIER, 2)


@pytest.mark.parametrize(
    "key,what",
    [({"wrapped": None}, "key is gone"), ({"wrapped": b""}, "open"), ({"key_id": "journal/5d6/2"}, "open")],
)
async def test_lines_without_their_key_are_not_shown(
    key: dict[str, Any], what: str, ledger: Ledger, database: Database, journal_keys: JournalKeys, signer: Signer
) -> None:
    """Neither where it was taken away nor where it was replaced."""
    await written(ledger, database, 3)
    async with database.begin() as connection:
        await connection.execute(update(journal_chain).values(key))
    with pytest.raises(JournalEntryError, match=what):
        await Reader(database, journal_keys, signer).read(DOSSIER, limit=3)


async def test_a_line_forged_in_the_database_is_not_proved(
    ledger: Ledger, database: Database, reader: Reader, journal_keys: JournalKeys
) -> None:
    """A line rewritten with its hash, by somebody who has the keys too, is shown, but no proof is given for it."""
    await written(ledger, database, 3)
    line = await reader.line(DOSSIER, 2)
    assert line is not None
    assert line.entry is not None
    forged = Line.of(replace(line.entry, rule="holder"), 2, line.previous, line.salt)
    async with database.begin() as connection:
        columns = await sealed_again(connection, journal_keys, forged)
    await tamper(database, columns)
    assert await reader.line(DOSSIER, 2) == forged
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
