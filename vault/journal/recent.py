"""The journal backwards, for those who ask what was decided lately: every line in its place, and as it was written.

Of all dossiers it is told in the order of the tree; what is not in it yet comes first, in the order of arrival. Of one
dossier it is told by its numbers, which every entry has from the beginning.
"""

from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.database import Database
from models.queries.holding import named_by
from models.tables import journal_chain, journal_entry, journal_leaf, journal_waiting
from vault.errors import JournalEntryError
from vault.journal.entry import Line
from vault.journal.hashes import read_head
from vault.journal.keys import JournalKeys
from vault.journal.rows import LINES, WAITING, checked, in_tree, standing

_PAGE = 500
_LATE = timedelta(days=1)
"""No entry is written so long after the instant that it tells: a deposit may be hours on its way."""

_Page = tuple[list[Line], datetime]
"""Lines, and the instant of the last of them, which an erased one does not tell."""


async def newest_first(
    database: Database, keys: JournalKeys, *, since: datetime | None = None, dossier: UUID | None = None
) -> AsyncIterator[list[Line]]:
    """Pages of the lines since an instant, of all dossiers or of one; a page may be empty.

    Erased lines are told whatever the instant. What is written meanwhile is left out. Raises JournalEntryError, which
    names the entry, where one is missing, in another's place or not what was written; ProofError when the journal's
    head is damaged.
    """
    pages = _of_all(database, keys) if dossier is None else _of_dossier(database, keys, dossier)
    async for lines, last in pages:
        yield [line for line in lines if since is None or line.entry is None or line.entry.at >= since]
        if since is not None and last < since - _LATE:
            return


async def _of_all(database: Database, keys: JournalKeys) -> AsyncIterator[_Page]:
    """What waits is read before the head is: so nothing is left out, and what moved meanwhile is told once."""
    async with database.connect() as connection:
        waiting = (await connection.execute(WAITING.order_by(None).order_by(journal_waiting.c.arrival.desc()))).all()
        end = (await read_head(connection)).size
    if waiting:
        name = "an entry that waits for the journal's tree"
        yield [await _named(name, standing(row, keys)) for row in waiting], waiting[-1].at
    told = {row.hashed for row in waiting}
    position = journal_leaf.c.position
    while end > 0:
        start = max(0, end - _PAGE)
        within = position.between(start, end - 1)
        async with database.connect() as connection:
            named = await named_by(connection, select(journal_leaf.c.dossier, journal_leaf.c.sequence).where(within))
            found = in_tree(named).where(within).order_by(None).order_by(position.desc())
            rows = (await connection.execute(found)).all()
        _hold_whole([row.position for row in rows], range(start, end), "the journal")
        yield (
            [
                await _named(f"entry {row.position} of the journal", standing(row, keys))
                for row in rows
                if row.hashed not in told
            ],
            rows[-1].at,
        )
        end = start


async def _of_dossier(database: Database, keys: JournalKeys, dossier: UUID) -> AsyncIterator[_Page]:
    sequence = journal_entry.c.sequence
    lines = LINES.where(journal_entry.c.dossier == dossier).order_by(sequence.desc())
    last = select(journal_chain.c.sequence).where(journal_chain.c.dossier == dossier)
    async with database.connect() as connection:
        end = (await connection.scalar(last) or 0) + 1
    while end > 1:
        start = max(1, end - _PAGE)
        async with database.connect() as connection:
            rows = (await connection.execute(lines.where(sequence.between(start, end - 1)))).all()
        _hold_whole([row.sequence for row in rows], range(start, end), "the dossier")
        yield [await _named(f"entry {row.sequence} of the dossier", checked(row, keys)) for row in rows], rows[-1].at
        end = start


def _hold_whole(found: Sequence[int], numbers: range, whose: str) -> None:
    """Raises JournalEntryError, which names the newest that is missing."""
    if missing := set(numbers) - set(found):
        raise JournalEntryError(f"entry {max(missing)} of {whose} is missing")


async def _named(name: str, line: Coroutine[Any, Any, Line]) -> Line:
    try:
        return await line
    except JournalEntryError as error:
        raise JournalEntryError(f"{name}: {error}") from None
