"""What keeps the rules up to date while the service lives: a signal, and for signed rules a look at each interval."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from litestar import Litestar

from api.app import Lifespan
from api.services.rules import Rules
from api.services.signed_rules import SignedRules
from api.services.swaps import Occasion
from models.errors import DatabaseError
from policy.errors import BundleError, PolicyFileError
from vault.errors import VaultError

Clock = Callable[[], datetime]

logger = structlog.get_logger()


def reloading_on_hangup(rules: Rules, now: Clock) -> Lifespan:
    """SIGHUP loads the rules again."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def reload() -> None:
            task = loop.create_task(reload_by_signal(rules, now()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        gc.collect()
        gc.freeze()  # what start-up made stays: the collector need not walk it again during a request
        yield
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # else one that comes now would end the process

    return lifespan


async def reload_by_signal(rules: Rules, at: datetime) -> None:
    """Nobody waits for the answer, so whatever is wrong is logged."""
    try:
        await rules.reload(Occasion.of_service("signal"), at)
    except PolicyFileError as error:
        logger.error("policy_refused", file=str(error.file), line=error.line)  # noqa: TRY400 - the place says it all
    except BundleError:
        pass  # told where it was found
    except (DatabaseError, VaultError) as error:
        logger.error("policy_not_reloaded", kind=type(error).__name__)  # noqa: TRY400 - the kind says it all


def following(rules: Rules, seconds: float, now: Clock) -> Lifespan:
    """Signed rules are polled for as long as the service answers; a folder waits to be loaded again."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(_poll(rules, seconds, now)) if isinstance(rules, SignedRules) else None
        yield
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    return lifespan


async def _poll(rules: SignedRules, seconds: float, now: Clock) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await rules.poll(now())
        except (
            Exception
        ):  # following outlives what nobody foresaw: without it, rules would only say that they are stale
            logger.exception("policy_not_polled")
