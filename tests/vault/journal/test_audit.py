"""Whoever edits the database is found out, and the first entry that is not as it was written is named."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import (
    journal_chain,
    journal_checkpoint,
    journal_entry,
    journal_head,
    journal_leaf,
    journal_node,
    journal_waiting,
)
from tests.vault.journal.entries import AT, DOSSIER, OTHER_DOSSIER, an_entry
from tests.vault.journal.forging import sealed_again
from tests.vault.journal.shards import fixed_keys
from vault.journal.audit import Break, Verdict, verify_log
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.entry import Line
from vault.journal.erasing import erase_journal
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all
from vault.journal.tree import EMPTY_ROOT, Frontier

SIZE = 600
STRANGER = uuid5(DOSSIER, "x")


class Attacker:
    """Has the database, the keys and all the time in the world, but no key that signs, and no checkpoint.

    Entries are counted as they were written, from 0, of two dossiers in turn: entry 301 is the 151st of the second.
    """

    def __init__(self, database: Database, keys: JournalKeys, signer: Signer) -> None:
        self.database = database
        self._keys = keys
        self._reader = Reader(database, keys, signer)

    async def execute(self, *statements: Any) -> None:
        async with self.database.begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def row(self, table: Any, number: int) -> dict[str, Any]:
        async with self.database.connect() as connection:
            found = await connection.execute(select(table).where(*at(table, number)))
            return dict(found.one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def set(self, number: int, /, **columns: Any) -> None:
        await self.execute(update(journal_entry).where(*at(journal_entry, number)).values(columns))

    async def leaves(self, size: int) -> list[bytes]:
        column = select(journal_leaf.c.leaf).where(journal_leaf.c.position < size)
        async with self.database.connect() as connection:
            return list((await connection.scalars(column.order_by(journal_leaf.c.position))).all())

    async def line(self, number: int) -> Line:
        dossier, sequence = place_of(number)
        line = await self._reader.line(dossier, sequence)
        assert line is not None
        return line

    async def rewrite(self, number: int, **changes: Any) -> bytes:
        """Replace an entry by another that is whole in itself, in the tree too; its new leaf hash."""
        line = await self.line(number)
        assert line.entry is not None
        forged = Line.of(replace(line.entry, **changes), line.sequence, line.previous, line.salt)
        return await self.put(number, forged)

    async def put(self, number: int, line: Line) -> bytes:
        async with self.database.begin() as connection:
            columns = await sealed_again(connection, self._keys, line)
        await self.set(number, **columns)
        await self.execute(update(journal_leaf).where(*at(journal_leaf, number)).values(leaf=columns["leaf"]))
        return bytes(columns["leaf"])

    async def rehash(self, size: int = SIZE) -> None:
        """Make the tree anew over the leaves as they are now."""
        frontier, tiles = Frontier().extend(await self.leaves(size))
        nodes = [{"level": node.level, "position": node.position, "hash": root} for node, root in tiles.items()]
        head = update(journal_head).values(size=frontier.size, frontier=frontier.encode())
        await self.execute(delete(journal_node), insert(journal_node).values(nodes), head)


def place_of(number: int) -> tuple[UUID, int]:
    return (DOSSIER, OTHER_DOSSIER)[number % 2], number // 2 + 1


def at(table: Any, number: int) -> tuple[Any, Any]:
    dossier, sequence = place_of(number)
    return table.c.dossier == dossier, table.c.sequence == sequence


@pytest.fixture
async def attacker(ledger: Ledger, database: Database, journal_keys: JournalKeys, signer: Signer) -> Attacker:
    """The attacker of a journal of 600 entries, of two dossiers in turn."""
    entries = [
        an_entry(dossier=(DOSSIER, OTHER_DOSSIER)[number % 2], request_id=f"r-{number}") for number in range(SIZE)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    await integrate_all(database)
    return Attacker(database, journal_keys, signer)


async def verified(database: Database, signer: Signer, *checkpoints: Checkpoint, page: int = 1_024) -> Verdict:
    """By somebody who has just come: nothing is remembered of any key."""
    return await verify_log(database, fixed_keys(), [signer.verifier], checkpoints, page=page)


async def first_break(database: Database, signer: Signer) -> Break | None:
    """The same, whatever the size of the pages."""
    found = {(await verified(database, signer, page=page)).broken for page in (100, 1_024)}
    assert len(found) == 1
    return found.pop()


def told(number: int, what: str, position: int | None = None) -> Break:
    """A break at an entry."""
    where = number if position is None else position
    return Break(where, where, what, place_of(number))


async def test_an_empty_journal_verifies(database: Database, signer: Signer) -> None:
    """Nothing was written, nothing is broken."""
    verdict = await verified(database, signer, Checkpoint("any", 0, EMPTY_ROOT))
    assert verdict == Verdict(0, EMPTY_ROOT, None)


async def test_an_honest_journal_verifies(
    attacker: Attacker, database: Database, reader: Reader, ledger: Ledger, signer: Signer
) -> None:
    """Whatever was written through the ledger verifies, also against a checkpoint of before, and what waits too."""
    before = signer.verifier.open(await reader.checkpoint())
    for number in range(3):
        await ledger.record(an_entry(dossier=uuid5(DOSSIER, str(number % 2))))
    for page in (2, 256):
        verdict = await verified(database, signer, before, Checkpoint("any", 0, EMPTY_ROOT), page=page)
        assert (verdict.size, verdict.broken, verdict.waiting, verdict.erased) == (SIZE, None, 3, 0)
    await integrate_all(database)
    verdict = await verified(database, signer, before)
    assert (verdict.size, verdict.broken, verdict.waiting) == (SIZE + 3, None, 0)


async def test_an_erased_journal_verifies(
    attacker: Attacker, database: Database, reader: Reader, ledger: Ledger, signer: Signer
) -> None:
    """What was erased is counted, every hash of it still holds, and the dossier may go on under another key."""
    before = signer.verifier.open(await reader.checkpoint())
    async with database.begin() as connection:
        await erase_journal(connection, DOSSIER)
    await ledger.record(an_entry(request_id="later"))
    await integrate_all(database)
    verdict = await verified(database, signer, before)
    assert (verdict.size, verdict.broken, verdict.erased) == (SIZE + 1, None, SIZE // 2)


async def edited(attacker: Attacker) -> None:
    await attacker.set(301, commitment=b"\x00" * 32)


async def edited_with_its_hash(attacker: Attacker) -> None:
    await attacker.rewrite(301, rule="holder")


async def edited_with_its_hash_and_the_tree(attacker: Attacker) -> None:
    await attacker.rewrite(301, rule="holder")
    await attacker.rehash()


async def edited_with_its_hash_but_not_in_the_tree(attacker: Attacker) -> None:
    leaf = (await attacker.row(journal_leaf, 301))["leaf"]
    await attacker.rewrite(301, rule="holder")
    await attacker.execute(update(journal_leaf).where(*at(journal_leaf, 301)).values(leaf=leaf))


async def sealed_over(attacker: Attacker) -> None:
    await attacker.set(301, sealed=bytes(200))


async def sealed_otherwise(attacker: Attacker) -> None:
    """Another entry, sealed under the right key for the right place; the line is as it was."""
    names = ("commitment", "leaf")
    row = await attacker.row(journal_entry, 301)
    await attacker.rewrite(301, rule="holder")
    await attacker.set(301, **{name: row[name] for name in names})
    await attacker.execute(update(journal_leaf).where(*at(journal_leaf, 301)).values(leaf=row["leaf"]))


async def sealed_bytes_swapped(attacker: Attacker) -> None:
    one, other = [(await attacker.row(journal_entry, number))["sealed"] for number in (301, 303)]
    await attacker.set(301, sealed=other)
    await attacker.set(303, sealed=one)


async def swapped_between_dossiers(attacker: Attacker) -> None:
    """Two entries of the same number change dossiers, with all that they hold."""
    one, other = [await attacker.row(journal_entry, number) for number in (300, 301)]
    await attacker.execute(
        *(delete(journal_entry).where(*at(journal_entry, number)) for number in (300, 301)),
        insert(journal_entry).values(one | {"dossier": other["dossier"]}),
        insert(journal_entry).values(other | {"dossier": one["dossier"]}),
    )


async def dated_back(attacker: Attacker) -> None:
    await attacker.set(301, at=AT.replace(year=2020))


async def told_of_another(attacker: Attacker) -> None:
    await attacker.set(301, subject=b"\x00" * 16)


async def told_of_nobody(attacker: Attacker) -> None:
    await attacker.set(301, subject=None)


async def erased_alone(attacker: Attacker) -> None:
    await attacker.set(301, sealed=None, subject=None)


async def removed(attacker: Attacker) -> None:
    await attacker.execute(delete(journal_entry).where(*at(journal_entry, 301)))


async def removed_with_its_leaf(attacker: Attacker) -> None:
    await removed(attacker)
    await attacker.execute(delete(journal_leaf).where(*at(journal_leaf, 301)))


async def leaf_removed(attacker: Attacker) -> None:
    await attacker.execute(delete(journal_leaf).where(*at(journal_leaf, 301)))


async def leaf_edited(attacker: Attacker) -> None:
    await attacker.execute(update(journal_leaf).where(*at(journal_leaf, 301)).values(leaf=b"\x00" * 32))


LEAF = "its hash is not the one that the tree is made of"


@pytest.mark.parametrize(
    "attack,expected",
    [
        (edited, told(301, "its line is not the one that was hashed")),
        (edited_with_its_hash, told(301, "is not what entry 303 of its dossier is chained to")),
        (edited_with_its_hash_and_the_tree, told(301, "is not what entry 303 of its dossier is chained to")),
        (edited_with_its_hash_but_not_in_the_tree, told(301, LEAF)),
        (sealed_over, told(301, "it does not open")),
        (sealed_bytes_swapped, told(301, "it does not open")),
        (sealed_otherwise, told(301, "the entry is not the one that was committed to")),
        (swapped_between_dossiers, told(300, LEAF)),
        (dated_back, told(301, "it does not stand where it was written")),
        (told_of_another, told(301, "it does not stand where it was written")),
        (told_of_nobody, told(301, "it does not stand where it was written")),
        (erased_alone, told(301, "was erased, and not what stands before it")),
        (removed, told(301, "it is missing")),
        (removed_with_its_leaf, Break(301, 301, "the tree has no leaf there")),
        (leaf_removed, Break(301, 301, "the tree has no leaf there")),
        (leaf_edited, told(301, LEAF)),
    ],
)
async def test_the_first_broken_entry_is_named(
    attack: Callable[[Attacker], Awaitable[None]],
    expected: Break,
    attacker: Attacker,
    database: Database,
    signer: Signer,
) -> None:
    """Edited, removed, sealed otherwise or swapped: the entry is named, with what is wrong with it."""
    await attack(attacker)
    assert await first_break(database, signer) == expected


async def test_of_several_breaks_the_first_is_named(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Whatever else was done, the first entry that is not as it was written is named."""
    await edited(attacker)
    await attacker.set(44, at=AT.replace(year=2020))
    await attacker.execute(delete(journal_entry).where(*at(journal_entry, 500)))
    assert await first_break(database, signer) == told(44, "it does not stand where it was written")


