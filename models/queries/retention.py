"""What has been kept long enough, or was left behind: dossiers, reimbursements, traces of what is gone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Select, delete, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.holding import hold
from models.queries.sheets import hold_sheet, keep_sheet
from models.reference import REIMBURSEMENTS
from models.sheets import dates, documents_in, rewrite
from models.tables import contest, dossier, has_read, journal_chain, journal_entry, notification, scrub_finding
from models.vocabulary import DocumentStatus, DossierState

_BESIDE = (has_read, notification, scrub_finding)
_LAST_ENTRY = (journal_entry.c.dossier == journal_chain.c.dossier) & (
    journal_entry.c.sequence == journal_chain.c.sequence
)


class Expiring(NamedTuple):
    """A dossier with documents of reimbursements: when the last care of each was, and that of the oldest."""

    at: datetime
    dossier: UUID
    documents: Mapping[UUID, datetime]


class Since(NamedTuple):
    """A dossier, and since when nothing has happened in it."""

    at: datetime
    dossier: UUID


async def list_closed(database: Database, until: datetime, after: Since | None, limit: int) -> list[Since]:
    """Dossiers that are closed since no later than `until`, those closed first before the others."""
    columns = (dossier.c.state_since, dossier.c.id)
    closed = select(*columns).where(dossier.c.state == DossierState.CLOSED.value, dossier.c.state_since <= until)
    if after is not None:
        closed = closed.where(tuple_(*columns) > tuple_(*map(literal, after, (column.type for column in columns))))
    async with database.connect() as connection:
        rows = await connection.execute(closed.order_by(*columns).limit(limit))
        return [Since(*row) for row in rows]


async def list_expiring(database: Database, until: datetime, after: Expiring | None, limit: int) -> list[Expiring]:
    """Dossiers with a document of reimbursements whose last care was no later than `until`, the oldest first.

    Each with all of these that are not deleted, younger ones too; each version is one.
    """
    async with database.connect() as connection:
        rows = await connection.execute(expiring_page(until, after, limit))
        return [Expiring(at, home, dates(documents or b"", REIMBURSEMENTS)) for at, home, documents in rows]


def expiring_page(until: datetime, after: Expiring | None, limit: int) -> Select[Any]:
    """The statement of `list_expiring`."""
    columns = (dossier.c.reimbursed_since, dossier.c.id)
    expiring = select(*columns, dossier.c.documents).where(dossier.c.reimbursed_since <= until)
    if after is not None:
        types = (column.type for column in columns)
        expiring = expiring.where(tuple_(*columns) > tuple_(*map(literal, after[:2], types)))
    return expiring.order_by(*columns).limit(limit)


async def delete_expired(connection: AsyncConnection, identity: UUID, documents: Collection[UUID]) -> list[UUID]:
    """Mark these documents of one dossier deleted, with what was contested of them; gives those that were not yet.

    Their keys are the vault's to destroy, in the same transaction. Raises ConstraintError if the dossier is gone.
    """
    was = await hold_sheet(connection, identity)
    going = {
        each.id: replace(each, status=DocumentStatus.DELETED)
        for each in documents_in(was.documents)
        if each.id in documents and each.status is not DocumentStatus.DELETED
    }
    await keep_sheet(connection, identity, was, was._replace(documents=rewrite(was.documents, going)))
    contested = delete(contest).where(contest.c.dossier == identity, contest.c.document.in_(list(going)))
    await connection.execute(contested)
    return sorted(going)


async def list_traces(database: Database, until: datetime, after: UUID, limit: int) -> list[Since]:
    """Dossiers of which only a readable journal is left, whose last entry was written no later than `until`.

    By id, from the one after `after`: the nil UUID, under which entries of no dossier stand, is left out by that.
    """
    left = (
        select(journal_entry.c.at, journal_chain.c.dossier)
        .join(journal_entry, _LAST_ENTRY)
        .outerjoin(dossier, dossier.c.id == journal_chain.c.dossier)
        .where(
            journal_chain.c.dossier > after,
            journal_chain.c.wrapped.is_not(None),
            journal_entry.c.at <= until,
            dossier.c.id.is_(None),
        )
    )
    async with database.connect() as connection:
        rows = await connection.execute(left.order_by(journal_chain.c.dossier).limit(limit))
        return [Since(*row) for row in rows]


async def lock_traces(connection: AsyncConnection, chains: Sequence[UUID]) -> None:
    """Keep everybody from adding to these journals until the transaction ends, in the order in which writers lock."""
    await hold(connection, select(journal_chain.c.dossier).with_for_update(), journal_chain.c.dossier, sorted(chains))


async def find_trace(connection: AsyncConnection, identity: UUID) -> Since | None:
    """As `list_traces` lists it; None if the dossier is there again, or its journal is not readable."""
    left = (
        select(journal_entry.c.at, journal_chain.c.dossier)
        .join(journal_entry, _LAST_ENTRY)
        .outerjoin(dossier, dossier.c.id == journal_chain.c.dossier)
        .where(journal_chain.c.dossier == identity, journal_chain.c.wrapped.is_not(None), dossier.c.id.is_(None))
    )
    row = (await connection.execute(left)).one_or_none()
    return None if row is None else Since(*row)


async def forget_strays(connection: AsyncConnection) -> int:
    """Remove what an access that was on its way wrote beside a dossier after it was erased; says how many rows."""
    removed = 0
    for table in _BESIDE:
        exists = select(dossier.c.id).where(dossier.c.id == table.c.dossier).exists()
        removed += (await connection.execute(delete(table).where(~exists))).rowcount
    return removed
