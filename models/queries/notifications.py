"""Notifications on their way: who takes one to deliver it, what became of it, and which were given up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.facts import Document, Reference
from models.queries.dossiers import list_relations
from models.queries.holding import take
from models.sheets import find_document
from models.tables import exercise, notification, professional
from models.ties import is_in_force
from models.vocabulary import DocumentStatus, Notice, RelationKind, SubjectType

_PHYSICIAN = "physician"
_COLUMNS = (
    notification.c.dossier,
    notification.c.id,
    notification.c.sequence,
    notification.c.obligation,
    notification.c.action,
    notification.c.mode,
    notification.c.at,
    notification.c.attempts,
    notification.c.due_at,
    notification.c.failure,
    notification.c.document,
)


@dataclass(frozen=True, slots=True)
class Notification:
    """That something was done in a dossier: `action` in `mode`, told by the journal's entry of this sequence.

    `attempts` counts those that began; `due_at` is when the next one does, None once it is a dead letter. `document` is
    the one that it tells of, where there is one.
    """

    dossier: UUID
    id: UUID
    sequence: int
    obligation: str
    action: str
    mode: str
    at: datetime
    attempts: int
    due_at: datetime | None
    failure: str | None
    document: UUID | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many notifications wait, how many are dead letters, and of how many the time has not come."""

    waiting: int = 0
    dead: int = 0
    later: int = 0


async def count_notifications(database: Database, at: datetime) -> Backlog:
    """Those never tried and due after `at` are for later; whatever was tried and will be again waits."""
    rows = await database.read(
        "SELECT count(due_at), count(*) - count(due_at), "
        "count(CASE WHEN attempts = 0 AND due_at > $1::timestamptz THEN 1 END) FROM notification",
        at,
    )
    due, dead, later = rows[0]
    return Backlog(due - later, dead, later)


async def is_any_due(database: Database, at: datetime) -> bool:
    """By one `read`, so that an instance with nothing to do takes no lock."""
    return bool(await database.read("SELECT 1 FROM notification WHERE due_at <= $1::timestamptz LIMIT 1", at))


async def take_due(connection: AsyncConnection, at: datetime, until: datetime, limit: int) -> list[Notification]:
    """At most so many that are due, the longest first, ours to deliver `until` then: nobody else takes them before.

    Whoever dies meanwhile gives them up by that alone. What another instance is just taking is passed over.
    """
    due = select(*_COLUMNS).where(notification.c.due_at <= at).order_by(notification.c.due_at)
    taken = [_notification(row) for row in await take(connection, due, notification, limit)]
    if taken:
        held = {"due_at": until, "attempts": notification.c.attempts + 1}
        await connection.execute(update(notification).where(_are(taken)).values(held))
    return taken


async def forget_delivered(connection: AsyncConnection, delivered: Sequence[Notification]) -> None:
    if delivered:
        await connection.execute(delete(notification).where(_are(delivered)))


async def note_failure(
    connection: AsyncConnection, failed: Notification, failure: str, due_at: datetime | None
) -> None:
    """When the next attempt is due, None if there is none; unless somebody else has begun another one since."""
    since = notification.c.attempts == failed.attempts + 1
    values = {"failure": failure, "due_at": due_at}
    await connection.execute(update(notification).where(_are([failed]), since).values(values))


async def list_notifications(database: Database, *, dead: bool, limit: int) -> list[Notification]:
    """Those that wait, the next one first; or the dead letters, the oldest first."""
    asked = notification.c.due_at.is_(None) if dead else notification.c.due_at.is_not(None)
    order = notification.c.at if dead else notification.c.due_at
    async with database.connect() as connection:
        rows = await connection.execute(select(*_COLUMNS).where(asked).order_by(order, notification.c.id).limit(limit))
        return [_notification(row) for row in rows]


async def try_again(connection: AsyncConnection, ids: Collection[UUID], at: datetime) -> frozenset[UUID]:
    """Make these due, or all dead letters if none is named, as if they had never been tried; says which.

    What is told after a while (`Notice.STILL_WITHHELD`) is not told before.
    """
    too_early = and_(
        notification.c.obligation == Notice.STILL_WITHHELD.value,
        notification.c.attempts == 0,
        notification.c.due_at > at,
    )
    asked = and_(notification.c.id.in_(ids), not_(too_early)) if ids else notification.c.due_at.is_(None)
    made_due = update(notification).where(asked).values(due_at=at, attempts=0).returning(notification.c.id)
    return frozenset((await connection.execute(made_due)).scalars())


async def treating_physicians(database: Database, dossier: UUID, at: datetime) -> list[str]:
    """RPPS of those in force, in order: physicians whom the patient blocks neither himself nor with all his places."""
    async with database.connect() as connection:
        held = [each for each in await list_relations(connection, dossier) if is_in_force(each, at)]
        declared = [each.party.id for each in held if each.kind is RelationKind.TREATING_PHYSICIAN]
        physicians = (
            select(professional.c.rpps, exercise.c.organization)
            .outerjoin(exercise, exercise.c.professional == professional.c.rpps)
            .where(professional.c.rpps.in_(declared), professional.c.profession == _PHYSICIAN)
        )
        rows = (await connection.execute(physicians)).all()
    blocked = {each.party for each in held if each.kind is RelationKind.BLOCKED}
    open_to = {
        rpps for rpps, place in rows if place is None or Reference(SubjectType.ORGANIZATION.value, place) not in blocked
    }
    return sorted(rpps for rpps in open_to if Reference(SubjectType.PROFESSIONAL.value, rpps) not in blocked)


async def author_of(database: Database, dossier: UUID, document: UUID) -> Reference | None:
    """Who wrote a document; None once it is deleted."""
    about = await _find(database, dossier, document)
    return None if about is None else about.author


async def is_withheld(database: Database, dossier: UUID, document: UUID, at: datetime) -> bool:
    """Whether a document is there, and kept from the patient."""
    about = await _find(database, dossier, document)
    return about is not None and about.withheld_until is not None and about.withheld_until > at


async def _find(database: Database, dossier: UUID, document: UUID) -> Document | None:
    """A document that is not deleted."""
    rows = await database.read("SELECT documents FROM dossier WHERE id = $1::uuid", dossier)
    about = find_document(rows[0][0] or b"", document) if rows else None
    return None if about is None or about.status is DocumentStatus.DELETED else about


def _notification(row: Sequence[Any]) -> Notification:
    return Notification(*row)


def _are(taken: Sequence[Notification]) -> ColumnElement[bool]:
    return tuple_(notification.c.dossier, notification.c.id).in_([(each.dossier, each.id) for each in taken])
