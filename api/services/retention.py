"""What the law lets us keep no longer (RULES §4.4): dossiers closed for ten years, and then their traces.

A dossier is destroyed as an express erasure destroys it, and the service itself writes that down. Each stands in a
transaction of its own in which it is looked at again, so that a run may be stopped at any instant and begun anew, and
a dossier that was reopened meanwhile is left.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.services.references import of_dossier
from models.database import Database
from models.facts import Reference
from models.queries.dossiers import erase_dossier, lock_dossier
from models.queries.policy import find_in_force
from models.queries.retention import (
    Since,
    find_trace,
    forget_strays,
    list_closed,
    list_traces,
    lock_traces,
)
from models.vocabulary import Action, DossierState
from vault.documents import Documents
from vault.journal.entry import JOURNAL_ERASE, NO_DOSSIER, SERVICE, Entry
from vault.journal.erasing import erase_journal
from vault.journal.ledger import Ledger

CLOSED_YEARS = 10
"""So long a closed dossier is kept."""

_PARIS = ZoneInfo("Europe/Paris")
_SHORTEST_YEAR = timedelta(days=365)
_BATCH = 500
_RULE = "retention"
_SERVICE = Reference(SERVICE, _RULE)


@dataclass(slots=True)
class Retained:
    """How many dossiers and traces went, or would go; `left` were due when listed and no more when their turn came."""

    dossiers: int = 0
    traces: int = 0
    left: int = 0
    strays: int = 0


def years_after(since: datetime, years: int) -> datetime:
    """The same day and hour so many years later, in France; from 29 February, where there is none, 28 February."""
    begun = since.astimezone(_PARIS)
    try:
        return begun.replace(year=begun.year + years)
    except ValueError:
        return begun.replace(year=begun.year + years, day=28)


class Retention:
    """Destroys what is kept no longer; `now` is the clock by which that is judged."""

    def __init__(self, database: Database, documents: Documents, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._database = database
        self._documents = documents
        self._ledger = ledger
        self._now = now

    async def count(self, traces_years: int) -> Retained:
        """What `run` would do now; nothing is changed.

        A dossier that it would destroy is not counted among the traces: they are kept on from then.
        """
        found = Retained()
        async for _ in self._closed():
            found.dossiers += 1
        async for _ in self._traces(traces_years):
            found.traces += 1
        return found

    async def run(self, traces_years: int) -> Retained:
        """Destroy dossiers, then make traces unreadable. Raises DatabaseError, VaultError; what is done is done."""
        done, revision = Retained(), await self._revision()
        async for closed in self._closed():
            if await self._destroy(closed.dossier, revision):
                done.dossiers += 1
            else:
                done.left += 1
        async for traces in self._traces(traces_years):
            if await self._erase_traces(traces.dossier, traces_years, revision):
                done.traces += 1
            else:
                done.left += 1
        async with self._database.begin() as connection:
            done.strays = await forget_strays(connection)
        return done

    async def _revision(self) -> str:
        """Of the rules in force: entries name them, though none of them decides here."""
        in_force = await find_in_force(self._database)
        return in_force.revision if in_force is not None else ""

    async def _closed(self) -> AsyncIterator[Since]:
        until, after = self._now() - CLOSED_YEARS * _SHORTEST_YEAR, None
        while page := await list_closed(self._database, until, after, _BATCH):
            after = page[-1]
            for each in page:
                if self._is_over(each.at, CLOSED_YEARS):
                    yield each

    async def _traces(self, years: int) -> AsyncIterator[Since]:
        until, after = self._now() - years * _SHORTEST_YEAR, NO_DOSSIER
        while page := await list_traces(self._database, until, after, _BATCH):
            after = page[-1].dossier
            for each in page:
                if self._is_over(each.at, years):
                    yield each

    async def _destroy(self, dossier: UUID, revision: str) -> bool:
        """False if it is not closed any more, or was closed again since."""
        async with self._database.begin() as connection:
            match await lock_dossier(connection, dossier):
                case (DossierState.CLOSED, since) if self._is_over(since, CLOSED_YEARS):
                    erasure = await self._documents.erase_dossier(connection, dossier)
                case _:
                    return False
            await erase_dossier(connection, dossier)
            entry = self._entry(dossier, Action.DOSSIER_ERASE.value, dossier, revision, state=DossierState.NONE.value)
            await self._ledger.append(connection, [entry])
        await self._documents.finish(erasure)
        return True

    async def _erase_traces(self, dossier: UUID, years: int, revision: str) -> bool:
        """False if something was written there meanwhile. It is told where entries of no dossier stand."""
        async with self._database.begin() as connection:
            await lock_traces(connection, [NO_DOSSIER, dossier])
            traces = await find_trace(connection, dossier)
            if traces is None or not self._is_over(traces.at, years):
                return False
            await self._ledger.append(connection, [self._entry(NO_DOSSIER, JOURNAL_ERASE, dossier, revision)])
            await erase_journal(connection, dossier)
        return True

    def _is_over(self, since: datetime, years: int) -> bool:
        return years_after(since, years) <= self._now()

    def _entry(self, under: UUID, action: str, dossier: UUID, revision: str, **change: str) -> Entry:
        return Entry(
            at=self._now(),
            dossier=under,
            subject=_SERVICE,
            action=action,
            resource=of_dossier(dossier),
            allowed=True,
            rule=_RULE,
            revision=revision,
            client=_SERVICE.type,
            request_id=_RULE,
            change=change,
        )
