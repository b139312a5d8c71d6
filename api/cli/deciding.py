"""Decisions in a command: by the service's rules, on its facts, into its journal; counted nowhere."""

from datetime import UTC, datetime

from api.parts import Parts
from api.ruling import begin_rules
from api.services.judging import Judging
from api.settings import Settings


async def judging_of(settings: Settings, parts: Parts) -> Judging:
    """Raises PolicyError."""
    rules = await begin_rules(settings, parts, uncounted, now())
    return Judging(parts.database, rules, parts.ledger, now, uncounted)


def now() -> datetime:
    """The clock by which a command decides."""
    return datetime.now(UTC)


def uncounted(*_: object, **__: object) -> None:
    """Takes the place of what counts: a command that ends shows no metrics."""