async def test_an_entry_removed_and_the_tree_closed_up(attacker: Attacker, database: Database, signer: Signer) -> None:
    """The gap in the dossier's numbers tells, at the entry behind it."""
    await removed_with_its_leaf(attacker)
    later = update(journal_leaf).where(journal_leaf.c.position > 301)
    await attacker.execute(later.values(position=journal_leaf.c.position + 10_000))
    behind = update(journal_leaf).where(journal_leaf.c.position > 10_000)
    await attacker.execute(behind.values(position=journal_leaf.c.position - 10_001))
    await attacker.rehash(SIZE - 1)
    expected = told(303, "the entry before it in its dossier is missing", 302)
    assert await first_break(database, signer) == expected


async def test_an_entry_inserted(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Written behind the last of its dossier, it is tied to no chain, nor to the tree, nor waits for it."""
    last = await attacker.row(journal_entry, SIZE - 1)
    await attacker.execute(insert(journal_entry).values(last | {"sequence": 301}))
    expected = told(SIZE + 1, "stands after the last entry of its dossier", SIZE)
    assert await first_break(database, signer) == expected
    await attacker.execute(update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER).values(sequence=301))
    expected = told(SIZE + 1, "is neither in the tree nor waits for it", SIZE)
    assert await first_break(database, signer) == expected


async def test_an_entry_inserted_and_made_to_wait(attacker: Attacker, database: Database, signer: Signer) -> None:
    """It is held to its line before it comes into the tree."""
    last = await attacker.row(journal_entry, SIZE - 1)
    chained = update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER)
    waiting = {"dossier": OTHER_DOSSIER, "sequence": 301, "leaf": last["leaf"]}
    await attacker.execute(
        insert(journal_entry).values(last | {"sequence": 301}),
        insert(journal_waiting).values(waiting),
        chained.values(sequence=301),
    )
    expected = told(SIZE + 1, "its line is not the one that was hashed", SIZE)
    assert await first_break(database, signer) == expected


async def test_an_entry_that_waits_is_taken_away(
    attacker: Attacker, database: Database, ledger: Ledger, signer: Signer
) -> None:
    """From the queue, from the journal, or with the end of its chain: it is found missing."""
    await ledger.record(an_entry())
    waiting = await attacker.row(journal_waiting, SIZE)
    await attacker.execute(delete(journal_waiting))
    assert await first_break(database, signer) == told(SIZE, "is neither in the tree nor waits for it", SIZE)
    await attacker.execute(
        insert(journal_waiting).values(waiting), delete(journal_entry).where(*at(journal_entry, SIZE))
    )
    assert await first_break(database, signer) == told(SIZE, "it is missing", SIZE)
    await attacker.execute(delete(journal_waiting))
    expected = told(SIZE, "is not the one that the last entry of its dossier was", SIZE)
    assert await first_break(database, signer) == expected


async def test_an_entry_that_waits_and_stands(attacker: Attacker, database: Database, signer: Signer) -> None:
    """One that is made to wait again would come into the tree twice."""
    leaf = await attacker.row(journal_leaf, 301)
    await attacker.execute(
        insert(journal_waiting).values({name: leaf[name] for name in ("dossier", "sequence", "leaf")})
    )
    assert await first_break(database, signer) == told(301, "is in the tree and waits for it")


async def test_leaves_of_a_dossier_reordered(attacker: Attacker, database: Database, signer: Signer) -> None:
    """An entry stands behind the one that it is chained to, also in a tree that was made anew."""
    for number, position in ((301, 10_000), (303, 301), (301, 303)):
        moved = update(journal_leaf).where(*at(journal_leaf, number))
        await attacker.execute(moved.values(position=position))
    await attacker.rehash()
    expected = told(303, "does not stand behind the entry before it in its dossier", 301)
    assert await first_break(database, signer) == expected


async def test_leaves_of_two_dossiers_reordered(
    attacker: Attacker, database: Database, reader: Reader, signer: Signer
) -> None:
    """The tree tells between which entries, and where it was made anew a checkpoint does."""
    signed = signer.verifier.open(await reader.checkpoint())
    for number, position in ((301, 10_000), (302, 301), (301, 302)):
        moved = update(journal_leaf).where(*at(journal_leaf, number))
        await attacker.execute(moved.values(position=position))
    assert await first_break(database, signer) == Break(256, 511, "not what their tile was made of")
    await attacker.rehash()
    broken = (await verified(database, signer, signed)).broken
    assert broken == Break(0, 599, "not what a checkpoint was signed over")


async def test_an_entry_behind_one_that_waits(attacker: Attacker, database: Database, signer: Signer) -> None:
    """An entry does not come into the tree before the one that it is chained to."""
    row = await attacker.row(journal_leaf, SIZE - 3)
    await attacker.execute(
        delete(journal_leaf).where(*at(journal_leaf, SIZE - 3)),
        insert(journal_waiting).values({name: row[name] for name in ("dossier", "sequence", "leaf")}),
        update(journal_leaf).where(*at(journal_leaf, SIZE - 2)).values(position=SIZE - 3),
        update(journal_leaf).where(*at(journal_leaf, SIZE - 1)).values(position=SIZE - 2),
    )
    await attacker.rehash(SIZE - 1)
    expected = told(SIZE - 1, "does not stand behind the entry before it in its dossier", SIZE - 2)
    assert await first_break(database, signer) == expected


async def test_the_last_entry_of_a_dossier_edited(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Where no later entry is chained to it, the head of the dossier's chain tells."""
    await attacker.rewrite(SIZE - 1, rule="holder")
    expected = told(SIZE - 1, "is not the one that the last entry of its dossier was")
    assert await first_break(database, signer) == expected


async def rewritten_with_its_chain(attacker: Attacker) -> None:
    leaf = await attacker.rewrite(SIZE - 1, rule="holder")
    await attacker.execute(update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER).values(leaf=leaf))


