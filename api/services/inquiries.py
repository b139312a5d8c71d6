"""Asking those who know a person what they know, when his dossier is opened, until they have answered (RULES §7).

An inquiry is taken for some minutes; the source is asked, what it answers is entered, and the inquiry is forgotten.
Whatever else happens, be it that this process dies, leaves it to be taken again: sources enter the same answer twice
without doubling anything. Any number of instances may share the work. A dossier that was closed or erased meanwhile
asks for nothing any more.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from api.errors import DmpError
from api.services.holders import ins_of
from api.services.notifications import delay_after
from models.database import Database
from models.identifiers import Ins
from models.queries.inquiries import (
    Inquiry,
    Unanswered,
    count_inquiries,
    find_state,
    forget_inquiry,
    is_any_inquiry_due,
    put_off_inquiry,
    take_inquiries,
)
from models.vocabulary import DossierState, InquirySource
from vault.errors import VaultError
from vault.keys import DossierKeys

SECONDS = 120.0
"""In which a source has to have answered, and its answer to be entered."""

_AT_ONCE = 4
_TAKEN_FOR = timedelta(minutes=5)  # longer than an attempt may take
_LONGEST_WAIT = timedelta(hours=10)
_GONE = frozenset({DossierState.NONE, DossierState.CLOSED})

logger = structlog.get_logger()


class InquiryError(DmpError):
    """A source that did not answer, or not so that all of it could be entered: it is asked again.

    `what` is in our words and repeats nothing of an answer; `wait` is what the source asked for before the next
    attempt. Where another one would meet the same, `is_final` gives it up at once.
    """

    def __init__(self, what: str, wait: timedelta = timedelta(), *, is_final: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait
        self.is_final = is_final


class Source(Protocol):
    """Who is asked, and how what it knows is entered."""

    async def enter(self, dossier: UUID, ins: Ins, asked_at: datetime) -> None:
        """Ask about the holder of a dossier that was opened at this instant, and enter the answer.

        It may have been entered before, in part or whole: nothing must be doubled. What is entered is decided, sealed
        and journaled as if the source had sent it by itself. Raises InquiryError, VaultError, DatabaseError.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Inquiries:
    """What is still to be asked; without a source it waits on.

    `observe` is told how much that is, at each `look`.
    """

    def __init__(
        self,
        database: Database,
        keys: DossierKeys,
        sources: Mapping[InquirySource, Source],
        now: Callable[[], datetime],
        observe: Callable[[Unanswered], None] = lambda _: None,
        *,
        luck: Callable[[], float] = random.random,
        seconds: float = SECONDS,
    ) -> None:
        self._database = database
        self._keys = keys
        self._sources = sources
        self._now = now
        self._observe = observe
        self._luck = luck
        self._seconds = seconds
        self.unanswered = Unanswered()

    @property
    def is_asked(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self._sources)

    async def look(self) -> None:
        """Count what waits."""
        self.unanswered = await count_inquiries(self._database)
        self._observe(self.unanswered)

    async def ask_due(self) -> int:
        """Make the inquiries that are due, as many as go at once; says how many. Raises DatabaseError."""
        at = self._now()
        if not self._sources or not await is_any_inquiry_due(self._database, at):
            return 0
        async with self._database.begin() as connection:
            taken = await take_inquiries(connection, self._sources.keys(), at, at + _TAKEN_FOR, _AT_ONCE)
        ended = await asyncio.gather(*map(self._attempt, taken), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(taken)

    async def close(self) -> None:
        for source in self._sources.values():
            await source.close()

    async def _attempt(self, each: Inquiry) -> None:
        """One inquiry, and what becomes of it."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._make(each)
        except InquiryError as error:
            await self._put_off(each, error)
        except TimeoutError:
            await self._put_off(each, InquiryError(f"not answered and entered within {self._seconds:g} seconds"))
        except VaultError:
            await self._put_off(each, InquiryError("what is sealed cannot be opened or written"))
        else:
            async with self._database.begin() as connection:
                await forget_inquiry(connection, each)

    async def _make(self, each: Inquiry) -> None:
        """Nothing, if the dossier asks for nothing any more."""
        state = await find_state(self._database, each.dossier)
        if state in _GONE:
            return
        if state is DossierState.SUSPENDED:
            raise InquiryError("the dossier is suspended")
        ins = await ins_of(self._database, self._keys, each.dossier)
        if ins is not None:
            await self._sources[each.source].enter(each.dossier, ins, each.asked_at)

    async def _put_off(self, each: Inquiry, error: InquiryError) -> None:
        attempts = each.attempts + 1
        delay = None if error.is_final else delay_after(attempts, self._luck())
        due_at = None if delay is None else self._now() + max(delay, min(error.wait, _LONGEST_WAIT))
        async with self._database.begin() as connection:
            await put_off_inquiry(connection, each, error.what, due_at)
        event = "inquiry_not_answered" if due_at else "inquiry_given_up"
        logger.warning(
            event, source=each.source.value, dossier=str(each.dossier), attempts=attempts, failure=error.what
        )
