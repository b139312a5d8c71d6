"""What the law lets us keep no longer (RULES §4.4): old reimbursements, dossiers closed for ten years, their traces.

A dossier is destroyed as an express erasure destroys it, a document of reimbursements as a deletion does once it has
left every view, and the service itself writes that down. Each dossier stands in a transaction of its own in which it is
looked at again, so that a run may be stopped at any instant and begun anew, and a dossier that was reopened meanwhile
is left.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.services.references import of_document, of_dossier
from models.database import Database
from models.facts import Reference
from models.queries.dossiers import erase_dossier, lock_dossier
from models.queries.policy import find_in_force
from models.queries.retention import (
    Since,
    delete_expired,
    find_trace,
    forget_strays,
    list_closed,
    list_expiring,
    list_traces,
    lock_traces,
)
from models.vocabulary import Action, DocumentStatus, DossierState
from policy.documents import has_expired
from vault.documents import Documents
from vault.journal.entry import JOURNAL_ERASE, NO_DOSSIER, SERVICE, Entry, fold
from vault.journal.erasing import erase_journal
from vault.journal.ledger import Ledger

CLOSED_YEARS = 10
"""So long a closed dossier is kept."""

REIMBURSED_MONTHS = 24
"""So long a document of reimbursements is kept: until rule `reimbursement-expired` refuses it to everyone."""

_PARIS = ZoneInfo("Europe/Paris")
_SHORTEST_YEAR = timedelta(days=365)
_AT_LEAST = timedelta(days=729)  # 24 months, and the clocks may be put on in between
_BATCH = 500
_RULE = "retention"
_SERVICE = Reference(SERVICE, _RULE)


@dataclass(slots=True)
class Retained:
    """How many of each went, or would go; `left` were due when listed and no more when their turn came."""

    reimbursements: int = 0
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
        async for _, expired in self._expired():
            found.reimbursements += len(expired)
        async for _ in self._closed():
            found.dossiers += 1
        async for _ in self._traces(traces_years):
            found.traces += 1
        return found

    async def run(self, traces_years: int) -> Retained:
        """Destroy reimbursements and dossiers, then make traces unreadable.

        Raises DatabaseError, VaultError; what is done is done.
        """
        done, revision = Retained(), await self._revision()
        async for dossier, expired in self._expired():
            gone = await self._forget(dossier, expired, revision)
            done.reimbursements += gone
            done.left += len(expired) - gone
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

    async def _expired(self) -> AsyncIterator[tuple[UUID, Sequence[UUID]]]:
        """Documents that have left every view, those of a dossier together."""
        until, after = self._now() - _AT_LEAST, None
        while page := await list_expiring(self._database, until, after, _BATCH):
            after = page[-1]
            for each in page:
                expired = [one for one, last_care in each.documents.items() if has_expired(last_care, self._now())]
                if expired:
                    yield each.dossier, expired

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

    async def _forget(self, dossier: UUID, expired: Sequence[UUID], revision: str) -> int:
        """How many of these documents were still there: keys go with the transaction, objects right after."""
        async with self._database.begin() as connection:
            if await lock_dossier(connection, dossier) is None:
                return 0
            gone = await delete_expired(connection, dossier, expired)
            if not gone:
                return 0
            erasures = [await self._documents.erase(connection, dossier, each) for each in gone]
            action, status = Action.DOCUMENT_DELETE.value, DocumentStatus.DELETED.value
            entries = [self._entry(dossier, action, of_document(each), revision, status=status) for each in gone]
            await self._ledger.append(connection, fold(entries))
        for erasure in erasures:
            await self._documents.finish(erasure)
        return len(gone)

    async def _destroy(self, dossier: UUID, revision: str) -> bool:
        """False if it is not closed any more, or was closed again since."""
        async with self._database.begin() as connection:
            match await lock_dossier(connection, dossier):
                case (DossierState.CLOSED, since) if self._is_over(since, CLOSED_YEARS):
                    erasure = await self._documents.erase_dossier(connection, dossier)
                case _:
                    return False
            await erase_dossier(connection, dossier)
            entry = self._entry(
                dossier, Action.DOSSIER_ERASE.value, of_dossier(dossier), revision, state=DossierState.NONE.value
            )
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
            await self._ledger.append(
                connection, [self._entry(NO_DOSSIER, JOURNAL_ERASE, of_dossier(dossier), revision)]
            )
            await erase_journal(connection, dossier)
        return True

    def _is_over(self, since: datetime, years: int) -> bool:
        return years_after(since, years) <= self._now()

    def _entry(self, under: UUID, action: str, about: Reference, revision: str, **change: str) -> Entry:
        return Entry(
            at=self._now(),
            dossier=under,
            subject=_SERVICE,
            action=action,
            resource=about,
            allowed=True,
            rule=_RULE,
            revision=revision,
            client=_SERVICE.type,
            request_id=_RULE,
            change=change,
        )
