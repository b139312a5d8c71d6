"""The service put together from its settings: what `dmp serve` runs."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from litestar import Litestar

from api.app import create_app
from api.identity import Client, RememberedClients
from api.metrics import Metrics
from api.parts import Parts, open_parts
from api.routes.documents import DepositController, DocumentsController
from api.routes.dossiers import DossiersController, IdentitiesController
from api.routes.exports import ExportsController
from api.routes.feeds import FeedsController
from api.routes.health import Facts, ReadinessCheck
from api.routes.journal import JournalController
from api.routes.messages import MessagesController
from api.routes.policy import PolicyController
from api.routes.statistics import statistics
from api.routes.treatments import TreatmentsController
from api.services.decision_point import DecisionPoint
from api.services.deposits import Deposits
from api.services.document_changes import DocumentChanges
from api.services.documents import DocumentService
from api.services.dossiers import Dossiers
from api.services.exports import ExportService
from api.services.feeds import Feeding
from api.services.journal import JournalService
from api.services.judging import Judging
from api.services.messages import MessageService
from api.services.reimbursements import ReimbursementFeed
from api.services.reminders import ReminderService
from api.services.rules import Rules
from api.services.statistics import StatisticsService
from api.services.treating_physicians import TreatingPhysicianFeed
from api.settings import Settings
from models.database import Database
from models.queries.clients import find_client
from policy.engine import Engine
from policy.errors import PolicyFileError
from vault.journal.reading import Reader
from vault.keys import Secret

_CONTROLLERS = (
    IdentitiesController,
    DossiersController,
    DepositController,
    DocumentsController,
    MessagesController,
    JournalController,
    TreatmentsController,
    ExportsController,
    FeedsController,
    statistics,
    PolicyController,
)

logger = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def service(
    settings: Settings, *, shared_metrics: Path | None = None, now: Callable[[], datetime] = _now
) -> AsyncIterator[Litestar]:
    """The application, everything it needs open; closed in reverse order, the journal flushed, when the block ends.

    `shared_metrics` is the folder in which several workers add up what they count; `now` is the clock by which
    decisions are taken. Raises PolicyFileError, SettingsError, and the errors of what does not open.
    """
    metrics = Metrics(shared_metrics)
    async with open_parts(settings, metrics.observe_journal_batch) as parts:
        engine = await asyncio.to_thread(Engine.load, settings.policy_dir)
        rules = Rules(settings.policy_dir, engine, _now())
        judging = Judging(parts.database, rules, parts.ledger, now, metrics.count_decision)
        secret = await parts.key_service.secret(Secret.PSEUDONYM)
        yield create_app(
            judge=DecisionPoint(parts.database, judging),
            clients=RememberedClients(_StoredClients(parts.database), time.monotonic),
            readiness_checks=_checks(parts, rules),
            route_handlers=_CONTROLLERS,
            metrics=metrics,
            state={
                "judging": judging,
                "rules": rules,
                "is_one_of_several": shared_metrics is not None,
                **_use_cases(parts, judging, secret, now),
            },
            lifespan=[_reloading_on_hangup(rules)],
        )


def _use_cases(parts: Parts, judging: Judging, secret: bytes, now: Callable[[], datetime]) -> dict[str, object]:
    """What the controllers call, under the name by which they find it."""
    database, ledger, keys, vault = parts.database, parts.ledger, parts.dossier_keys, parts.documents
    reader = Reader(database, parts.signer)
    feeding = Feeding(database, judging, ledger, secret)
    return {
        "dossiers": Dossiers(database, judging, keys, vault, secret),
        "deposits": Deposits(database, judging, keys, vault),
        "documents": DocumentService(database, judging, keys, vault),
        "document_changes": DocumentChanges(database, judging, keys, vault),
        "messages": MessageService(database, judging, ledger, keys),
        "journal": JournalService(judging, reader),
        "exports": ExportService(database, judging, ledger, keys, vault, reader),
        "reminders": ReminderService(database, judging),
        "feeding": feeding,
        "reimbursements": ReimbursementFeed(database, judging, ledger, feeding, vault, secret),
        "treating_physicians": TreatingPhysicianFeed(database, judging, ledger, feeding),
        "statistics": StatisticsService(database, now),
    }


@dataclass(frozen=True, slots=True)
class _StoredClients:
    """The clients of the database (`api.identity.Clients`)."""

    database: Database

    async def find(self, digest: bytes) -> Client | None:
        stored = await find_client(self.database, digest)
        if stored is None:
            return None
        return Client(stored.name, stored.scopes, stored.speaks_for, stored.organization)


def _checks(parts: Parts, rules: Rules) -> tuple[ReadinessCheck, ...]:
    async def policy() -> Facts:
        return {"revision": rules.engine.revision, "age_seconds": round((_now() - rules.loaded_at).total_seconds())}

    async def database() -> Facts:
        await parts.database.read("SELECT 1")
        return {"dialect": parts.database.dialect}

    async def store() -> Facts:
        await parts.store.probe()
        return {}

    async def keys() -> Facts:
        await parts.key_service.probe()
        return {}

    async def journal() -> Facts:
        return {"entries": await parts.journal_size()}

    return (
        ReadinessCheck("policy", policy),
        ReadinessCheck("database", database),
        ReadinessCheck("store", store),
        ReadinessCheck("keys", keys),
        ReadinessCheck("journal", journal),
    )


def _reloading_on_hangup(rules: Rules) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def reload() -> None:
            task = loop.create_task(_reload(rules))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        gc.collect()
        gc.freeze()  # what start-up made stays: the collector need not walk it again during a request
        yield
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # else one that comes now would end the process

    return lifespan


async def _reload(rules: Rules) -> None:
    try:
        engine = await rules.reload(_now())
    except PolicyFileError as error:
        logger.error("policy_refused", file=str(error.file), line=error.line)  # noqa: TRY400 - the place says it all
    else:
        logger.info("policy_loaded", revision=engine.revision)
