"""Telling patients, treating physicians and authors what is owed to them, by a webhook, at least once.

A notification is taken for a minute, sent, and forgotten once the receiver has answered 2xx. Whatever else happens, be
it that this process dies, leaves it to be taken again, under the same id. Any number of instances may share the work.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from api.services.webhook import MOST_REQUESTS, Failure, Webhook
from models.database import Database
from models.errors import DatabaseError
from models.queries.notifications import (
    Backlog,
    Notification,
    author_of,
    count_notifications,
    forget_delivered,
    is_any_due,
    is_withheld,
    note_failure,
    take_due,
    treating_physicians,
)
from models.vocabulary import Notice, SubjectType

ATTEMPTS = 20
"""So often a notification is tried, over three days, before it becomes a dead letter."""

_FIRST_DELAY, _LONGEST_DELAY = timedelta(seconds=5), timedelta(hours=10)
_JITTER = 0.2
_TAKEN_FOR = timedelta(minutes=1)  # longer than a request may take

# The others may not say of which document they are: it is kept from him who is told.
_NAMES_ITS_DOCUMENT = frozenset({Notice.DOCUMENT_CONTESTED.value, Notice.CONTEST_ANSWERED.value})

Addressees = Sequence[tuple[SubjectType, str]]

logger = structlog.get_logger()


def delay_after(attempts: int, luck: float) -> timedelta | None:
    """How long to wait after so many attempts, more or less by a fifth; None after the last. `luck` is in [0, 1)."""
    if attempts >= ATTEMPTS:
        return None
    return min(_FIRST_DELAY * (1 << (attempts - 1)), _LONGEST_DELAY) * (1 + _JITTER * (2 * luck - 1))


class Outbox:
    """What waits to be told; without a webhook it waits on.

    `observe` is told how much that is, at each `look`.
    """

    def __init__(
        self,
        database: Database,
        webhook: Webhook | None,
        now: Callable[[], datetime],
        observe: Callable[[Backlog], None] = lambda _: None,
        *,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._webhook = webhook
        self._now = now
        self._observe = observe
        self._luck = luck
        self.backlog = Backlog()

    @property
    def is_delivered(self) -> bool:
        """Whether there is anywhere to deliver to."""
        return self._webhook is not None

    async def look(self) -> None:
        """Count what waits."""
        self.backlog = await count_notifications(self._database, self._now())
        self._observe(self.backlog)

    async def deliver_due(self) -> int:
        """Try what is due, as much as goes at once; says how many that were. Raises DatabaseError."""
        at = self._now()
        if self._webhook is None or not await is_any_due(self._database, at):
            return 0
        async with self._database.begin() as connection:
            taken = await take_due(connection, at, at + _TAKEN_FOR, MOST_REQUESTS)
        errors = await self._deliver(self._webhook, taken)
        if errors:
            raise errors[0]
        return len(taken)

    async def close(self) -> None:
        if self._webhook is not None:
            await self._webhook.close()

    async def _deliver(self, webhook: Webhook, taken: Sequence[Notification]) -> list[BaseException]:
        """All at once, and settled as they end; what the database refuses meanwhile keeps none from ending."""
        under_way = {asyncio.create_task(self._attempt(webhook, each)): each for each in taken}
        errors: list[BaseException] = []
        try:
            while under_way:
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                ended = {task: under_way.pop(task) for task in done}
                errors += [error for task in done if (error := task.exception())]
                try:
                    await self._settle([(each, task.result()) for task, each in ended.items() if not task.exception()])
                except DatabaseError as error:
                    errors.append(error)
        finally:
            for task in under_way:
                task.cancel()
        return errors

    async def _attempt(self, webhook: Webhook, each: Notification) -> Failure | None:
        """What went wrong, if anything did; what has become moot needs no sending."""
        addressees = await self._addressees(each)
        if addressees is None:
            return None
        return await webhook.send(str(each.id), self._now(), _body(each, addressees))

    async def _settle(self, ended: Sequence[tuple[Notification, Failure | None]]) -> None:
        """Forget what was delivered meanwhile, and put off what was not, in one transaction."""
        async with self._database.begin() as connection:
            await forget_delivered(connection, [each for each, failure in ended if failure is None])
            for each, failure in ended:
                if failure is not None:
                    await self._put_off(connection, each, failure)

    async def _put_off(self, connection: AsyncConnection, each: Notification, failure: Failure) -> None:
        delay = delay_after(each.attempts + 1, self._luck())
        due_at = None if delay is None else self._now() + max(delay, min(failure.wait, _LONGEST_DELAY))
        await note_failure(connection, each, failure.what, due_at)
        event = "notification_not_delivered" if due_at else "notification_given_up"
        logger.warning(event, notification=str(each.id), attempts=each.attempts + 1, failure=failure.what)

    async def _addressees(self, each: Notification) -> Addressees | None:
        """Who is told, as it is now: perhaps nobody; None if there is nothing to tell any more."""
        match each.obligation, each.document:
            case Notice.NOTIFY_PATIENT | Notice.CONTEST_ANSWERED, _:
                return _patient(each)
            case Notice.STILL_WITHHELD, UUID() as document:
                withheld = await is_withheld(self._database, each.dossier, document, self._now())
                return _patient(each) if withheld else None
            case Notice.DOCUMENT_CONTESTED, UUID() as document:
                author = await author_of(self._database, each.dossier, document)
                return None if author is None else [(SubjectType(author.type), author.id)]
            case _:
                rpps = await treating_physicians(self._database, each.dossier, self._now())
                return [(SubjectType.PROFESSIONAL, each) for each in rpps]


def _patient(each: Notification) -> Addressees:
    return [(SubjectType.PERSON, str(each.dossier))]


def _body(each: Notification, addressees: Addressees) -> bytes:
    """What leaves: pseudonyms, identifiers and words of ours; no name, no reason, nothing that a document says."""
    told = {
        "id": str(each.id),
        "obligation": each.obligation,
        "dossier": str(each.dossier),
        "to": [{"type": type_.value, "id": id_} for type_, id_ in addressees],
        "action": each.action,
        "mode": each.mode,
        "at": each.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "sequence": each.sequence,
    }
    if each.obligation in _NAMES_ITS_DOCUMENT:
        told["document"] = str(each.document)
    return msgspec.json.encode(told)
