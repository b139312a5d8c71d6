"""A dossier's journal as its holder takes it away: every line up to one, and the proof of each in one signed log.

The log is the tree that ends with that one line, whatever was written since. So the newest line that is taken stands
last in it, the oldest is the dossier's first, and each is chained to the one before: whoever holds the copy finds out
by himself that none was left out. Hashes are read for many lines at once.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import journal_entry
from vault.errors import ProofError
from vault.journal import tree
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.entry import Line
from vault.journal.hashes import read_hashes
from vault.journal.keys import JournalKeys
from vault.journal.rows import PLACED, checked
from vault.journal.tree import Frontier, Node

_PAGE = 50
"""So many lines are opened, or proved, before others have their turn; a proof reads 256 hashes for a level of tiles."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which lines are taken: those of a dossier up to `last`, or only those under a subject's keyed hash."""

    dossier: UUID
    last: int
    subject: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Placed:
    """A line, opened unless it was erased, and where it stands in the tree."""

    line: Line
    position: int


class Taken:
    """The lines of a part, newest first, each provable against `note`, the log's checkpoint over the last of them."""

    def __init__(
        self, database: Database, keys: JournalKeys, part: Part, checkpoint: Checkpoint, signer: Signer
    ) -> None:
        self._database = database
        self._keys = keys
        self._part = part
        self.checkpoint = checkpoint
        self.note = signer.sign(checkpoint.size, checkpoint.root)

    async def pages(self) -> AsyncGenerator[list[Placed]]:
        """Some lines at a time. Raises JournalEntryError on one that was tampered with, ProofError without a place."""
        entry, part = journal_entry.c, self._part
        wanted = PLACED.where(entry.dossier == part.dossier).order_by(entry.sequence.desc()).limit(_PAGE)
        if part.subject is not None:
            wanted = wanted.where(entry.subject == part.subject)
        following = part.last
        while following:
            async with self._database.connect() as connection:
                rows = (await connection.execute(wanted.where(entry.sequence <= following))).all()
            if any(row.position is None for row in rows):
                raise ProofError("a line does not stand in the journal's tree")
            if rows:
                yield [Placed(await checked(row, self._keys), row.position) for row in rows]
            following = rows[-1].sequence - 1 if len(rows) == _PAGE else 0

    async def paths(self, lines: Sequence[Placed]) -> list[tuple[bytes, ...]]:
        """The path of hashes from each of these lines to the root. Raises ProofError if the journal cannot prove it."""
        size, root = self.checkpoint.size, self.checkpoint.root
        try:
            steps = [tree.inclusion(each.position, size) for each in lines]
            async with self._database.connect() as connection:
                hashes = await read_hashes(
                    connection, _stored(node for path in steps for each in path for node in each)
                )
            known: dict[Node, bytes] = {}
            paths = [tuple(tree.fold([_hash(node, hashes, known) for node in each]) for each in path) for path in steps]
        except (ValueError, KeyError):
            raise ProofError("the journal lacks what proves a line") from None
        for each, path in zip(lines, paths, strict=True):
            if not tree.verify_inclusion(tree.leaf_hash(each.line.encode()), each.position, size, path, root):
                raise ProofError("a line does not stand in the journal")
        return paths

    def path_length(self, placed: Placed) -> int:
        """How many hashes its proof will have."""
        return len(tree.inclusion(placed.position, self.checkpoint.size))


async def root_at(connection: AsyncConnection, size: int, head: Frontier) -> bytes:
    """The root that the tree had when it had so many leaves. Raises ProofError unless `head` continues it."""
    try:
        then = tree.perfect(0, size)
        steps = tree.consistency(size, head.size)
        hashes = await read_hashes(connection, _stored(node for each in (then, *steps) for node in each))
        root = tree.compute(then, hashes)
        path = [tree.compute(step, hashes) for step in steps]
    except (ValueError, KeyError):
        raise ProofError("the journal lacks a hash of its tree") from None
    if not tree.verify_consistency(size, head.size, root, head.root(), path):
        raise ProofError("the journal does not continue what it was")
    return root


def _stored(nodes: Iterable[Node]) -> set[Node]:
    return {part for node in nodes for part in tree.stored(node)}


def _hash(node: Node, hashes: dict[Node, bytes], known: dict[Node, bytes]) -> bytes:
    """The root of a perfect subtree; neighbouring lines have most of them in common."""
    if node not in known:
        known[node] = tree.compute([node], hashes)
    return known[node]
