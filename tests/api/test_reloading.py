"""What keeps the rules up to date while the service lives."""

import asyncio
import gc
import os
import signal
from datetime import UTC, datetime
from typing import cast

from litestar import Litestar
from structlog.testing import capture_logs

from api.reloading import following, reloading_on_hangup
from api.services.rules import Rules
from api.services.signed_rules import SignedRules
from api.services.swaps import Occasion

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
APP = cast("Litestar", None)  # the lifespans do not look at it


class Followed(SignedRules):
    """Signed rules that fail at every second poll, as nobody foresaw."""

    def __init__(self) -> None:
        self.polled: list[datetime] = []
        self.often = asyncio.Event()

    async def poll(self, at: datetime) -> None:
        self.polled.append(at)
        if len(self.polled) == 5:
            self.often.set()
        if len(self.polled) % 2:
            raise RuntimeError("hush")


class Reloaded(Rules):
    """Rules of any kind, which note when they are loaded again."""

    def __init__(self) -> None:
        self.reloaded: list[tuple[Occasion, datetime]] = []
        self.done = asyncio.Event()

    async def reload(self, occasion: Occasion, at: datetime) -> None:
        self.reloaded.append((occasion, at))
        self.done.set()


async def test_signed_rules_are_polled_until_the_service_ends() -> None:
    """Whatever a poll meets; its text is not logged."""
    rules = Followed()
    with capture_logs() as logs:
        async with following(rules, 0, lambda: NOW)(APP):
            await rules.often.wait()
        polled = len(rules.polled)
        await asyncio.sleep(0)
    assert rules.polled == [NOW] * polled
    assert {line["event"] for line in logs} == {"policy_not_polled"}


async def test_the_rules_of_a_folder_are_not_polled() -> None:
    """Whoever changes the folder says when it is ready."""
    rules = Reloaded()
    before = asyncio.all_tasks()
    async with following(rules, 0, lambda: NOW)(APP):
        assert asyncio.all_tasks() == before
    assert rules.reloaded == []


async def test_a_hangup_loads_them_again() -> None:
    """One that comes when the service has ended does nothing."""
    rules = Reloaded()
    handler = signal.getsignal(signal.SIGHUP)
    try:
        async with reloading_on_hangup(rules, lambda: NOW)(APP):
            os.kill(os.getpid(), signal.SIGHUP)
            await rules.done.wait()
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, handler)
        gc.unfreeze()
    assert rules.reloaded == [(Occasion.of_service("signal"), NOW)]
