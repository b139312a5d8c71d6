"""The journal backwards, for those who ask what was decided lately: every line in its place, and as it was written."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select

from models.database import Database
from models.tables import journal_chain, journal_entry
from vault.errors import JournalEntryError
from vault.journal.entry import Line
from vault.journal.reading import LINES, checked, read_head

_PAGE = 500
_LATE = timedelta(days=1)
"""No entry is written so long after the instant that it tells: a deposit may be hours on its way."""


async def newest_first(
    database: Database, *, since: datetime | None = None, dossier: UUID | None = None
) -> AsyncIterator[list[Line]]:
    """Pages of the lines since an instant, of all dossiers or of one; a page may be empty.

    What is written meanwhile is left out. Raises JournalEntryError, which names the entry, where one is missing, in
    another's place or not what was written; ProofError when the journal's head is damaged.
    """
    number: ColumnElement[int] = journal_entry.c.position if dossier is None else journal_entry.c.sequence
    lines = LINES.order_by(number.desc())
    if dossier is not None:
        lines = lines.where(journal_entry.c.dossier == dossier)
    first = 0 if dossier is None else 1
    end = await _end(database, dossier)
    while end > first:
        start = max(first, end - _PAGE)
        async with database.connect() as connection:
            rows = (await connection.execute(lines.where(number.between(start, end - 1)))).all()
        page = list(_held(rows, range(end - 1, start - 1, -1), of_dossier=dossier is not None))
        yield [line for line in page if since is None or line.entry.at >= since]
        if since is not None and page[-1].entry.at < since - _LATE:
            return
        end = start


async def _end(database: Database, dossier: UUID | None) -> int:
    """One more than the last position of the journal, or the last sequence of the dossier."""
    async with database.connect() as connection:
        if dossier is None:
            return (await read_head(connection)).size
        last = select(journal_chain.c.sequence).where(journal_chain.c.dossier == dossier)
        return (await connection.scalar(last) or 0) + 1


def _held(rows: Sequence[Row[*tuple[Any, ...]]], numbers: range, *, of_dossier: bool) -> Iterator[Line]:
    """The lines of rows that must have these numbers, each once."""
    whose = "the dossier" if of_dossier else "the journal"
    standing = Counter(row.sequence if of_dossier else row.position for row in rows)
    for number in numbers:
        if standing[number] != 1:
            raise JournalEntryError(f"entry {number} of {whose} {'stands twice' if standing[number] else 'is missing'}")
    for number, row in zip(numbers, rows, strict=True):
        try:
            yield checked(row)
        except JournalEntryError as error:
            raise JournalEntryError(f"entry {number} of {whose}: {error}") from None
