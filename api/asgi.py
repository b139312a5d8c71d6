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
from api.routes.health import Facts, ReadinessCheck
from api.routes.journal import JournalController
from api.routes.messages import MessagesController
from api.routes.policy import PolicyController
from api.services.decision_point import DecisionPoint
from api.services.documents import DocumentService
from api.services.dossiers import Dossiers
from api.services.journal import JournalService
from api.services.judging import Judging
from api.services.messages import MessageService
from api.services.rules import Rules
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
    PolicyController,
)

logger = structlog.get_logger()


@asynccontextmanager
async def service(settings: Settings, *, shared_metrics: Path | None = None) -> AsyncIterator[Litestar]:
    """The application, everything it needs open; closed in reverse order, the journal flushed, when the block ends.

    `shared_metrics` is the folder in which several workers add up what they count. Raises PolicyFileError,
    SettingsError, and the errors of what does not open.
    """
    async with open_parts(settings) as parts:
        metrics = Metrics(shared_metrics)
        engine = await asyncio.to_thread(Engine.load, settings.policy_dir)
        rules = Rules(settings.policy_dir, engine, _now())
        judging = Judging(parts.database, rules, parts.ledger, _now, metrics.count_decision)
        secret = await parts.key_service.secret(Secret.PSEUDONYM)
        documents = DocumentService(parts.database, judging, parts.ledger, parts.dossier_keys, parts.documents)
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
                "dossiers": Dossiers(
                    parts.database, judging, parts.ledger, parts.dossier_keys, parts.documents, secret
                ),
                "documents": documents,
                "messages": MessageService(parts.database, judging, parts.ledger, parts.dossier_keys),
                "journal": JournalService(judging, Reader(parts.database, parts.signer)),
            },
            lifespan=[_reloading_on_hangup(rules)],
        )


@dataclass(frozen=True, slots=True)
class _StoredClients:
    """The clients of the database (`api.identity.Clients`)."""

    database: Database

    async def find(self, digest: bytes) -> Client | None:
        stored = await find_client(self.database, digest)
        if stored is None:
            return None
        return Client(stored.name, stored.scopes, stored.speaks_for, stored.organization)


def _now() -> datetime:
    return datetime.now(UTC)


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

    return lifespan


async def _reload(rules: Rules) -> None:
    try:
        engine = await rules.reload(_now())
    except PolicyFileError as error:
        logger.error("policy_refused", file=str(error.file), line=error.line)  # noqa: TRY400 - the place says it all
    else:
        logger.info("policy_loaded", revision=engine.revision)
