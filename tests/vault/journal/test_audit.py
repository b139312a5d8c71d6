"""Whoever edits the database is found out, and the first entry that is not as it was written is named."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid5

import pytest
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import journal_chain, journal_entry, journal_head, journal_node
from tests.vault.journal.entries import AT, DOSSIER, OTHER_DOSSIER, an_entry
from vault.journal.audit import Break, verify_log
from vault.journal.checkpoint import Checkpoint
from vault.journal.entry import Line
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader
from vault.journal.tree import EMPTY_ROOT, Frontier, leaf_hash

SIZE = 600


class Attacker:
    """Has the database and all the time in the world, but no key and no checkpoint."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def execute(self, *statements: Any) -> None:
        async with self._database.begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def row(self, position: int) -> dict[str, Any]:
        async with self._database.connect() as connection:
            found = await connection.execute(select(journal_entry).where(journal_entry.c.position == position))
            return dict(found.one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def set(self, at_: int, /, **columns: Any) -> None:
        await self.execute(update(journal_entry).where(journal_entry.c.position == at_).values(columns))

    async def leaves(self, size: int) -> list[bytes]:
        column = select(journal_entry.c.leaf).where(journal_entry.c.position < size)
        async with self._database.connect() as connection:
            return list((await connection.scalars(column.order_by(journal_entry.c.position))).all())

    async def rewrite(self, position: int, **changes: Any) -> bytes:
        """Replace an entry by another that is whole in itself; its new leaf hash."""
        line = Line.parse((await self.row(position))["entry"])
        forged = replace(line, entry=replace(line.entry, **changes)).encode()
        await self.set(position, entry=forged, leaf=leaf_hash(forged))
        return leaf_hash(forged)


@pytest.fixture
async def attacker(ledger: Ledger, database: Database) -> Attacker:
    """The attacker of a journal of 600 entries, of two dossiers in turn."""
    entries = [
        an_entry(dossier=(DOSSIER, OTHER_DOSSIER)[number % 2], request_id=f"r-{number}") for number in range(SIZE)
    ]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    return Attacker(database)


async def first_break(database: Database) -> Break | None:
    """The same, whatever the size of the pages."""
    found = {(await verify_log(database, page=page)).broken for page in (100, 1_024)}
    assert len(found) == 1
    return found.pop()


async def test_an_empty_journal_verifies(database: Database) -> None:
    """Nothing was written, nothing is broken."""
    verdict = await verify_log(database, [Checkpoint("any", 0, EMPTY_ROOT)])
    assert (verdict.size, verdict.root, verdict.broken) == (0, EMPTY_ROOT, None)


async def test_an_honest_journal_verifies(
    attacker: Attacker, database: Database, reader: Reader, ledger: Ledger
) -> None:
    """Whatever was written through the ledger verifies, also against a checkpoint of before."""
    before = reader.signer.verifier.open(await reader.checkpoint())
    await ledger.record(an_entry())
    verdict = await verify_log(database, [before, Checkpoint("any", 0, EMPTY_ROOT)], page=256)
    assert (verdict.size, verdict.broken) == (SIZE + 1, None)


async def edited(attacker: Attacker) -> None:
    line = Line.parse((await attacker.row(301))["entry"])
    await attacker.set(301, entry=replace(line, entry=replace(line.entry, rule="holder")).encode())


async def edited_with_its_hash(attacker: Attacker) -> None:
    await attacker.rewrite(301, rule="holder")


async def edited_with_its_hash_and_the_tree(attacker: Attacker) -> None:
    await attacker.rewrite(301, rule="holder")
    await rehash(attacker)


async def rehash(attacker: Attacker, size: int = SIZE) -> None:
    """Make the tree anew over the leaves as they are now."""
    frontier, tiles = Frontier().extend(await attacker.leaves(size))
    nodes = [{"level": node.level, "position": node.position, "hash": root} for node, root in tiles.items()]
    head = update(journal_head).values(size=frontier.size, frontier=frontier.encode())
    await attacker.execute(delete(journal_node), insert(journal_node).values(nodes), head)


async def edited_into_nonsense(attacker: Attacker) -> None:
    await attacker.set(301, entry=b"?", leaf=leaf_hash(b"?"))


async def moved_to_another_dossier(attacker: Attacker) -> None:
    await attacker.set(301, dossier=uuid5(DOSSIER, "x"))


async def dated_back(attacker: Attacker) -> None:
    await attacker.set(301, at=AT.replace(year=2020))


async def removed(attacker: Attacker) -> None:
    await attacker.execute(delete(journal_entry).where(journal_entry.c.position == 301))


async def removed_and_closed_up(attacker: Attacker) -> None:
    await removed(attacker)
    later = update(journal_entry).where(journal_entry.c.position > 301)
    await attacker.execute(later.values(position=journal_entry.c.position - 1))
    await rehash(attacker, SIZE - 1)


async def inserted(attacker: Attacker) -> None:
    line = Line.parse((await attacker.row(301))["entry"])
    forged = replace(line, sequence=SIZE).encode()
    row = await attacker.row(301) | {"sequence": SIZE, "entry": forged, "leaf": leaf_hash(forged)}
    await attacker.execute(insert(journal_entry).values(row))


async def reordered(attacker: Attacker) -> None:
    await attacker.set(301, position=SIZE)
    await attacker.set(302, position=301)
    await attacker.set(SIZE, position=302)


@pytest.mark.parametrize(
    "attack,what",
    [
        (edited, "its bytes are not those that were hashed"),
        (edited_with_its_hash, "is not what entry 303 of its dossier is chained to"),
        (edited_with_its_hash_and_the_tree, "is not what entry 303 of its dossier is chained to"),
        (edited_into_nonsense, "not an entry of the journal"),
        (moved_to_another_dossier, "it does not stand where it was written"),
        (dated_back, "it does not stand where it was written"),
        (removed, "is missing"),
        (removed_and_closed_up, "it does not stand where it was written"),
        (inserted, "a second entry stands there"),
        (reordered, "it does not stand where it was written"),
    ],
)
async def test_the_first_broken_entry_is_named(
    attack: Callable[[Attacker], Awaitable[None]], what: str, attacker: Attacker, database: Database
) -> None:
    """Edited, removed, inserted or reordered: entry 301 is named, with what is wrong with it."""
    await attack(attacker)
    assert await first_break(database) == Break(301, 301, what)


async def test_of_several_breaks_the_first_is_named(attacker: Attacker, database: Database) -> None:
    """Whatever else was done, the first entry that is not as it was written is named."""
    await edited(attacker)
    await attacker.set(44, at=AT.replace(year=2020))
    await attacker.execute(delete(journal_entry).where(journal_entry.c.position == 500))
    assert await first_break(database) == Break(44, 44, "it does not stand where it was written")


async def test_the_last_entry_of_a_dossier_edited(attacker: Attacker, database: Database) -> None:
    """Where no later entry is chained to it, the head of the dossier's chain tells."""
    await attacker.rewrite(SIZE - 1, rule="holder")
    expected = Break(SIZE - 1, SIZE - 1, "is not the one that the last entry of its dossier was")
    assert await first_break(database) == expected


async def test_the_last_entry_of_a_dossier_edited_with_its_chain(attacker: Attacker, database: Database) -> None:
    """Where the chain was edited too, the tree tells among which entries."""
    leaf = await attacker.rewrite(SIZE - 1, rule="holder")
    await attacker.execute(update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER).values(leaf=leaf))
    assert await first_break(database) == Break(592, 599, "not what the head of the tree was made of")


