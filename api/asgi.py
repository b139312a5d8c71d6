"""The service put together from its settings: what `dmp serve` runs."""

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from litestar import Litestar

from api.app import create_app
from api.identity import Client, RememberedClients
from api.inquiring import asked_of, inquiries_of, inquiring
from api.metrics import Metrics
from api.notifying import notifying, webhook_of
from api.parts import Parts, open_parts
from api.publishing import published_facts, publishing
from api.reloading import following, reloading_on_hangup
from api.replicating import replica_facts, replica_of, replicating
from api.routes.deposits import BatchController
from api.routes.documents import DocumentsController
from api.routes.dossiers import DossiersController, IdentitiesController
from api.routes.exports import ExportsController
from api.routes.feeds import FeedsController
from api.routes.health import Facts, ReadinessCheck
from api.routes.journal import JournalController
from api.routes.listings import DossierDocumentsController
from api.routes.messages import MessagesController
from api.routes.policy import PolicyController
from api.routes.reminders import reminders
from api.routes.statistics import statistics
from api.routes.treatments import TreatmentsController
from api.ruling import begin_rules
from api.scanning import clamd_of, scanner_facts
from api.sequencing import sequencing
from api.services.antivirus import Clamd
from api.services.clinical import ClinicalReader
from api.services.decision_point import DecisionPoint
from api.services.deposits import Deposits
from api.services.dispensations import DispensationFeed
from api.services.document_changes import DocumentChanges
from api.services.documents import DocumentService
from api.services.dossiers import Dossiers
from api.services.exports import ExportService
from api.services.feeds import Feeding
from api.services.inquiries import Inquiries
from api.services.journal import JournalService
from api.services.judging import Judging
from api.services.messages import MessageService
from api.services.notifications import Outbox
from api.services.reimbursements import ReimbursementFeed
from api.services.reminders import ReminderService
from api.services.rules import Rules
from api.services.statistics import StatisticsService
from api.services.titles import TitleSearch
from api.services.treating_physicians import TreatingPhysicianFeed
from api.services.treatments import TreatmentService
from api.services.versions import Versions
from api.settings import Settings
from models.database import Database, Replica
from models.queries.clients import find_client
from models.queries.notifications import Backlog
from models.vocabulary import InquirySource
from vault.journal.publishing import Publisher
from vault.journal.reading import Reader

_CONTROLLERS = (
    IdentitiesController,
    DossiersController,
    DossierDocumentsController,
    BatchController,
    DocumentsController,
    MessagesController,
    JournalController,
    TreatmentsController,
    reminders,
    ExportsController,
    FeedsController,
    statistics,
    PolicyController,
)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def service(
    settings: Settings, *, shared_metrics: Path | None = None, now: Callable[[], datetime] = _now
) -> AsyncIterator[Litestar]:
    """The application, everything it needs open; closed in reverse order, the journal flushed, when the block ends.

    `shared_metrics` is the folder in which several workers add up what they count; `now` is the clock by which
    decisions are taken. Raises PolicyError, SettingsError, and the errors of what does not open.
    """
    metrics = Metrics(shared_metrics)
    async with (
        open_parts(settings, metrics.observe_journal_batch) as parts,
        replica_of(settings, parts.database) as replica,
    ):
        rules = await begin_rules(settings, parts, metrics.count_policy_refusal, now())
        judging = Judging(parts.database, rules, parts.ledger, now, metrics.count_decision)
        outbox = _outbox(settings, parts, metrics, now)
        clamd = clamd_of(settings, metrics.count_search)
        secret, asked = parts.secrets.pseudonym, asked_of(settings)
        use_cases = _use_cases(parts, judging, clamd, asked, secret, now)
        inquiries = inquiries_of(settings, parts, use_cases, metrics, now)
        yield create_app(
            judge=DecisionPoint(parts.database, judging, replica),
            clients=RememberedClients(_StoredClients(parts.database), time.monotonic),
            readiness_checks=_checks(parts, rules, outbox, inquiries, clamd, replica, now),
            route_handlers=_CONTROLLERS,
            metrics=metrics,
            state={
                "judging": judging,
                "rules": rules,
                "is_one_of_several": shared_metrics is not None,
                "inquiries": inquiries,
                "replica": replica,
                **use_cases,
            },
            lifespan=[
                reloading_on_hangup(rules, now),
                following(rules, settings.policy_poll_seconds, now),
                notifying(outbox),
                inquiring(inquiries),
                sequencing(parts.database),
                replicating(replica, settings.replica_seconds, metrics.observe_replica),
                publishing(
                    _publisher(settings, parts),
                    settings.journal_publish_seconds,
                    now,
                    metrics.count_journal_publication,
                ),
            ],
        )


