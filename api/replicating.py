"""What sees how far the replica is behind, for as long as the service lives, and tells the operator."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar

from api.app import Lifespan
from api.errors import SettingsError
from api.routes.health import Facts
from api.settings import Settings
from models.database import Database, Replica, Standing, open_replica
from models.errors import DatabaseError

_PAUSE_SECONDS = 1.0
_LOOKS = 5
"""So often within the time that it may be behind, if that is short, so that this time is not used up by not looking."""

logger = structlog.get_logger()


@asynccontextmanager
async def replica_of(settings: Settings, database: Database) -> AsyncIterator[Replica | None]:
    """The replica that was set, or None; left when the block ends.

    Raises SettingsError, which does not repeat its address.
    """
    if settings.replica_url is None:
        yield None
        return
    try:
        replica = open_replica(settings.replica_url, database, settings.replica_seconds, time.monotonic, _log)
    except DatabaseError as error:
        msg = f"DMP_REPLICA_URL: {error}"
        raise SettingsError(msg) from None
    try:
        yield replica
    finally:
        replica.close()


def replicating(replica: Replica | None, seconds: float, observe: Callable[[float], None]) -> Lifespan:
    """Look at it until the service stops; `observe` is told by how many seconds it is behind, infinity if unusable."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        if replica is None:
            yield
            return
        task = asyncio.create_task(_repeat(replica, min(_PAUSE_SECONDS, seconds / _LOOKS), observe))
        yield
        task.cancel()
        await asyncio.wait({task})

    return lifespan


def replica_facts(replica: Replica | None) -> Facts:
    """How it stands. Searches go on without it, so it never makes the service unready."""
    if replica is None:
        return {"on": False}
    told: dict[str, str | float | bool] = {"on": True, "standing": replica.standing.value}
    return told if replica.stale_seconds is None else told | {"stale_seconds": round(replica.stale_seconds, 3)}


async def _repeat(replica: Replica, pause: float, observe: Callable[[float], None]) -> None:
    while True:
        try:
            await replica.look()
        except Exception:  # looking outlives what nobody foresaw: what it saw last grows old, and is then not used
            logger.exception("replica_not_seen")
        observe(math.inf if replica.stale_seconds is None else replica.stale_seconds)
        await asyncio.sleep(pause)


def _log(standing: Standing, why: str) -> None:
    log = logger.info if standing is Standing.CURRENT else logger.warning
    log("replica_standing", standing=standing.value, **({"why": why} if why else {}))
