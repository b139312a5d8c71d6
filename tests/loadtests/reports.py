"""Reports, made up."""

from typing import Any

from loadtests.plan import Measured, Second
from loadtests.processes import Sample
from loadtests.recording import Figures
from loadtests.reporting import Report, report_of
from loadtests.stepping import Step

KIND = ("nurse", "decision")
FIGURES = Figures(1_000, 0, 2.0, 5.0, 9.0, 20.0, 31.0)
CARRIED, REFUSED = Step(100.0, 210.0, 0, 3.0, 30.0, 0.5), Step(150.0, 300.0, 2, 9.0, 120.0, 40.0)


def a_shape(figures: Figures = FIGURES, **more: Any) -> Measured:
    told: dict[str, Any] = {
        "began": 1_800_000_000.0,
        "counted_seconds": 10,
        "whole": figures,
        "late_p99": 0.4,
        "kinds": [(KIND, figures)],
        "seconds": [Second(number, 100.0, figures) for number in range(10)],
        "stalls": [],
        "failures": [],
    }
    return Measured(**told | more)


def some_steps(**more: Any) -> Measured:
    told: dict[str, Any] = {"seconds": [], "steps": [CARRIED, REFUSED], "best": CARRIED}
    return a_shape(**told | more)


def samples(*megabytes: int) -> list[Sample]:
    return [Sample(1_800_000_000.0 + at, 0.5, held * 1_000_000, 1) for at, held in enumerate(megabytes)]


def a_report(shape: Measured | None = None, steps: Measured | None = None, **more: Any) -> Report:
    told: dict[str, Any] = {
        "shape_name": "steady",
        "p99_limit": None,
        "processes": {"service": samples(100, 101, 102, 101)},
        "command": "dmp-loadtest run steady",
        "setting": {
            "shape": "steady: one rate",
            "population": "10,000 dossiers from seed 1",
            "service": "1 worker, SQLite",
            "machine": "two <cores>",
        },
        "versions": {"Python": "3.11"},
        "database_bytes": 27_000_000,
        "figures": {"nurse": "20 (assumption)"},
    }
    return report_of(shape or a_shape(), steps, **told | more)
