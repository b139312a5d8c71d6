"""The journal for the authorities: what a professional asked, what was asked about a dossier, in the order of time."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from models.database import Database
from models.tables import journal_entry
from vault.journal.entry import Line
from vault.journal.keys import JournalKeys
from vault.journal.rows import LINES, checked

_PAGE = 500


async def by_dossier(
    database: Database, keys: JournalKeys, dossier: UUID, since: datetime, until: datetime
) -> AsyncIterator[Line]:
    """All entries of a dossier from `since` until before `until`, in their sequence; erased ones are left out.

    Raises JournalEntryError on a line that was tampered with.
    """
    at, sequence = journal_entry.c.at, journal_entry.c.sequence
    within = LINES.where(
        journal_entry.c.dossier == dossier, at >= since, at < until, journal_entry.c.sealed.is_not(None)
    )
    last = 0
    while True:
        async with database.connect() as connection:
            rows = (await connection.execute(within.where(sequence > last).order_by(sequence).limit(_PAGE))).all()
        for row in rows:
            yield await checked(row, keys)
        if len(rows) < _PAGE:
            return
        last = rows[-1].sequence