async def test_everything_edited_is_seen_against_a_checkpoint(
    attacker: Attacker, database: Database, reader: Reader
) -> None:
    """Whoever rewrites every table is found out by a checkpoint that he could not rewrite."""
    signed = reader.signer.verifier.open(await reader.checkpoint())
    leaf = await attacker.rewrite(SIZE - 1, rule="holder")
    await attacker.execute(update(journal_chain).where(journal_chain.c.dossier == OTHER_DOSSIER).values(leaf=leaf))
    await rehash(attacker)
    assert await first_break(database) is None
    known = Checkpoint("any", 0, EMPTY_ROOT)
    broken = (await verify_log(database, [signed, known], page=256)).broken
    assert broken == Break(0, 599, "not what a checkpoint was signed over")


async def test_a_journal_cut_short_is_seen_against_a_checkpoint(
    attacker: Attacker, database: Database, reader: Reader
) -> None:
    """Taking back the last entries, head and chain included, is found out by a checkpoint."""
    signed = reader.signer.verifier.open(await reader.checkpoint())
    leaves = await attacker.leaves(SIZE - 2)
    shorter = Frontier().extend(leaves)[0]
    await attacker.execute(
        delete(journal_entry).where(journal_entry.c.position >= SIZE - 2),
        update(journal_head).values(size=shorter.size, frontier=shorter.encode()),
    )
    for dossier, leaf in ((DOSSIER, leaves[-2]), (OTHER_DOSSIER, leaves[-1])):
        chain = update(journal_chain).where(journal_chain.c.dossier == dossier)
        await attacker.execute(chain.values(sequence=299, leaf=leaf))
    assert await first_break(database) is None
    broken = (await verify_log(database, [signed])).broken
    assert broken == Break(598, 598, "is missing, since a checkpoint was signed over it")


