"""`dmp-loadtest compare`: what regressed from one report to another."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from loadtests.reporting import Report, read

_SERVICE = "service"
_LEAST_ANSWERS = 100
"""Fewer tell nothing about a percentile near the end."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Something measured twice; `floor` is a difference that counts for nothing."""

    name: str
    before: float
    after: float
    unit: str
    floor: float
    more_is_better: bool = False

    def regressed(self, tolerance: float) -> bool:
        """Whether it is worse by more than that part, and by more than nothing."""
        worse, than = (self.before, self.after) if self.more_is_better else (self.after, self.before)
        return worse > than * (1 + tolerance) and worse - than > self.floor

    @property
    def change(self) -> str:
        return f"{self.after / self.before - 1:+.0%}" if self.before else "new"


def compared(before: Report, after: Report) -> Iterator[Compared]:
    """What both reports have of answers, capacity, latencies, what the service took, and size."""
    yield Compared("wrong answers", _wrong(before), _wrong(after), "", 0)
    if before.shape and after.shape:
        yield Compared("failed or missing answers", before.shape.failed, after.shape.failed, "", 0)
    if before.steps and after.steps:
        for unit, one, other in zip(("visits/s", "answers/s"), _carried(before), _carried(after), strict=True):
            yield Compared("carried", one, other, unit, 0, more_is_better=True)
    yield from _latencies(before, after)
    yield from _taken(before, after)
    if before.database_bytes and after.database_bytes:
        yield Compared("database", before.database_bytes / 1e6, after.database_bytes / 1e6, "MB", 10)


def unlike(before: Report, after: Report) -> list[str]:
    """What was not the same, so that a reader knows what is compared."""
    earlier, later = ({**report.setting, **report.versions} for report in (before, after))
    pairs = [(name, earlier.get(name, "unknown"), later.get(name, "unknown")) for name in earlier | later]
    return [f"{name}: {one} | {other}" for name, one, other in pairs if one != other]


def _latencies(before: Report, after: Report) -> Iterator[Compared]:
    if not before.shape or not after.shape:
        return
    earlier, later = dict(before.shape.kinds), dict(after.shape.kinds)
    pairs = [("all answers", before.shape.whole, after.shape.whole)]
    pairs += [(", ".join(kind), earlier[kind], later[kind]) for kind in earlier if kind in later]
    for name, one, other in pairs:
        yield Compared(f"{name}: p50", one.p50, other.p50, "ms", 1)
        if min(one.answers, other.answers) >= _LEAST_ANSWERS:
            yield Compared(f"{name}: p99", one.p99, other.p99, "ms", 2)


def _taken(before: Report, after: Report) -> Iterator[Compared]:
    """Of the service: the processor time of an answer, and the most memory that each of its processes had."""
    earlier, later = _processor_milliseconds(before), _processor_milliseconds(after)
    if earlier and later:
        yield Compared("processor time an answer, service", earlier, later, "ms", 0.05)
    for name in before.processes:
        if name.startswith(_SERVICE) and name in after.processes:
            yield Compared(f"memory, {name}", _memory(before, name), _memory(after, name), "MB", 10)


def _processor_milliseconds(report: Report) -> float:
    """Of an answer, of all that came while the service was looked at; 0 where it was not."""
    ours = (samples for name, samples in report.processes.items() if name.startswith(_SERVICE))
    spent = sum(one.cores * (one.at - last.at) for samples in ours for last, one in pairwise(samples))
    measured = (each for each in (report.shape, report.steps) if each)
    answers = sum(second.figures.answers for each in measured for second in each.seconds)
    return 1_000 * spent / answers if answers else 0.0


def _carried(report: Report) -> tuple[float, float]:
    """Visits and answers a second."""
    best = report.steps.best if report.steps else None
    return (best.rate, best.answers) if best else (0.0, 0.0)


def _wrong(report: Report) -> int:
    return sum(each.wrong for each in (report.shape, report.steps) if each)


def _memory(report: Report, name: str) -> float:
    return max((sample.memory for sample in report.processes[name]), default=0) / 1e6


@click.command(name="compare")
@click.argument("before", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tolerance", default=0.2, show_default=True, type=click.FloatRange(0), help="Part that may be worse.")
def command(before: Path, after: Path, tolerance: float) -> None:
    """Say what regressed from the report BEFORE to the report AFTER (report.json); fails if anything did."""
    try:
        reports = read(before), read(after)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    console = Console()
    for difference in unlike(*reports):
        console.print(f"not alike: {difference}", highlight=False, soft_wrap=True)
    table = Table("", "before", "after", "", "change", "")
    regressed = 0
    for each in compared(*reports):
        is_worse = each.regressed(tolerance)
        regressed += is_worse
        figures = (f"{each.before:,.4g}", f"{each.after:,.4g}", each.unit, each.change)
        table.add_row(each.name, *figures, "REGRESSED" if is_worse else "")
    console.print(table)
    console.print(f"{regressed or 'nothing'} regressed by more than {tolerance:.0%}")
    sys.exit(regressed > 0)
