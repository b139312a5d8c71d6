"""What locust runs: the personas, a shape that follows the plan, and what was measured, written when it ends."""

import os
import time
from pathlib import Path
from typing import Any

import locust.runners
from locust import LoadTestShape, events
from locust.runners import MasterRunner, WorkerRunner

from loadtests import plan
from loadtests.following import Course, curve, steps
from loadtests.measuring import measured
from loadtests.users.fund import Fund
from loadtests.users.hospital import Hospital
from loadtests.users.insurer import Insurer
from loadtests.users.laboratory import Laboratory
from loadtests.users.nurse import Nurse
from loadtests.users.patient import Patient
from loadtests.users.pharmacist import Pharmacist
from loadtests.users.process import PLANS, RECORDING, UNDER_WAY, forget
from loadtests.users.regulator import Regulator
from loadtests.users.specialist import Specialist
from loadtests.users.stranger import Stranger
from loadtests.users.treating_physician import TreatingPhysician
from loadtests.users.what_if import WhatIf

__all__ = [
    "Fund",
    "Hospital",
    "Insurer",
    "Laboratory",
    "Load",
    "Nurse",
    "Patient",
    "Pharmacist",
    "Regulator",
    "Specialist",
    "Stranger",
    "TreatingPhysician",
    "WhatIf",
]

locust.runners.WORKER_REPORT_INTERVAL = 1.0

_AT_ONCE = 10_000.0
"""Users that may begin within a second. Locust warns of more than a hundred: these wait before they ask anything."""

_under_way: dict[str, int] = {}
"""Of each worker, by its last report."""


class Load(LoadTestShape):
    """Locust asks it about once a second how many users there shall be; each is a source of visits.

    Workers stay for all parts of a run. If one is lost the rest ask less than is due: the run ends, and fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plans = iter(PLANS)
        self._follow(next(self._plans))
        self._lost: int | None = None

    def tick(self) -> tuple[int, float] | None:
        lost = self._workers_lost()
        rate = None if lost else self._rate()
        if rate is None:
            self._lost = lost
            return None
        _tell_dependency(self.course)
        self.runner.environment.parsed_options.pace = self.plan.pace  # which locust tells its workers with the users
        return round(rate / self.plan.pace), _AT_ONCE

    def leave(self) -> None:
        """The figures of the last part of the run. Where no worker is left locust ends it without asking here."""
        self._write(self._expected if self._lost is None else self._lost)

    def _rate(self) -> float | None:
        """Visits a second, of the part of the run that is under way; None after the last."""
        while (rate := self.course.rate_at(time.time(), RECORDING, self._visits_under_way())) is None:
            if (following := next(self._plans, None)) is None:
                return None
            self._write(lost=0)
            self._follow(following)
        return rate

    def _write(self, lost: int) -> None:
        """Where the program that started locust finds it."""
        plan.write(Path(self.plan.measured), measured(self.plan, self.course, RECORDING, lost))

    def _follow(self, told: plan.Plan) -> None:
        self.plan, self.course = told, curve(told) if told.shape else steps(told)
        forget()

    @property
    def _expected(self) -> int:
        return self.runner.environment.parsed_options.expect_workers if isinstance(self.runner, MasterRunner) else 0

    def _workers_lost(self) -> int:
        return max(0, self._expected - self.runner.worker_count) if self._expected else 0

    def _visits_under_way(self) -> int:
        return sum(_under_way.values()) if isinstance(self.runner, MasterRunner) else len(UNDER_WAY)


def _tell_dependency(course: Course) -> None:
    """The file is there while the dependency shall be slow."""
    flag = Path(f"{PLANS[0].measured}{plan.SLOW}")
    if course.is_slow != flag.exists():
        flag.touch() if course.is_slow else flag.unlink()


@events.report_to_master.add_listener
def tell(data: dict[str, Any], **_: Any) -> None:
    """A worker tells the master what it saw since it last did."""
    data["recording"], data["under_way"] = RECORDING.told(), len(UNDER_WAY)
    forget()


@events.worker_report.add_listener
def hear(client_id: str, data: dict[str, Any], **_: Any) -> None:
    """The master adds it up."""
    _under_way[client_id] = data["under_way"]
    RECORDING.merge(data["recording"])


@events.quitting.add_listener
def write(environment: Any, **_: Any) -> None:
    """After the last report of every worker."""
    if not isinstance(environment.runner, WorkerRunner) and environment.shape_class is not None:
        environment.shape_class.leave()
    environment.process_exit_code = os.EX_OK
