"""What stands beside the tree, and is tied to nothing: one statement finds the first of each kind."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Table, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from models.queries.holding import keep_still
from models.tables import journal_chain, journal_checkpoint, journal_entry, journal_head, journal_leaf, journal_waiting
from vault.journal.sequencer import LOCK

LooseEnd = tuple[int, str, tuple[UUID, int] | None]
"""A position, what is wrong there, dossier and sequence. What is not in the tree stands at its end."""

_chain, _entry, _leaf, _waiting = journal_chain.c, journal_entry.c, journal_leaf.c, journal_waiting.c

_SIZE = func.coalesce(select(journal_head.c.size).scalar_subquery(), 0)


def _same(one: Table, other: Table) -> ColumnElement[bool]:
    return (one.c.dossier == other.c.dossier) & (one.c.sequence == other.c.sequence)


_POSITION = func.coalesce(_leaf.position, bindparam("size", type_=BigInteger)).label("at")


def _placed(beside: Select[UUID, int], *, in_tree: bool = False) -> Select[*tuple[Any, ...]]:
    """These, which are few, with their places in the tree, or only those that have one.

    They are found first, where dossiers are: on a cluster the tree is elsewhere, and would be carried there.
    """
    found = beside.cte("beside").prefix_with("MATERIALIZED")
    leaves = (found.c.dossier == _leaf.dossier) & (found.c.sequence == _leaf.sequence)
    joined = found.join(journal_leaf, leaves, isouter=not in_tree)
    return select(found.c.dossier, found.c.sequence, _POSITION).select_from(joined)


_BEYOND = select(_leaf.dossier, _leaf.sequence, _POSITION).where(or_(_leaf.position < 0, _leaf.position >= _SIZE))
_LOST = _placed(
    select(_chain.dossier, _chain.sequence)
    .select_from(journal_chain.outerjoin(journal_entry, _same(journal_chain, journal_entry)))
    .where(or_(_entry.leaf.is_(None), _entry.leaf != _chain.leaf))
)
_AFTER = _placed(
    select(_entry.dossier, _entry.sequence)
    .select_from(journal_entry.outerjoin(journal_chain, _chain.dossier == _entry.dossier))
    .where(or_(_chain.sequence.is_(None), _chain.sequence < _entry.sequence))
)
# On a cluster this one carries the leaves to all nodes.
_NOWHERE = (
    select(_entry.dossier, _entry.sequence, _POSITION)
    .select_from(
        journal_entry.outerjoin(journal_leaf, _same(journal_entry, journal_leaf)).outerjoin(
            journal_waiting, _same(journal_entry, journal_waiting)
        )
    )
    .where(_leaf.position.is_(None), _waiting.arrival.is_(None))
)
_TWICE = _placed(select(_waiting.dossier, _waiting.sequence), in_tree=True)
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
    await keep_still(connection, LOCK)
    for statement, what in _KINDS:
        first = statement.order_by("at").limit(1)
        if (row := (await connection.execute(first, {"size": size})).one_or_none()) is not None:
            found.append((row.at, what, (row.dossier, row.sequence)))
    if await connection.scalar(_CHECKPOINT) is not None:
        found.append((size, "is missing, since a checkpoint was signed over it", None))
    return found
