"""What publishes the journal while the service lives, whatever it meets."""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from litestar import Litestar
from sqlalchemy import insert
from structlog.testing import capture_logs

from api.publishing import published_facts, publishing
from models.database import Database
from models.errors import DatabaseUnavailableError
from models.tables import journal_checkpoint
from vault.errors import ProofError, RecordChangedError, StoreUnavailableError
from vault.journal.publishing import Publisher

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
APP = cast("Litestar", None)  # the lifespans do not look at it


class Scripted(Publisher):
    """A publisher that meets one thing after the other, then publishes."""

    def __init__(self, *fates: Exception | list[int]) -> None:
        self.fates = deque(fates)
        self.asked: list[datetime] = []
        self.done = asyncio.Event()

    async def publish(self, now: datetime) -> list[int]:
        self.asked.append(now)
        if not self.fates:
            self.done.set()
            return []
        fate = self.fates.popleft()
        if isinstance(fate, Exception):
            raise fate
        return fate


async def outcomes(*fates: Exception | list[int]) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """What is counted, and what is logged."""
    counted: list[str] = []
    publisher = Scripted(*fates)
    with capture_logs() as logs:
        async with publishing(publisher, 0, lambda: NOW, counted.append)(APP):
            await publisher.done.wait()
        asked = len(publisher.asked)
        await asyncio.sleep(0)
    assert publisher.asked == [NOW] * asked
    told: list[tuple[str | None, ...]] = [
        (line["log_level"], line["event"], line.get("kind"), line.get("why")) for line in logs
    ]
    return counted, told


async def test_what_is_published_is_counted() -> None:
    """Each checkpoint, also several at once; and nothing where there is nothing to publish."""
    counted, told = await outcomes([300], [], [600, 700])
    assert counted == ["published"] * 3
    assert told == [("info", "journal_published", None, None)] * 3


@pytest.mark.parametrize("error", [StoreUnavailableError("it is down"), DatabaseUnavailableError("it is down")])
async def test_what_does_not_answer_is_asked_again(error: Exception) -> None:
    """The service goes on meanwhile."""
    counted, told = await outcomes(error, [300])
    assert counted == ["failed", "published"]
    assert told[0] == ("warning", "journal_not_published", type(error).__name__, "it is down")


@pytest.mark.parametrize("error", [ProofError("it was changed"), RecordChangedError("it was changed")])
async def test_what_is_not_what_was_signed_is_an_error(error: Exception) -> None:
    """And tried again too, since somebody may put it right."""
    counted, told = await outcomes(error, [300])
    assert counted == ["refused", "published"]
    assert told[0] == ("error", "journal_not_published", type(error).__name__, "it was changed")


async def test_publishing_outlives_what_nobody_foresaw() -> None:
    """Its text is not logged."""
    counted, told = await outcomes(RuntimeError("hush"), [300])
    assert counted == ["failed", "published"]
    assert told[0] == ("error", "journal_not_published", None, None)


async def test_readiness_tells_the_age_of_what_is_published(database: Database) -> None:
    """Of the newest checkpoint that is in the store; nothing before there is one."""
    assert await published_facts(database, NOW) == {}
    ages = {300: timedelta(minutes=5), 600: timedelta(minutes=2), 700: None}
    rows = [
        {"size": size, "note": "", "at": NOW, "published_at": None if age is None else NOW - age}
        for size, age in ages.items()
    ]
    async with database.begin() as connection:
        await connection.execute(insert(journal_checkpoint), rows)
    assert await published_facts(database, NOW) == {"published_entries": 600, "published_age_seconds": 120.0}
