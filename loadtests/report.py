"""What a run leaves: a table in the terminal, one JSON file, one HTML page that needs nothing else.

Percentiles are locust's: exact to the millisecond below 100 ms, to two digits above.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from rich.table import Table

_COLUMNS = ("", "requests", "a second", "failed", "p50 ms", "p95 ms", "p99 ms", "max ms")
_PAGE = Path(__file__).with_name("report.html")
_JSON, _HTML = "report.json", "report.html"


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One kind of request: how many, how many failed, and milliseconds."""

    name: str
    requests: int
    failures: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What locust saw in so many seconds; `failures` are sentences without personal data."""

    seconds: float
    endpoints: tuple[Endpoint, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, and all that it takes to measure it again."""

    measured: Measured
    command: str
    versions: Mapping[str, str]
    setting: Mapping[str, str]
    figures: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Something was asked, and every answer was right."""
        return bool(self.measured.endpoints) and not self.measured.failures

    @property
    def verdict(self) -> str:
        if self.passed:
            return "All answers are right."
        return f"FAILED: {'; '.join(self.measured.failures) or 'nothing was asked'}"

    def rows(self) -> list[tuple[str, ...]]:
        """A line for each kind of request, and one for all of them."""
        rows = [self._row(endpoint) for endpoint in self.measured.endpoints]
        requests = sum(endpoint.requests for endpoint in self.measured.endpoints)
        failures = sum(endpoint.failures for endpoint in self.measured.endpoints)
        return [*rows, ("all", f"{requests:,}", self._rate(requests), f"{failures:,}", "", "", "", "")]

    def _row(self, endpoint: Endpoint) -> tuple[str, ...]:
        times = (endpoint.p50, endpoint.p95, endpoint.p99, endpoint.longest)
        counts = (f"{endpoint.requests:,}", self._rate(endpoint.requests), f"{endpoint.failures:,}")
        return (endpoint.name, *counts, *(f"{milliseconds:,.0f}" for milliseconds in times))

    def _rate(self, requests: int) -> str:
        return f"{requests / self.measured.seconds:,.0f}" if self.measured.seconds > 0 else "0"

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=f"Load test, {self.measured.seconds:.0f} seconds")
        for name in _COLUMNS:
            table.add_column(name, justify="right" if name else "left")
        for row in self.rows():
            table.add_row(*row)
        return table

    def write(self, folder: Path) -> None:
        """`report.json` and `report.html`, in a folder that is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        told = asdict(self) | {"passed": self.passed}
        (folder / _JSON).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / _HTML).write_text(self.page(), encoding="utf-8")

    def page(self) -> str:
        """The page, with its style in it."""
        return Template(_PAGE.read_text(encoding="utf-8")).substitute(
            verdict=escape(self.verdict),
            passed="passed" if self.passed else "failed",
            seconds=f"{self.measured.seconds:.0f}",
            head="".join(f"<th>{escape(name)}</th>" for name in _COLUMNS),
            rows="\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows()),
            command=escape(self.command),
            setting=_definitions(self.setting),
            versions=_definitions(self.versions),
            figures=_definitions(self.figures),
        )


def _definitions(told: Mapping[str, str]) -> str:
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told.items())


def write_measured(path: Path, measured: Measured) -> None:
    """What one process leaves for another."""
    path.write_text(json.dumps(asdict(measured)), encoding="utf-8")


def read_measured(path: Path) -> Measured:
    """Reads it back."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    endpoints = tuple(Endpoint(**endpoint) for endpoint in told["endpoints"])
    return Measured(told["seconds"], endpoints, tuple(told["failures"]))