def _publisher(settings: Settings, parts: Parts) -> Publisher:
    interval = timedelta(seconds=settings.journal_publish_seconds)
    return Publisher(parts.database, parts.store, parts.signing, interval)


def _outbox(settings: Settings, parts: Parts, metrics: Metrics, now: Callable[[], datetime]) -> Outbox:
    def observe(backlog: Backlog) -> None:
        metrics.observe_notifications(backlog.waiting, backlog.dead)

    return Outbox(parts.database, webhook_of(settings), now, observe)


def _use_cases(
    parts: Parts,
    judging: Judging,
    clamd: Clamd | None,
    asked: Collection[InquirySource],
    secret: bytes,
    now: Callable[[], datetime],
) -> dict[str, object]:
    """What the controllers call, under the name by which they find it."""
    database, ledger, keys, vault = parts.database, parts.ledger, parts.dossier_keys, parts.documents
    reader = Reader(database, parts.journal_keys, parts.signer)
    documents, clinical = DocumentService(database, judging, keys, vault), ClinicalReader(database, vault)
    feeding = Feeding(database, judging, ledger, secret)
    depositing = partial(Deposits, database, judging, keys, vault, clamd)
    return {
        "dossiers": Dossiers(database, judging, keys, vault, asked, secret),
        "deposits": depositing(),
        "dispensations": DispensationFeed(database, judging, feeding, vault, depositing, secret),
        "documents": documents,
        "title_search": TitleSearch(judging, documents),
        "versions": Versions(database, judging, documents),
        "document_changes": DocumentChanges(database, judging, keys, vault),
        "messages": MessageService(database, judging, ledger, keys),
        "journal": JournalService(judging, reader),
        "exports": ExportService(database, judging, keys, vault, reader),
        "reminders": ReminderService(database, judging, keys, clinical),
        "treatments": TreatmentService(judging, documents, clinical),
        "feeding": feeding,
        "reimbursements": ReimbursementFeed(database, judging, ledger, feeding, parts.small_documents, secret),
        "treating_physicians": TreatingPhysicianFeed(database, judging, ledger, feeding),
        "statistics": StatisticsService(database, now),
    }


@dataclass(frozen=True, slots=True)
class _StoredClients:
    """The clients of the database (`api.identity.Register`)."""

    database: Database

    async def find(self, digest: bytes) -> Client | None:
        stored = await find_client(self.database, digest)
        if stored is None:
            return None
        return Client(stored.name, stored.scopes, stored.speaks_for, stored.organization)


def _checks(
    parts: Parts,
    rules: Rules,
    outbox: Outbox,
    inquiries: Inquiries,
    clamd: Clamd | None,
    replica: Replica | None,
    now: Callable[[], datetime],
) -> tuple[ReadinessCheck, ...]:
    async def policy() -> Facts:
        return rules.facts(now())

    async def database() -> Facts:
        await parts.database.read("SELECT 1")
        return {"dialect": parts.database.dialect}

    async def store() -> Facts:
        await parts.store.probe()
        return {"records_locked": parts.store.locks_records}

    async def keys() -> Facts:
        await parts.key_service.probe()
        return {}

    async def journal() -> Facts:
        return {"entries": await parts.journal_size(), **await published_facts(parts.database, now())}

    async def notifications() -> Facts:
        backlog = outbox.backlog
        return {"delivered": outbox.is_delivered, "waiting": backlog.waiting, "dead": backlog.dead}

    async def asking() -> Facts:
        unanswered = inquiries.unanswered
        return {"asked": inquiries.is_asked, "waiting": unanswered.waiting, "given_up": unanswered.given_up}

    async def antivirus() -> Facts:
        return await scanner_facts(clamd)

    async def behind() -> Facts:
        return replica_facts(replica)

    return (
        ReadinessCheck("policy", policy),
        ReadinessCheck("database", database),
        ReadinessCheck("store", store),
        ReadinessCheck("keys", keys),
        ReadinessCheck("journal", journal),
        ReadinessCheck("notifications", notifications),
        ReadinessCheck("inquiries", asking),
        ReadinessCheck("antivirus", antivirus),
        ReadinessCheck("replica", behind),
    )
