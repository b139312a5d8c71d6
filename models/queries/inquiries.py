"""Inquiries on their way: whom to ask about which dossier, who is just asking, and which were given up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.holding import take
from models.tables import inquiry
from models.vocabulary import DossierState, InquirySource

_COLUMNS = (
    inquiry.c.dossier,
    inquiry.c.source,
    inquiry.c.asked_at,
    inquiry.c.attempts,
    inquiry.c.due_at,
    inquiry.c.failure,
)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What a source is to be asked about a dossier, opened at `asked_at`.

    `attempts` counts those that began; `due_at` is when the next one does, None once it was given up.
    """

    dossier: UUID
    source: InquirySource
    asked_at: datetime
    attempts: int
    due_at: datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """How many inquiries wait for an answer, and how many were given up."""

    waiting: int = 0
    given_up: int = 0


async def add_inquiries(
    connection: AsyncConnection, identity: UUID, sources: Collection[InquirySource], at: datetime
) -> None:
    """Have each of these asked about a dossier that is opened in this transaction."""
    if rows := [{"dossier": identity, "source": each.value, "asked_at": at, "due_at": at} for each in sorted(sources)]:
        await connection.execute(insert(inquiry), rows)


async def count_inquiries(database: Database) -> Unanswered:
    """By one `read`."""
    ((due, given_up),) = await database.read("SELECT count(due_at), count(*) - count(due_at) FROM inquiry")
    return Unanswered(due, given_up)


async def is_any_inquiry_due(database: Database, at: datetime) -> bool:
    """By one `read`, so that an instance with nothing to do takes no lock."""
    return bool(await database.read("SELECT 1 FROM inquiry WHERE due_at <= $1::timestamptz LIMIT 1", at))


async def take_inquiries(
    connection: AsyncConnection, sources: Collection[InquirySource], at: datetime, until: datetime, limit: int
) -> list[Inquiry]:
    """At most so many to these sources that are due, the longest first, ours to ask `until` then.

    Whoever dies meanwhile gives them up by that alone. What another instance is just taking is passed over.
    """
    due = (
        select(*_COLUMNS)
        .where(inquiry.c.due_at <= at, inquiry.c.source.in_([each.value for each in sources]))
        .order_by(inquiry.c.due_at)
    )
    taken = [_inquiry(row) for row in await take(connection, due, inquiry, limit)]
    for each in taken:
        held = {"due_at": until, "attempts": each.attempts + 1}
        await connection.execute(update(inquiry).where(_is(each)).values(held))
    return taken


async def forget_inquiry(connection: AsyncConnection, taken: Inquiry) -> None:
    """It was answered, unless somebody else has begun another attempt since, or the dossier was opened anew."""
    await connection.execute(delete(inquiry).where(_is_still(taken)))


async def put_off_inquiry(connection: AsyncConnection, taken: Inquiry, failure: str, due_at: datetime | None) -> None:
    """When the next attempt is due, None if there is none; unless it is no more this attempt's to say."""
    await connection.execute(update(inquiry).where(_is_still(taken)).values({"failure": failure, "due_at": due_at}))


async def drop_inquiries(connection: AsyncConnection, identity: UUID) -> None:
    """Ask nobody any more about this dossier."""
    await connection.execute(delete(inquiry).where(inquiry.c.dossier == identity))


async def find_state(database: Database, identity: UUID) -> DossierState:
    """As it is now, by one `read`; `none` if there is no such dossier."""
    rows = await database.read("SELECT state FROM dossier WHERE id = $1::uuid", identity)
    return DossierState(rows[0][0]) if rows else DossierState.NONE


async def list_inquiries(database: Database, *, given_up: bool, limit: int) -> list[Inquiry]:
    """Those that wait, the next one first; or those that were given up, the oldest first."""
    asked = inquiry.c.due_at.is_(None) if given_up else inquiry.c.due_at.is_not(None)
    order = (inquiry.c.asked_at if given_up else inquiry.c.due_at, inquiry.c.dossier, inquiry.c.source)
    async with database.connect() as connection:
        rows = await connection.execute(select(*_COLUMNS).where(asked).order_by(*order).limit(limit))
        return [_inquiry(row) for row in rows]


async def ask_again(connection: AsyncConnection, dossiers: Collection[UUID], at: datetime) -> frozenset[UUID]:
    """Make the inquiries about these due, or all that were given up if none is named, as if never tried; says which."""
    asked = inquiry.c.dossier.in_(dossiers) if dossiers else inquiry.c.due_at.is_(None)
    made_due = update(inquiry).where(asked).values(due_at=at, attempts=0).returning(inquiry.c.dossier)
    return frozenset((await connection.execute(made_due)).scalars())


def _inquiry(row: Sequence[Any]) -> Inquiry:
    about, source, *told = row
    return Inquiry(about, InquirySource(source), *told)


def _is(taken: Inquiry) -> ColumnElement[bool]:
    return and_(inquiry.c.dossier == taken.dossier, inquiry.c.source == taken.source.value)


def _is_still(taken: Inquiry) -> ColumnElement[bool]:
    """The attempt that was taken, and no later one."""
    return and_(_is(taken), inquiry.c.asked_at == taken.asked_at, inquiry.c.attempts == taken.attempts + 1)