async def test_the_last_entry_of_a_dossier_edited_with_its_chain(
    attacker: Attacker, database: Database, signer: Signer
) -> None:
    """Where the chain was edited too, the tree tells among which entries."""
    await rewritten_with_its_chain(attacker)
    assert await first_break(database, signer) == Break(592, 599, "not what the head of the tree was made of")


async def test_everything_edited_is_seen_against_a_checkpoint(
    attacker: Attacker, database: Database, reader: Reader, signer: Signer
) -> None:
    """Whoever rewrites every table is found out by a checkpoint that he could not rewrite."""
    signed = signer.verifier.open(await reader.checkpoint())
    await rewritten_with_its_chain(attacker)
    await attacker.rehash()
    assert await first_break(database, signer) is None
    known = Checkpoint("any", 0, EMPTY_ROOT)
    broken = (await verified(database, signer, signed, known, page=256)).broken
    assert broken == Break(0, 599, "not what a checkpoint was signed over")


async def keep(database: Database, note: str, size: int) -> None:
    """As a checkpoint of the database."""
    async with database.begin() as connection:
        await connection.execute(insert(journal_checkpoint).values(size=size, note=note, at=AT))


async def test_checkpoints_of_the_database_are_held(
    attacker: Attacker, database: Database, reader: Reader, ledger: Ledger, signer: Signer
) -> None:
    """Each that was ever signed; of two that do not agree, the first that the journal does not continue."""
    for number in range(3):
        await keep(database, await reader.checkpoint(), SIZE + number)
        await ledger.record(an_entry(dossier=uuid5(DOSSIER, str(number))))
        await integrate_all(database)
    assert await first_break(database, signer) is None
    forged = signer.sign(SIZE + 1, b"\x00" * 32)
    replaced = update(journal_checkpoint).where(journal_checkpoint.c.size == SIZE + 1)
    await attacker.execute(replaced.values(note=forged))
    assert await first_break(database, signer) == Break(SIZE, SIZE, "not what a checkpoint was signed over")


