"""Goes through the whole journal and names the first entry that is not as it was written.

One walk in the order of the tree, a page at a time, opens every entry and holds it to its line, every line to its hash,
to its columns and to the line before it in the same dossier, and all together to the roots of the tiles, to the head
and to checkpoints. Without a checkpoint kept elsewhere, whoever can rewrite every table, and has the keys, can rewrite
the past: that is what they are for.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.holding import Named, named_by, only
from models.tables import journal_checkpoint, journal_entry, journal_leaf, journal_waiting
from vault.errors import JournalEntryError, ProofError
from vault.journal.checkpoint import Checkpoint, Verifier, open_note
from vault.journal.hashes import read_hashes, read_head
from vault.journal.keys import JournalKeys
from vault.journal.loose_ends import loose_ends
from vault.journal.rows import WAITING, AnyRow, in_tree, line_hash, standing
from vault.journal.tree import EMPTY_ROOT, HASH_SIZE, Frontier, Node, perfect

_PAGE = 1_024
_NOTHING = b"\x00" * HASH_SIZE

_previous = journal_entry.alias("previous")
_before = journal_leaf.alias("before")
_IS_PREVIOUS = (_previous.c.dossier == journal_entry.c.dossier) & (_previous.c.sequence == journal_entry.c.sequence - 1)
_IS_BEFORE = (_before.c.dossier == _previous.c.dossier) & (_before.c.sequence == _previous.c.sequence)
_PREVIOUS = (
    _previous.c.leaf.label("previous_leaf"),
    _previous.c.sealed.is_not(None).label("previous_stands"),
    _before.c.position.label("previous_position"),
)


def _chained(rows: Select[*tuple[Any, ...]], named: Named) -> Select[*tuple[Any, ...]]:
    """With what stands before each in its dossier; `named` are those asked for."""
    previous = _IS_PREVIOUS & only(named, _previous, before=1)
    before = _IS_BEFORE & only(named, _before, before=1)
    return rows.add_columns(*_PREVIOUS).outerjoin(_previous, previous).outerjoin(_before, before)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the journal stops being what was written: at `position`, or somewhere from there to `last`.

    `line` is the dossier and the sequence, where they are known. What is not in the tree stands at its end.
    """

    position: int
    last: int
    what: str
    line: tuple[UUID, int] | None = None

    def __str__(self) -> str:
        where = f"entry {self.position}" if self.position == self.last else f"entries {self.position} to {self.last}"
        whose = f" (number {self.line[1]} of dossier {self.line[0]})" if self.line else ""
        return f"{where}{whose}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: a tree of this size and, recomputed, this root; `broken` is the first break, if any.

    `waiting` entries are not in the tree yet, `erased` ones are told by nothing but their line.
    """

    size: int
    root: bytes
    broken: Break | None
    waiting: int = 0
    erased: int = 0


async def verify_log(
    database: Database,
    keys: JournalKeys,
    verifiers: Sequence[Verifier],
    checkpoints: Iterable[Checkpoint] = (),
    *,
    page: int = _PAGE,
) -> Verdict:
    """Verify the tree as it is now and what waits for it, also against checkpoints.

    These are all that the database has, signed by one of the verifiers, and those given, themselves verified
    beforehand. Memory does not grow with the log, and the journal goes on being written meanwhile: what was written
    before the walk began is seen if it was integrated (`vault.journal.sequencer.integrate_all`).
    """
    async with database.connect() as connection:
        try:
            head = await read_head(connection)
        except ProofError as error:
            return Verdict(0, EMPTY_ROOT, Break(0, 0, str(error)))
        walk = _Walk(keys, sorted((checkpoint.size, checkpoint.root) for checkpoint in checkpoints))
        await _climb(connection, walk, head, verifiers, page)
        waiting = await _wait(connection, walk, head.size, page)
        for position, what, line in await loose_ends(connection, head.size):
            walk.found(Break(position, position, what, line))
    return Verdict(head.size, walk.tree.root(), walk.first, waiting, walk.erased)


async def _climb(
    connection: AsyncConnection, walk: "_Walk", head: Frontier, verifiers: Sequence[Verifier], page: int
) -> None:
    """Through the tree, from its first leaf to its head."""
    for start in range(0, head.size, page):
        end = min(start + page, head.size)
        within = journal_leaf.c.position.between(start, end - 1)
        named = await named_by(connection, select(journal_leaf.c.dossier, journal_leaf.c.sequence).where(within))
        rows = (await connection.execute(_chained(in_tree(named), named).where(within))).all()
        await _vouch(connection, walk, verifiers, start, end)
        tiles = walk.grow(await walk.leaves(start, end, rows))
        walk.compare(tiles, await read_hashes(connection, tiles))
    walk.end(head)


async def _vouch(
    connection: AsyncConnection, walk: "_Walk", verifiers: Sequence[Verifier], start: int, end: int
) -> None:
    """Let the walk know the checkpoints that the database has over sizes behind `start`, up to `end`."""
    size = journal_checkpoint.c.size
    notes = select(size, journal_checkpoint.c.note).where(size > start, size <= end).order_by(size)
    for row in await connection.execute(notes):
        try:
            checkpoint = open_note(row.note, verifiers)
            if checkpoint.size != row.size:
                raise ProofError("it is over another number of entries")
        except ProofError as error:
            walk.found(Break(row.size - 1, row.size - 1, f"the checkpoint that was signed after it: {error}"))
        else:
            walk.expect(checkpoint.size, checkpoint.root)


async def _wait(connection: AsyncConnection, walk: "_Walk", size: int, page: int) -> int:
    """Through what is not in the tree; how many entries these are."""
    arrival, waiting, last = journal_waiting.c.arrival, 0, -1
    while True:
        following = select(journal_waiting.c.dossier, journal_waiting.c.sequence).where(arrival > last)
        named = await named_by(connection, following.order_by(arrival).limit(page))
        rows = (await connection.execute(_chained(WAITING, named).where(arrival > last).limit(page))).all()
        for row in rows:
            await walk.line(row, size, in_tree=False)
        waiting += len(rows)
        if len(rows) < page:
            return waiting
        last = rows[-1].arrival


class _Walk:
    """How far the walk came, and the first break on the way."""

    def __init__(self, keys: JournalKeys, checkpoints: Iterable[tuple[int, bytes]]) -> None:
        self.tree = Frontier()
        self.first: Break | None = None
        self.erased = 0
        self._keys = keys
        self._checkpoints = deque(checkpoints)
        self._vouched = 0

    def expect(self, size: int, root: bytes) -> None:
        """Another checkpoint, over more than the tree has so far."""
        self._checkpoints = deque(sorted([*self._checkpoints, (size, root)]))

    def found(self, broken: Break) -> None:
        """Keep the break that ends first: of an entry and a range around it, the entry."""
        if self.first is None or (broken.last, -broken.position) < (self.first.last, -self.first.position):
            self.first = broken

    async def leaves(self, start: int, end: int, rows: Sequence[AnyRow]) -> list[bytes]:
        """The leaf hashes of the page, recomputed; nought where an entry is missing."""
        leaves = [_NOTHING] * (end - start)
        for position in set(range(start, end)) - {row.position for row in rows}:
            self.found(Break(position, position, "the tree has no leaf there"))
        for row in rows:
            if row.sequence is not None:
                leaves[row.position - start] = line_hash(row)
            await self.line(row, row.position)
        return leaves

    async def line(self, row: AnyRow, position: int, *, in_tree: bool = True) -> None:
        """Hold one entry to its line, and to the one before it in its dossier."""
        named = (row.leaf_dossier, row.leaf_sequence)
        try:
            line = await standing(row, self._keys)
        except JournalEntryError as error:
            self.found(Break(position, position, str(error), named))
            return
        self.erased += line.entry is None
        if row.sequence != 1 and row.previous_leaf is None:
            self.found(Break(position, position, "the entry before it in its dossier is missing", named))
        elif line.previous != (row.previous_leaf or b""):
            changed = position if row.previous_position is None else row.previous_position
            what = f"is not what entry {position} of its dossier is chained to"
            self.found(Break(changed, changed, what, (row.dossier, row.sequence - 1)))
        elif in_tree and row.sequence != 1 and not _comes_before(row):
            self.found(Break(position, position, "does not stand behind the entry before it in its dossier", named))
        elif line.entry is None and row.previous_stands:
            self.found(Break(position, position, "was erased, and not what stands before it", named))

    def grow(self, leaves: Sequence[bytes]) -> dict[Node, bytes]:
        """Add leaves, stopping at each checkpoint on the way to compare; the tiles that they complete."""
        tiles: dict[Node, bytes] = {}
        start, target = self.tree.size, self.tree.size + len(leaves)
        while self._checkpoints and self._checkpoints[0][0] <= target:
            size, root = self._checkpoints.popleft()
            tiles |= self._extend(leaves[self.tree.size - start : size - start])
            if self.tree.root() != root:
                self.found(Break(self._vouched, size - 1, "not what a checkpoint was signed over"))
            self._vouched = size
        return tiles | self._extend(leaves[self.tree.size - start :])

    def _extend(self, leaves: Sequence[bytes]) -> dict[Node, bytes]:
        self.tree, tiles = self.tree.extend(leaves)
        return tiles

    def compare(self, computed: Mapping[Node, bytes], stored: Mapping[Node, bytes]) -> None:
        for node, root in computed.items():
            if stored.get(node) != root:
                self.found(_under(node, "not what their tile was made of"))

    def end(self, head: Frontier) -> None:
        """Compare with the head, and with the checkpoints of an empty log or of one that was longer."""
        self.grow(())
        for node, computed, stored in zip(perfect(0, head.size), self.tree.hashes, head.hashes, strict=True):
            if computed != stored:
                self.found(_under(node, "not what the head of the tree was made of"))
        if self._checkpoints:
            self.found(Break(head.size, head.size, "is missing, since a checkpoint was signed over it"))


def _comes_before(row: AnyRow) -> bool:
    return row.previous_position is not None and row.previous_position < row.position


def _under(node: Node, what: str) -> Break:
    return Break(node.position << node.level, (node.position + 1 << node.level) - 1, what)
