"""Where entries are read back, and proved to stand in the journal."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.facts import Reference
from models.tables import journal_entry, journal_head, journal_node
from models.vocabulary import SubjectType
from vault.errors import JournalEntryError, ProofError
from vault.journal import tree
from vault.journal.checkpoint import Signer
from vault.journal.entry import Line
from vault.journal.proof import Proof
from vault.journal.tree import Frontier, Node

_PAGE = 500
_LAST = 2**63 - 1
"""No sequence is larger: it is what a column holds."""

LINES = select(
    journal_entry.c.dossier,
    journal_entry.c.sequence,
    journal_entry.c.position,
    journal_entry.c.leaf,
    journal_entry.c.entry,
    journal_entry.c.at,
    journal_entry.c.subject,
)
"""The columns that `checked` needs."""


class Reader:
    """What the journal shows: lines by dossier, proofs, checkpoints signed by `signer`."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self.signer = signer

    async def read(
        self, dossier: UUID, *, after: int | None = None, limit: int, subject: Reference | None = None
    ) -> list[Line]:
        """At most `limit` lines of a dossier, newest first, beginning after the sequence that a page ended with.

        `subject` leaves only that subject's own entries, for the obligation `own_entries_only`. Raises
        JournalEntryError on a line that was tampered with.
        """
        statement = LINES.where(journal_entry.c.dossier == dossier)
        if after is not None:
            statement = statement.where(journal_entry.c.sequence < after)
        if subject is not None:
            statement = statement.where(journal_entry.c.subject == f"{subject.type}/{subject.id}")
        async with self._database.connect() as connection:
            rows = await connection.execute(statement.order_by(journal_entry.c.sequence.desc()).limit(limit))
            return [checked(row) for row in rows]

    async def line(self, dossier: UUID, sequence: int) -> Line | None:
        """One line, or None. Raises JournalEntryError if it was tampered with."""
        async with self._database.connect() as connection:
            return await _line(connection, dossier, sequence)

    async def checkpoint(self) -> str:
        """The journal's size and root as they are now, as a signed note."""
        async with self._database.connect() as connection:
            head = await read_head(connection)
        return self.signer.sign(head.size, head.root())

    async def proof(self, dossier: UUID, sequence: int) -> Proof | None:
        """That a line stands in the journal as it is now, or None if there is no such line.

        Reads at most 512 hashes for each level of tiles. Raises ProofError when the journal cannot prove the line,
        JournalEntryError if the line was tampered with.
        """
        async with self._database.connect() as connection:
            line = await _line(connection, dossier, sequence)
            if line is None:
                return None
            head = await read_head(connection)
            path = await _path(connection, line.position, head)
        data = line.encode()
        if not tree.verify_inclusion(tree.leaf_hash(data), line.position, head.size, path, head.root()):
            raise ProofError("the line does not stand in the journal")
        return Proof(data, line.position, head.size, path, self.signer.sign(head.size, head.root()))


async def by_professional(database: Database, rpps: str, since: datetime, until: datetime) -> AsyncIterator[Line]:
    """All entries of a professional from `since` until before `until`, oldest first, for the authorities.

    Raises JournalEntryError on a line that was tampered with.
    """
    subject = f"{SubjectType.PROFESSIONAL.value}/{rpps}"
    at, position = journal_entry.c.at, journal_entry.c.position
    page = LINES.where(journal_entry.c.subject == subject, at < until).order_by(at, position).limit(_PAGE)
    statement = page.where(at >= since)
    while True:
        async with database.connect() as connection:
            rows = (await connection.execute(statement)).all()
        for row in rows:
            yield checked(row)
        if len(rows) < _PAGE:
            return
        last = rows[-1]
        statement = page.where(at >= last.at, or_(at > last.at, position > last.position))


async def read_head(connection: AsyncConnection) -> Frontier:
    """The tree as it is now. Raises ProofError when its head is damaged."""
    row = (await connection.execute(select(journal_head.c.size, journal_head.c.frontier))).one_or_none()
    if row is None:
        return Frontier()
    try:
        return Frontier.decode(row.size, row.frontier)
    except ValueError:
        raise ProofError("the head of the journal is damaged") from None


def checked(row: Row[*tuple[Any, ...]]) -> Line:
    """The line that a row holds, if its columns and its bytes say the same. Raises JournalEntryError."""
    if tree.leaf_hash(row.entry) != row.leaf:
        raise JournalEntryError("its bytes are not those that were hashed")
    line = Line.parse(row.entry)
    entry = line.entry
    told = (entry.dossier, line.sequence, line.position, entry.at, f"{entry.subject.type}/{entry.subject.id}")
    if told != (row.dossier, row.sequence, row.position, row.at, row.subject):
        raise JournalEntryError("it does not stand where it was written")
    return line


async def _line(connection: AsyncConnection, dossier: UUID, sequence: int) -> Line | None:
    if not 0 < sequence <= _LAST:
        return None
    place = (journal_entry.c.dossier == dossier, journal_entry.c.sequence == sequence)
    row = (await connection.execute(LINES.where(*place))).one_or_none()
    return None if row is None else checked(row)


async def _path(connection: AsyncConnection, position: int, head: Frontier) -> tuple[bytes, ...]:
    try:
        steps = tree.inclusion(position, head.size)
        parts = {part for step in steps for node in step for part in tree.stored(node)}
        hashes = await read_hashes(connection, parts)
        return tuple(tree.compute(step, hashes) for step in steps)
    except (ValueError, KeyError):
        raise ProofError("the journal lacks what proves the line") from None


async def read_hashes(connection: AsyncConnection, nodes: Iterable[Node]) -> dict[Node, bytes]:
    """What is stored of these nodes: leaves at level 0, roots of tiles above. One statement for each run of them."""
    hashes: dict[Node, bytes] = {}
    for level, first, last in _runs(sorted(nodes)):
        if level == 0:
            position, value = journal_entry.c.position, journal_entry.c.leaf
            statement = select(position, value).where(position.between(first, last))
        else:
            position, value = journal_node.c.position, journal_node.c.hash
            statement = select(position, value).where(journal_node.c.level == level, position.between(first, last))
        rows = await connection.execute(statement)
        hashes.update({Node(level, where): value for where, value in rows})
    return hashes


def _runs(nodes: list[Node]) -> list[tuple[int, int, int]]:
    """Level, first and last position of each unbroken run among sorted nodes."""
    runs: list[tuple[int, int, int]] = []
    for level, position in nodes:
        if runs and runs[-1][0] == level and runs[-1][2] == position - 1:
            runs[-1] = (level, runs[-1][1], position)
        else:
            runs.append((level, position, position))
    return runs