@pytest.mark.parametrize("what", ["another's", "another size", "no note"])
async def test_a_checkpoint_of_the_database_replaced(
    what: str, attacker: Attacker, database: Database, signer: Signer
) -> None:
    """One that this log's key did not sign, or signed over another size, is named by the entry that it came after."""
    root = Frontier().extend(await attacker.leaves(500))[0].root()
    stranger = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    notes = {"another's": stranger.sign(500, root), "another size": signer.sign(499, root), "no note": ""}
    await keep(database, signer.sign(400, Frontier().extend(await attacker.leaves(400))[0].root()), 400)
    await keep(database, notes[what], 500)
    broken = await first_break(database, signer)
    assert broken is not None
    assert (broken.position, broken.what.partition(":")[0]) == (499, "the checkpoint that was signed after it")


async def test_a_fork_is_seen(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Two checkpoints over the same size, each signed by the log, cannot both be of this journal."""
    root = Frontier().extend(await attacker.leaves(500))[0].root()
    await keep(database, signer.sign(500, root), 500)
    shown = Checkpoint("any", 500, b"\x00" * 32)
    assert (await verified(database, signer, Checkpoint("any", 500, root))).broken is None
    broken = (await verified(database, signer, shown)).broken
    assert broken is not None
    assert broken.what == "not what a checkpoint was signed over"


async def test_a_journal_cut_short_is_seen_against_a_checkpoint(
    attacker: Attacker, database: Database, reader: Reader, signer: Signer
) -> None:
    """Taking back the last entries, head and chains included, is found out by a checkpoint, kept here or elsewhere."""
    note = await reader.checkpoint()
    leaves = await attacker.leaves(SIZE - 2)
    shorter = Frontier().extend(leaves)[0]
    await attacker.execute(
        delete(journal_entry).where(journal_entry.c.sequence == 300),
        delete(journal_leaf).where(journal_leaf.c.sequence == 300),
        update(journal_head).values(size=shorter.size, frontier=shorter.encode()),
    )
    for dossier, leaf in ((DOSSIER, leaves[-2]), (OTHER_DOSSIER, leaves[-1])):
        chain = update(journal_chain).where(journal_chain.c.dossier == dossier)
        await attacker.execute(chain.values(sequence=299, leaf=leaf))
    assert await first_break(database, signer) is None
    expected = Break(598, 598, "is missing, since a checkpoint was signed over it")
    assert (await verified(database, signer, signer.verifier.open(note))).broken == expected
    await keep(database, note, SIZE)
    assert await first_break(database, signer) == expected


async def test_a_chain_rolled_back(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A dossier whose chain was set back, to write another entry in the place of its last, has one that is too many."""
    previous = await attacker.row(journal_leaf, SIZE - 3)
    chain = update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER)
    await attacker.execute(chain.values(sequence=299, leaf=previous["leaf"]))
    assert await first_break(database, signer) == told(SIZE - 1, "stands after the last entry of its dossier")


