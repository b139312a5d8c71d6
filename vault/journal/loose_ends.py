"""What stands beside the tree, and is tied to nothing: one statement finds the first of each kind."""

from uuid import UUID

from sqlalchemy import Table, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from models.tables import journal_chain, journal_checkpoint, journal_entry, journal_head, journal_leaf, journal_waiting

LooseEnd = tuple[int, str, tuple[UUID, int] | None]
"""A position, what is wrong there, dossier and sequence. What is not in the tree stands at its end."""

_chain, _entry, _leaf, _waiting = journal_chain.c, journal_entry.c, journal_leaf.c, journal_waiting.c

_SIZE = func.coalesce(select(journal_head.c.size).scalar_subquery(), 0)


def _same(one: Table, other: Table) -> ColumnElement[bool]:
    return (one.c.dossier == other.c.dossier) & (one.c.sequence == other.c.sequence)


_BEYOND = select(_leaf.dossier, _leaf.sequence).where(or_(_leaf.position < 0, _leaf.position >= _SIZE))
_LOST = (
    select(_chain.dossier, _chain.sequence)
    .select_from(
        journal_chain.outerjoin(journal_entry, _same(journal_chain, journal_entry)).outerjoin(
            journal_leaf, _same(journal_chain, journal_leaf)
        )
    )
    .where(or_(_entry.leaf.is_(None), _entry.leaf != _chain.leaf))
)
_AFTER = (
    select(_entry.dossier, _entry.sequence)
    .select_from(
        journal_entry.outerjoin(journal_chain, _chain.dossier == _entry.dossier).outerjoin(
            journal_leaf, _same(journal_entry, journal_leaf)
        )
    )
    .where(or_(_chain.sequence.is_(None), _chain.sequence < _entry.sequence))
)
_NOWHERE = (
    select(_entry.dossier, _entry.sequence)
    .select_from(
        journal_entry.outerjoin(journal_leaf, _same(journal_entry, journal_leaf)).outerjoin(
            journal_waiting, _same(journal_entry, journal_waiting)
        )
    )
    .where(_leaf.position.is_(None), _waiting.arrival.is_(None))
)
_TWICE = select(_leaf.dossier, _leaf.sequence).select_from(
    journal_waiting.join(journal_leaf, _same(journal_waiting, journal_leaf))
)
_KINDS = (
    (_BEYOND, "the tree does not hold it"),
    (_LOST, "is not the one that the last entry of its dossier was"),
    (_AFTER, "stands after the last entry of its dossier"),
    (_NOWHERE, "is neither in the tree nor waits for it"),
    (_TWICE, "is in the tree and waits for it"),
)
_CHECKPOINT = select(journal_checkpoint.c.size).where(journal_checkpoint.c.size > _SIZE).limit(1)


async def loose_ends(connection: AsyncConnection, size: int) -> list[LooseEnd]:
    """The first of each kind in the journal as it is now; `size` is what a tree ends with for them."""
    found: list[LooseEnd] = []
    position = func.coalesce(_leaf.position, size)
    for statement, what in _KINDS:
        first = statement.add_columns(position.label("at")).order_by("at").limit(1)
        if (row := (await connection.execute(first)).one_or_none()) is not None:
            found.append((row.at, what, (row.dossier, row.sequence)))
    if await connection.scalar(_CHECKPOINT) is not None:
        found.append((size, "is missing, since a checkpoint was signed over it", None))
    return found
