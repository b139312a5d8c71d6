"""What one process of a load test tells the others: written by `dmp-loadtest run`, read by locust and its workers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from loadtests.recording import Figures, Kind
from loadtests.stepping import Step

VARIABLE = "DMP_LOADTEST_PLAN"
"""The environment variable that says where the plan is."""

SLOW = ".slow"
"""Ends the name of a file that is there while a dependency shall be slow; it begins with that of what is measured."""

SOURCES = 100
"""So many users of locust make the full rate: each begins its visits by the clock, and waits for none."""


class Plan(msgspec.Struct, frozen=True):
    """Whom to ask, with whose keys; how much, for how long; and where to leave what was measured.

    A file has one for each part of a run, the shape and the steps: those who ask serve all of them. `shape` None means
    steps, each of so many seconds, from the rate upwards.
    """

    address: str
    key: str
    fund_key: str | None
    dossiers: int
    seed: int
    shape: str | None
    rate: float
    seconds: float
    warm_up_seconds: float
    most_visits: int
    most_under_way: int
    p99_limit: float
    measured: str
    personas: Sequence[str] = ()
    """Those that ask; all of them if none is named."""

    @property
    def pace(self) -> float:
        """Visits a second of each source."""
        return self.rate / SOURCES


class Second(msgspec.Struct, frozen=True):
    """What came in a second after the begin, and how many visits were due in it."""

    number: int
    due: float
    figures: Figures


class Measured(msgspec.Struct, frozen=True):
    """What all processes of locust saw together."""

    began: float
    counted_seconds: int
    """That are asked in, and warm: those of the figures by kind."""
    whole: Figures
    late_p99: float
    kinds: Sequence[tuple[Kind, Figures]]
    seconds: Sequence[Second]
    stalls: Sequence[str]
    failures: Sequence[str]
    failed: int = 0
    wrong: int = 0
    lost: int = 0
    """Workers of locust that were not there any more: the rest asked less than was due, and it ended."""
    steps: list[Step] = []
    best: Step | None = None


def write(path: Path, told: Sequence[Plan] | Measured) -> None:
    """Readable by its owner alone: a plan has keys in it."""
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(told))


def read(path: Path, kind: type[Any]) -> Any:
    """Raises msgspec.MsgspecError on what is no such thing."""
    return msgspec.json.decode(path.read_bytes(), type=kind)
