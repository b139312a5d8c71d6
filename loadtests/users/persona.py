"""What all personas have in common: visits that begin by the clock and are not waited for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gevent
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, task

from loadtests.profile import MIX
from loadtests.users.process import PLAN, RECORDING, UNDER_WAY, clock, source_of
from loadtests.users.visit import Visit, VisitEndedError

NO_ROOM = "too many visits are under way: this one was not begun"
"""A visit is lost, and the run with it: the service falls ever further behind."""

_PATIENCE_SECONDS = 30.0


class Persona(FastHttpUser):
    """A source of visits at the plan's pace, irregular as arrivals are (Poisson)."""

    abstract = True
    persona: str
    client_pool = HTTPClientPool(
        concurrency=PLAN.most_under_way, network_timeout=_PATIENCE_SECONDS, connection_timeout=_PATIENCE_SECONDS
    )

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.weight = int(MIX[cls.persona].value)
        if PLAN.personas and cls.persona not in PLAN.personas:
            cls.abstract = True  # locust runs none of these

    def on_start(self) -> None:
        self.source = source_of(self.environment.runner.worker_index)
        self._due = clock()
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Until the next visit is due; none if it is due already. Each part of a run has its own pace."""
        self._due += self.source.random.expovariate(self.environment.parsed_options.pace)
        return max(0.0, self._due - clock())

    def begin(self, follow: Callable[[Any, Visit], None]) -> None:
        """What is due begins, and takes its time elsewhere."""
        if not UNDER_WAY.free_count():
            RECORDING.sentences[f"{self.persona}: {NO_ROOM}"] += 1
            return
        UNDER_WAY.spawn(self._followed, follow, Visit(self.persona, self.client, self._due))

    def _followed(self, follow: Callable[[Any, Visit], None], visit: Visit) -> None:
        try:
            follow(self, visit)
        except VisitEndedError:
            pass  # counted where it failed
        except Exception as error:  # noqa: BLE001 - whatever it is, the run has failed and must say so
            RECORDING.sentences[f"{self.persona}: the visit could not go on ({type(error).__name__}: {error})"] += 1


def visit(weight: int = 1) -> Callable[[Callable[[Any, Visit], None]], Any]:
    """Declares what a persona does; so many times as often as what has the weight 1."""

    def declare(follow: Callable[[Any, Visit], None]) -> Any:
        @task(weight)
        @wraps(follow)
        def begin(self: Persona) -> None:
            self.begin(follow)

        return begin

    return declare
