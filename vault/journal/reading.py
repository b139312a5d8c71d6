"""Where entries are read back, opened, and proved to stand in the journal."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.facts import Reference
from models.tables import journal_entry, journal_leaf, journal_waiting
from models.vocabulary import SubjectType
from vault.errors import NotIntegratedError, ProofError
from vault.journal import tree
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.entry import Line
from vault.journal.hashes import read_hashes, read_head
from vault.journal.keys import JournalKeys
from vault.journal.proof import Proof
from vault.journal.rows import LINES, checked
from vault.journal.sequencer import step
from vault.journal.taking import Part, Taken, root_at
from vault.journal.tree import Frontier

_PAGE = 500
_LAST = 2**63 - 1
"""No sequence is larger: it is what a column holds."""

_PATIENCE_SECONDS = 3.0
_LOOK_AGAIN_SECONDS = 0.05


class Reader:
    """What the journal shows: lines by dossier, proofs, checkpoints signed by `signer`."""

    def __init__(
        self, database: Database, keys: JournalKeys, signer: Signer, *, patience: float = _PATIENCE_SECONDS
    ) -> None:
        self._database = database
        self._keys = keys
        self._patience = patience
        self.signer = signer

    async def read(
        self, dossier: UUID, *, after: int | None = None, limit: int, subject: Reference | None = None
    ) -> list[Line]:
        """At most `limit` lines of a dossier, newest first, beginning after the sequence that a page ended with.

        Erased ones are left out. `subject` leaves only that subject's own entries, for the obligation
        `own_entries_only`. Raises JournalEntryError on a line that was tampered with.
        """
        statement = LINES.where(journal_entry.c.dossier == dossier, journal_entry.c.sealed.is_not(None))
        if after is not None:
            statement = statement.where(journal_entry.c.sequence < after)
        if subject is not None:
            statement = statement.where(journal_entry.c.subject == self._keys.subject(subject))
        async with self._database.connect() as connection:
            rows = (await connection.execute(statement.order_by(journal_entry.c.sequence.desc()).limit(limit))).all()
        return [await checked(row, self._keys) for row in rows]

    async def line(self, dossier: UUID, sequence: int) -> Line | None:
        """One line, or None. Raises JournalEntryError if it was tampered with."""
        if not 0 < sequence <= _LAST:
            return None
        one = (journal_entry.c.dossier == dossier, journal_entry.c.sequence == sequence)
        async with self._database.connect() as connection:
            row = (await connection.execute(LINES.where(*one))).one_or_none()
        return None if row is None else await checked(row, self._keys)

    async def checkpoint(self) -> str:
        """The tree's size and root as they are now, as a signed note."""
        async with self._database.connect() as connection:
            head = await read_head(connection)
        return self.signer.sign(head.size, head.root())

    async def proof(self, dossier: UUID, sequence: int) -> Proof | None:
        """That a line stands in the tree as it is now, or None if there is no such line.

        An entry that waits is put into the tree first. Reads at most 512 hashes for each level of tiles. Raises
        NotIntegratedError if the entry waits too long, ProofError when the journal cannot prove the line,
        JournalEntryError if the line was tampered with.
        """
        line = await self.line(dossier, sequence)
        if line is None:
            return None
        position = await self._integrated(dossier, sequence)
        async with self._database.connect() as connection:
            head = await read_head(connection)
            path = await _path(connection, position, head)
        if not tree.verify_inclusion(tree.leaf_hash(line.encode()), position, head.size, path, head.root()):
            raise ProofError("the line does not stand in the journal")
        return Proof.of(line, position, head.size, path, self.signer.sign(head.size, head.root()))

    async def take(self, dossier: UUID, last: int, *, subject: Reference | None = None) -> Taken:
        """A dossier's journal up to this line, to be taken away with its proofs.

        The log is as it was when the line came into it, so that what is taken twice is the same. A line that waits is
        put into the tree first. `subject` leaves only that subject's own entries. Raises NotIntegratedError if it waits
        too long, ProofError where there is no such line, or the journal does not continue what it was then.
        """
        size = await self._integrated(dossier, last) + 1
        async with self._database.connect() as connection:
            root = await root_at(connection, size, await read_head(connection))
        part = Part(dossier, last, None if subject is None else self._keys.subject(subject))
        return Taken(self._database, self._keys, part, Checkpoint(self.signer.verifier.name, size, root), self.signer)

    async def _integrated(self, dossier: UUID, sequence: int) -> int:
        """Where an entry stands in the tree, waited for if need be; whoever waits lends a hand."""
        try:
            async with asyncio.timeout(self._patience):
                while (position := await self._position(dossier, sequence)) is None:
                    if not await step(self._database):
                        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise NotIntegratedError("the entry is not in the journal's tree yet") from None
        return position

    async def _position(self, dossier: UUID, sequence: int) -> int | None:
        """None for an entry that waits. Raises ProofError for one that does not."""
        leaf, waiting = journal_leaf.c, journal_waiting.c
        position = select(leaf.position).where(leaf.dossier == dossier, leaf.sequence == sequence).scalar_subquery()
        waits = exists().where(waiting.dossier == dossier, waiting.sequence == sequence)
        async with self._database.connect() as connection:
            found = (await connection.execute(select(position.label("position"), waits.label("waits")))).one()
        if found.position is None and not found.waits:
            raise ProofError("the line does not stand in the journal's tree, nor does it wait for it")
        return None if found.position is None else int(found.position)


async def by_professional(
    database: Database, keys: JournalKeys, rpps: str, since: datetime, until: datetime
) -> AsyncIterator[Line]:
    """All entries of a professional from `since` until before `until`, oldest first, for the authorities.

    Raises JournalEntryError on a line that was tampered with.
    """
    subject = keys.subject(Reference(SubjectType.PROFESSIONAL.value, rpps))
    at, dossier, sequence = journal_entry.c.at, journal_entry.c.dossier, journal_entry.c.sequence
    page = LINES.where(journal_entry.c.subject == subject, at < until).order_by(at, dossier, sequence).limit(_PAGE)
    statement = page.where(at >= since)
    while True:
        async with database.connect() as connection:
            rows = (await connection.execute(statement)).all()
        for row in rows:
            yield await checked(row, keys)
        if len(rows) < _PAGE:
            return
        last = rows[-1]
        behind = or_(dossier > last.dossier, and_(dossier == last.dossier, sequence > last.sequence))
        statement = page.where(at >= last.at, or_(at > last.at, behind))


async def _path(connection: AsyncConnection, position: int, head: Frontier) -> tuple[bytes, ...]:
    try:
        steps = tree.inclusion(position, head.size)
        parts = {part for step in steps for node in step for part in tree.stored(node)}
        hashes = await read_hashes(connection, parts)
        return tuple(tree.compute(step, hashes) for step in steps)
    except (ValueError, KeyError):
        raise ProofError("the journal lacks what proves the line") from None
