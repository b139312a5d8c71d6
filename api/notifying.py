"""What tells whom the journal owes word to, for as long as the service lives."""

import asyncio
import base64
import binascii
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from litestar import Litestar

from api.app import Lifespan
from api.errors import SettingsError
from api.services.notifications import Outbox
from api.services.webhook import Webhook
from api.settings import Settings

_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 15.0
_LEAVE_SECONDS = 5.0
_PREFIX = "whsec_"
_SECRET_SIZES = range(24, 65)  # bytes, as the specification wants them
_MOST_SECRETS = 4
_MOST_BYTES = 1024

Work = Callable[[], Awaitable[int | None]]
"""Gives how much there was to do, if anything."""

logger = structlog.get_logger()


def webhook_of(settings: Settings) -> Webhook | None:
    """The receiver that was set, or None. Raises SettingsError on a secret that is none."""
    if settings.notify_url is None or settings.notify_secret_file is None:
        return None
    return Webhook(settings.notify_url, read_secrets(settings.notify_secret_file, "DMP_NOTIFY_SECRET_FILE"))


def read_secrets(file: Path, setting: str) -> list[bytes]:
    """The secrets of a file that nobody else may read, `whsec_<base64>` on each line.

    Raises SettingsError, which names the setting that names the file.
    """
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            msg = f"{setting} may be read by others: its mode must be 0600"
            raise SettingsError(msg)
        with file.open("rb") as opened:
            lines = opened.read(_MOST_BYTES).decode("ascii").split()
    except OSError:
        msg = f"{setting} cannot be read"
        raise SettingsError(msg) from None
    except ValueError:
        lines = []
    secrets = [secret for line in lines if (secret := _secret(line)) is not None]
    if not 0 < len(secrets) == len(lines) <= _MOST_SECRETS:
        msg = f"{setting} must hold 1 to {_MOST_SECRETS} lines, each whsec_ and 24 to 64 bytes in base64"
        raise SettingsError(msg)
    return secrets


def notifying(outbox: Outbox) -> Lifespan:
    """Deliver what is due, and count what waits."""
    deliver = outbox.deliver_due if outbox.is_delivered else None
    return working("notifications_halted", outbox.look, deliver, outbox.close)


def working(halted: str, look: Work, work: Work | None, close: Callable[[], Awaitable[None]]) -> Lifespan:
    """Work, and look at what is left, until the service stops; what is under way then may end.

    `halted` is what the log says of what nobody foresaw.
    """

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        tasks = {asyncio.create_task(_repeat(halted, look, _LOOK_SECONDS, stopping))}
        if work is not None:
            tasks.add(asyncio.create_task(_repeat(halted, work, _PAUSE_SECONDS, stopping)))
        yield
        stopping.set()
        _, late = await asyncio.wait(tasks, timeout=_LEAVE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        await close()

    return lifespan


async def _repeat(halted: str, work: Work, seconds: float, stopping: asyncio.Event) -> None:
    """Work, and pause whenever nothing is left to do."""
    while not stopping.is_set():
        try:
            left = await work()
        except Exception:  # it outlives what nobody foresaw: what is owed or to be asked stays written down
            logger.exception(halted)
            left = None
        if not left:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await stopping.wait()


def _secret(line: str) -> bytes | None:
    if not line.startswith(_PREFIX):
        return None
    try:
        secret = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return None
    return secret if len(secret) in _SECRET_SIZES else None
