"""What a process of locust holds: the plan, the population, what it saw, and the visits that are under way."""

import os
import time
from functools import lru_cache
from pathlib import Path
from random import Random

from gevent.pool import Pool

from loadtests import plan
from loadtests.drawing import Source
from loadtests.population import Population
from loadtests.recording import Recording

PLANS: list[plan.Plan] = plan.read(Path(os.environ[plan.VARIABLE]), list[plan.Plan])
PLAN = PLANS[0]
"""What is alike in all parts of the run: whom to ask, with whose keys, and about which population."""

_AHEAD = 32
"""Dossiers computed at once: more would make whatever is due meanwhile wait."""

UNDER_WAY = Pool(PLAN.most_under_way)

RECORDING = Recording()
"""Since the last report, in a worker; all of it, where there are none."""

PERSONS: dict[int, str] = {}
"""Pseudonyms that were asked for, by the dossier's number: as software keeps them."""

MOST_PERSONS = 200_000

clock = time.perf_counter
"""Seconds that only go forward, by which visits are due."""

_first_due: list[float] = []


@lru_cache(maxsize=1)
def source_of(worker: int) -> Source:
    """What this process draws: like no other, and like the same one in the next run."""
    return Source(Population(PLAN.dossiers, PLAN.seed), Random(f"{PLAN.seed}/{worker}"), _AHEAD)


def is_warm() -> bool:
    """Whether this process has asked for long enough that latencies count."""
    if not _first_due:
        _first_due.append(clock())
    return clock() - _first_due[0] >= PLAN.warm_up_seconds


def forget() -> None:
    """Begin to record anew."""
    fresh = Recording()
    for name in ("kinds", "seconds", "late", "sentences"):
        setattr(RECORDING, name, getattr(fresh, name))
