"""The antivirus that is set, and what readiness tells of it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from api.routes.health import Facts
from api.services.antivirus import Address, Clamd
from api.settings import Settings


def clamd_of(settings: Settings, count: Callable[[str], None]) -> Clamd | None:
    """The daemon that was set, or None; `count` is told how each search ended."""
    if settings.antivirus_url is None:
        return None
    parts = urlsplit(settings.antivirus_url)
    address = Address(parts.path or None, parts.hostname or "", parts.port or 0)
    return Clamd(address, count)


async def scanner_facts(clamd: Clamd | None) -> Facts:
    """Whether contents are searched, and whether the daemon answers.

    Without an answer nothing is deposited, but all else is done: readiness does not take that away.
    """
    if clamd is None:
        return {"on": False}
    return {"on": True, "answers": await clamd.answers()}
