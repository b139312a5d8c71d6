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
from loadtests.users.process import PLAN, RECORDING, UNDER_WAY, forget
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
    """Locust asks it about once a second how many users there shall be; each is a source of visits."""

    def __init__(self) -> None:
        super().__init__()
        self.course: Course = curve(PLAN) if PLAN.shape else steps(PLAN)

    def tick(self) -> tuple[int, float] | None:
        rate = self.course.rate_at(time.time(), RECORDING, self._visits_under_way())
        _tell_dependency(self.course)
        return None if rate is None else (round(rate / PLAN.pace), _AT_ONCE)

    def _visits_under_way(self) -> int:
        return sum(_under_way.values()) if isinstance(self.runner, MasterRunner) else len(UNDER_WAY)


def _tell_dependency(course: Course) -> None:
    """The file is there while the dependency shall be slow."""
    flag = Path(f"{PLAN.measured}{plan.SLOW}")
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
    """Leave the figures where the program that started locust finds them."""
    if not isinstance(environment.runner, WorkerRunner) and environment.shape_class is not None:
        plan.write(Path(PLAN.measured), measured(PLAN, environment.shape_class.course, RECORDING))
    environment.process_exit_code = os.EX_OK