async def test_a_tile_edited(attacker: Attacker, database: Database) -> None:
    """A hash that proofs would be made from is held to the leaves under it."""
    await attacker.execute(update(journal_node).where(journal_node.c.position == 1).values(hash=b"\x00" * 32))
    assert await first_break(database) == Break(256, 511, "not what their tile was made of")


async def test_a_tile_removed(attacker: Attacker, database: Database) -> None:
    """A missing one too."""
    await attacker.execute(delete(journal_node).where(journal_node.c.position == 0))
    assert await first_break(database) == Break(0, 255, "not what their tile was made of")


async def test_an_entry_behind_the_head(attacker: Attacker, database: Database) -> None:
    """An entry that the tree was never told of is found, wherever it stands."""
    await attacker.set(SIZE - 1, position=SIZE + 7)
    await rehash(attacker, SIZE - 1)
    assert await first_break(database) == Break(SIZE + 7, SIZE + 7, "the tree does not hold it")
    row = await attacker.row(0)
    await attacker.execute(insert(journal_entry).values(row | {"sequence": SIZE, "position": -1}))
    assert await first_break(database) == Break(-1, -1, "the tree does not hold it")


async def test_entries_without_a_head(attacker: Attacker, database: Database) -> None:
    """Without its head the journal is not empty: its entries are in no tree."""
    await attacker.execute(delete(journal_head))
    assert await first_break(database) == Break(0, 0, "the tree does not hold it")


async def test_a_damaged_head(attacker: Attacker, database: Database) -> None:
    """A head that makes no sense is said to be damaged, and no more."""
    await attacker.execute(update(journal_head).values(frontier=b"?"))
    assert await first_break(database) == Break(0, 0, "the head of the journal is damaged")


async def test_the_first_entry_of_a_dossier_removed_for_good(attacker: Attacker, database: Database) -> None:
    """A dossier whose first entry is gone says so at its second, even where another fills the gap in the tree."""
    row = await attacker.row(0)
    await attacker.execute(
        delete(journal_entry).where(journal_entry.c.position == 0),
        insert(journal_entry).values(row | {"dossier": uuid5(DOSSIER, "x")}),
    )
    broken = (await verify_log(database)).broken
    assert broken == Break(0, 0, "it does not stand where it was written")
    whole = Line(an_entry(dossier=uuid5(DOSSIER, "x")), 0, 1).encode()
    await attacker.set(0, entry=whole, leaf=leaf_hash(whole))
    await rehash(attacker)
    assert await first_break(database) == Break(0, 0, "stands after the last entry of its dossier")
    chain = {"dossier": uuid5(DOSSIER, "x"), "sequence": 1, "leaf": leaf_hash(whole)}
    await attacker.execute(insert(journal_chain).values(chain))
    assert await first_break(database) == Break(2, 2, "the entry before it in its dossier is missing")


async def test_a_first_entry_chained_to_another(attacker: Attacker, database: Database) -> None:
    """An entry that is chained to nothing that stands before it is itself the broken one."""
    line = Line.parse((await attacker.row(1))["entry"])
    forged = replace(line, previous=b"\x00" * 32).encode()
    await attacker.set(1, entry=forged, leaf=leaf_hash(forged))
    assert await first_break(database) == Break(1, 1, "is not what entry 1 of its dossier is chained to")


async def test_a_chain_that_ends_nowhere(attacker: Attacker, database: Database) -> None:
    """A dossier whose last entry never was, is told at the end of the journal."""
    forged = {"dossier": uuid5(DOSSIER, "x"), "sequence": 1, "leaf": b"\x00" * 32}
    await attacker.execute(insert(journal_chain).values(forged))
    assert await first_break(database) == Break(SIZE, SIZE, "is not the one that the last entry of its dossier was")


@pytest.mark.parametrize(
    "broken,expected",
    [
        (Break(3, 3, "is missing"), "entry 3: is missing"),
        (Break(0, 255, "not what their tile was made of"), "entries 0 to 255: not what their tile was made of"),
    ],
)
def test_a_break_in_words(broken: Break, expected: str) -> None:
    """What an operator reads names the entry, or among which entries to look."""
    assert str(broken) == expected