async def test_a_chain_removed(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Without its chain a dossier has no key, and entries that are tied to nothing."""
    await attacker.execute(delete(journal_chain).where(journal_chain.c.dossier == DOSSIER))
    assert await first_break(database, signer) == told(0, "its key is gone")


async def test_a_tile_edited(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A hash that proofs would be made from is held to the leaves under it."""
    await attacker.execute(update(journal_node).where(journal_node.c.position == 1).values(hash=b"\x00" * 32))
    assert await first_break(database, signer) == Break(256, 511, "not what their tile was made of")


async def test_a_tile_removed(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A missing one too."""
    await attacker.execute(delete(journal_node).where(journal_node.c.position == 0))
    assert await first_break(database, signer) == Break(0, 255, "not what their tile was made of")


async def test_a_leaf_behind_the_head(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A leaf that the tree was never told of is found, wherever it stands."""
    moved = update(journal_leaf).where(*at(journal_leaf, SIZE - 1))
    await attacker.execute(moved.values(position=SIZE + 7))
    await attacker.rehash(SIZE - 1)
    assert await first_break(database, signer) == told(SIZE - 1, "the tree does not hold it", SIZE + 7)
    await attacker.execute(moved.values(position=-1))
    assert await first_break(database, signer) == told(SIZE - 1, "the tree does not hold it", -1)


async def test_entries_without_a_head(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Without its head the journal is not empty: its leaves are in no tree."""
    await attacker.execute(delete(journal_head))
    assert await first_break(database, signer) == told(0, "the tree does not hold it")


async def test_a_damaged_head(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A head that makes no sense is said to be damaged, and no more."""
    await attacker.execute(update(journal_head).values(frontier=b"?"))
    assert await first_break(database, signer) == Break(0, 0, "the head of the journal is damaged")


async def test_a_first_entry_chained_to_another(attacker: Attacker, database: Database, signer: Signer) -> None:
    """An entry that is chained to nothing that stands before it is itself the broken one."""
    line = await attacker.line(1)
    assert line.entry is not None
    await attacker.put(1, Line.of(line.entry, 1, b"\x00" * 32, line.salt))
    broken = await first_break(database, signer)
    assert broken == Break(1, 1, "is not what entry 1 of its dossier is chained to", (OTHER_DOSSIER, 0))


async def test_an_entry_before_the_first(attacker: Attacker, database: Database, signer: Signer) -> None:
    """Numbers begin with 1: one that stands before is chained to nothing."""
    await attacker.execute(
        update(journal_entry).where(*at(journal_entry, 0)).values(sequence=0),
        update(journal_leaf).where(*at(journal_leaf, 0)).values(sequence=0),
    )
    expected = Break(0, 0, "its line is not the one that was hashed", (DOSSIER, 0))
    assert await first_break(database, signer) == expected


async def test_a_chain_that_ends_nowhere(attacker: Attacker, database: Database, signer: Signer) -> None:
    """A dossier whose last entry never was, is told at the end of the journal."""
    forged = {"dossier": STRANGER, "sequence": 1, "leaf": b"\x00" * 32}
    await attacker.execute(insert(journal_chain).values(forged))
    what = "is not the one that the last entry of its dossier was"
    assert await first_break(database, signer) == Break(SIZE, SIZE, what, (STRANGER, 1))


@pytest.mark.parametrize(
    "broken,expected",
    [
        (Break(3, 3, "is missing"), "entry 3: is missing"),
        (Break(3, 3, "is missing", (DOSSIER, 2)), f"entry 3 (number 2 of dossier {DOSSIER}): is missing"),
        (Break(0, 255, "not what their tile was made of"), "entries 0 to 255: not what their tile was made of"),
    ],
)
def test_a_break_in_words(broken: Break, expected: str) -> None:
    """What an operator reads names the entry, or among which entries to look."""
    assert str(broken) == expected
