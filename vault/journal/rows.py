"""Rows of the journal: opened, and held to what was hashed of them."""

from typing import Any

from sqlalchemy import Row, Select, Table, select
from sqlalchemy.sql.elements import ColumnElement

from models.queries.holding import Named, only
from models.tables import journal_chain, journal_entry, journal_leaf, journal_waiting
from vault.errors import JournalEntryError, SealBrokenError
from vault.journal.entry import Line, place
from vault.journal.keys import JournalKeys
from vault.journal.tree import leaf_hash
from vault.keys.service import WrappedKey

AnyRow = Row[*tuple[Any, ...]]

_COLUMNS = (
    journal_entry.c.dossier,
    journal_entry.c.sequence,
    journal_entry.c.leaf,
    journal_entry.c.previous,
    journal_entry.c.commitment,
    journal_entry.c.sealed,
    journal_entry.c.at,
    journal_entry.c.subject,
    journal_chain.c.key_id,
    journal_chain.c.wrapped,
)
"""What `checked` needs."""

_KEYED = journal_chain.c.dossier == journal_entry.c.dossier
LINES = select(*_COLUMNS).select_from(journal_entry.outerjoin(journal_chain, _KEYED))


def _named_by(table: Table) -> ColumnElement[bool]:
    return (journal_entry.c.dossier == table.c.dossier) & (journal_entry.c.sequence == table.c.sequence)


PLACED = select(*_COLUMNS, journal_leaf.c.position).select_from(
    journal_entry.outerjoin(journal_chain, _KEYED).outerjoin(journal_leaf, _named_by(journal_leaf))
)
"""Entries with their places in the tree: `position` is null where there is none yet."""


def in_tree(named: Named) -> Select[*tuple[Any, ...]]:
    """The tree's leaves with their entries: `sequence` is null where there is none. `named` are those asked for."""
    entries = journal_leaf.outerjoin(journal_entry, _named_by(journal_leaf) & only(named, journal_entry))
    return (
        select(
            *_COLUMNS,
            journal_leaf.c.position,
            journal_leaf.c.dossier.label("leaf_dossier"),
            journal_leaf.c.sequence.label("leaf_sequence"),
            journal_leaf.c.leaf.label("hashed"),
        )
        .select_from(entries.outerjoin(journal_chain, _KEYED & only(named, journal_chain, before=None)))
        .order_by(journal_leaf.c.position)
    )


WAITING = (
    select(
        *_COLUMNS,
        journal_waiting.c.arrival,
        journal_waiting.c.dossier.label("leaf_dossier"),
        journal_waiting.c.sequence.label("leaf_sequence"),
        journal_waiting.c.leaf.label("hashed"),
    )
    .select_from(journal_waiting.outerjoin(journal_entry, _named_by(journal_waiting)).outerjoin(journal_chain, _KEYED))
    .order_by(journal_waiting.c.arrival)
)
"""The same of what is not in the tree yet."""


async def standing(row: AnyRow, keys: JournalKeys) -> Line:
    """The line of a row of `in_tree` or `WAITING`, as `checked`. Raises JournalEntryError."""
    if row.sequence is None:
        raise JournalEntryError("it is missing")
    if row.leaf != row.hashed:
        raise JournalEntryError("its hash is not the one that the tree is made of")
    return await checked(row, keys)


async def checked(row: AnyRow, keys: JournalKeys) -> Line:
    """The line that a row holds, opened, if its columns and its entry say the same. Raises JournalEntryError."""
    if line_hash(row) != row.leaf:
        raise JournalEntryError("its line is not the one that was hashed")
    line = Line.restored(row.dossier, row.sequence, row.previous, row.commitment, await _opened(row, keys))
    entry = line.entry
    told = (row.at, None) if entry is None else (entry.at, keys.subject(entry.subject))
    if told != (row.at, row.subject):
        raise JournalEntryError("it does not stand where it was written")
    return line


def line_hash(row: AnyRow) -> bytes:
    """The leaf hash, recomputed from a row's columns."""
    return leaf_hash(place(row.dossier, row.sequence, row.previous, row.commitment))


async def _opened(row: AnyRow, keys: JournalKeys) -> tuple[bytes, bytes] | None:
    """Salt and entry, or None once these were erased."""
    if row.sealed is None:
        return None
    if row.wrapped is None:
        raise JournalEntryError("its key is gone")
    try:
        key = await keys.unwrap(row.dossier, WrappedKey(row.key_id, row.wrapped))
        return key.open(row.sequence, row.sealed)
    except SealBrokenError:
        raise JournalEntryError("it does not open") from None
