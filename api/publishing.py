"""What publishes the journal for as long as the service lives: every instance tries, and one at a time signs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from litestar import Litestar

from api.app import Lifespan
from api.routes.health import Facts
from models.database import Database
from models.errors import DatabaseError
from vault.errors import ProofError, RecordChangedError, VaultError
from vault.journal.publishing import Publisher, last_published

Clock = Callable[[], datetime]

_LONGEST_PAUSE_SECONDS = 5.0
"""So soon after it is time, a checkpoint is signed, and what another instance left behind is seen."""

logger = structlog.get_logger()


def publishing(publisher: Publisher, seconds: float, now: Clock, count: Callable[[str], None]) -> Lifespan:
    """Publish until the service stops; what is then under way is finished by whoever comes next."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(_repeat(publisher, min(seconds, _LONGEST_PAUSE_SECONDS), now, count))
        yield
        task.cancel()
        await asyncio.wait({task})

    return lifespan


async def published_facts(database: Database, now: datetime) -> Facts:
    """Up to which entry the journal is published, and how many seconds ago it was; nothing before it ever was."""
    last = await last_published(database)
    if last is None:
        return {}
    size, at = last
    return {"published_entries": size, "published_age_seconds": (now - at).total_seconds()}


async def _repeat(publisher: Publisher, pause: float, now: Clock, count: Callable[[str], None]) -> None:
    while True:
        try:
            for size in await publisher.publish(now()):
                logger.info("journal_published", entries=size)
                count("published")
        except (VaultError, DatabaseError) as error:
            is_refused = isinstance(error, ProofError | RecordChangedError)
            count("refused" if is_refused else "failed")
            # The journal, or what is published of it, is not what was signed: the words are ours, and name no one.
            log = logger.error if is_refused else logger.warning
            log("journal_not_published", kind=type(error).__name__, why=str(error))
        except Exception:  # publishing outlives what nobody foresaw: what is owed stays written down
            count("failed")
            logger.exception("journal_not_published")
        await asyncio.sleep(pause)
