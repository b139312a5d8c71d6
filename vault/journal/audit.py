"""Goes through the whole journal and names the first entry that is not as it was written.

One walk in the order of the tree, a page at a time, holds every line to its hash, to its columns, to the line before
it in the same dossier, and all together to the roots of the tiles, to the head and to checkpoints kept elsewhere.
Without such checkpoints, whoever can rewrite every table can rewrite the past: that is what they are for.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import journal_chain, journal_entry, journal_head
from vault.errors import JournalEntryError, ProofError
from vault.journal.checkpoint import Checkpoint
from vault.journal.reading import LINES, checked, read_hashes, read_head
from vault.journal.tree import EMPTY_ROOT, HASH_SIZE, Frontier, Node, leaf_hash, perfect

_PAGE = 1_024

_previous = journal_entry.alias("previous")
_LINES_IN_ORDER = (
    LINES.add_columns(_previous.c.leaf.label("previous_leaf"), _previous.c.position.label("previous_position"))
    .outerjoin(
        _previous,
        (_previous.c.dossier == journal_entry.c.dossier) & (_previous.c.sequence == journal_entry.c.sequence - 1),
    )
    .order_by(journal_entry.c.position)
)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the journal stops being what was written: at `position`, or somewhere from there to `last`."""

    position: int
    last: int
    what: str

    def __str__(self) -> str:
        where = f"entry {self.position}" if self.position == self.last else f"entries {self.position} to {self.last}"
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: a log of this size and, recomputed, this root; `broken` is the first break, if any."""

    size: int
    root: bytes
    broken: Break | None


async def verify_log(database: Database, checkpoints: Iterable[Checkpoint] = (), *, page: int = _PAGE) -> Verdict:
    """Verify all that was written before the walk began, also against checkpoints, themselves verified beforehand.

    Memory does not grow with the log, and the journal goes on being written meanwhile.
    """
    async with database.connect() as connection:
        try:
            head = await read_head(connection)
        except ProofError as error:
            return Verdict(0, EMPTY_ROOT, Break(0, 0, str(error)))
        walk = _Walk(sorted((checkpoint.size, checkpoint.root) for checkpoint in checkpoints))
        for start in range(0, head.size, page):
            end = min(start + page, head.size)
            within = journal_entry.c.position.between(start, end - 1)
            rows = (await connection.execute(_LINES_IN_ORDER.where(within))).all()
            tiles = walk.grow(walk.leaves(start, end, rows))
            walk.compare(tiles, await read_hashes(connection, tiles))
        walk.end(head)
        for broken in [await _beyond(connection), *await _ends(connection, head.size)]:
            walk.found(broken)
    return Verdict(head.size, walk.tree.root(), walk.first)


class _Walk:
    """How far the walk came, and the first break on the way."""

    def __init__(self, checkpoints: Sequence[tuple[int, bytes]]) -> None:
        self.tree = Frontier()
        self.first: Break | None = None
        self._checkpoints = deque(checkpoints)
        self._vouched = 0

    def found(self, broken: Break | None) -> None:
        """Keep the break that ends first: of an entry and a range around it, the entry."""
        if broken and (self.first is None or (broken.last, -broken.position) < (self.first.last, -self.first.position)):
            self.first = broken

    def leaves(self, start: int, end: int, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[bytes]:
        """The leaf hashes of the page, recomputed; nought where an entry is missing."""
        leaves = [b"\x00" * HASH_SIZE] * (end - start)
        standing = Counter(row.position for row in rows)
        for position in range(start, end):
            if standing[position] != 1:
                what = "a second entry stands there" if standing[position] else "is missing"
                self.found(Break(position, position, what))
        for row in rows:
            leaves[row.position - start] = leaf_hash(row.entry)
            self._line(row)
        return leaves

    def _line(self, row: Row[*tuple[Any, ...]]) -> None:
        try:
            line = checked(row)
        except JournalEntryError as error:
            self.found(Break(row.position, row.position, str(error)))
            return
        if row.sequence > 1 and row.previous_leaf is None:
            self.found(Break(row.position, row.position, "the entry before it in its dossier is missing"))
        elif line.previous != (row.previous_leaf or b""):
            changed = row.position if row.previous_position is None else row.previous_position
            self.found(Break(changed, changed, f"is not what entry {row.position} of its dossier is chained to"))

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


def _under(node: Node, what: str) -> Break:
    return Break(node.position << node.level, (node.position + 1 << node.level) - 1, what)


async def _beyond(connection: AsyncConnection) -> Break | None:
    """An entry that stands where the tree does not reach."""
    size = func.coalesce(select(journal_head.c.size).scalar_subquery(), 0)
    outside = or_(journal_entry.c.position < 0, journal_entry.c.position >= size)
    position = await connection.scalar(select(func.min(journal_entry.c.position)).where(outside))
    return None if position is None else Break(position, position, "the tree does not hold it")


async def _ends(connection: AsyncConnection, size: int) -> list[Break]:
    """Where the last entry of a dossier is not the one that its next entry would be chained to."""
    chain, entry = journal_chain.c, journal_entry.c
    last = (chain.dossier == entry.dossier) & (chain.sequence == entry.sequence)
    lost = select(entry.position).select_from(journal_chain.outerjoin(journal_entry, last))
    lost = lost.where(or_(entry.leaf.is_(None), entry.leaf != chain.leaf))
    after = select(entry.position).select_from(
        journal_entry.outerjoin(journal_chain, chain.dossier == entry.dossier),
    )
    after = after.where(or_(chain.sequence.is_(None), chain.sequence < entry.sequence))
    breaks = []
    for statement, what in (
        (lost, "is not the one that the last entry of its dossier was"),
        (after, "stands after the last entry of its dossier"),
    ):
        row = (await connection.execute(statement.order_by(entry.position).limit(1))).one_or_none()
        if row is not None:
            position = size if row.position is None else row.position
            breaks.append(Break(position, position, what))
    return breaks
