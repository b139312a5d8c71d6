"""What a run leaves: a table in the terminal, one JSON file, one HTML page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from loadtests.plan import Measured
from loadtests.processes import Sample
from loadtests.recording import BULK, Figures, Kind
from loadtests.stepping import P99_LIMIT_MS
from loadtests.thresholds import Threshold, thresholds_of

JSON, HTML = "report.json", "report.html"
COLUMNS = ("who", "what", "answers", "a second", "failed", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "max ms")
_LATE_MS = 20.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and all that it takes to measure it again."""

    shape_name: str
    shape: Measured | None
    steps: Measured | None
    processes: Mapping[str, Sequence[Sample]]
    thresholds: Sequence[Threshold]
    command: str
    setting: Mapping[str, str]
    versions: Mapping[str, str]
    database_bytes: int | None
    figures: Mapping[str, str]
    passed: bool

    @property
    def verdict(self) -> str:
        """In one sentence."""
        if self.passed:
            return "Every answer is right, and every threshold is kept."
        passed = [f"{each.name} {written(each)}" for each in self.thresholds if not each.passed]
        return f"FAILED: {'; '.join(passed)}"

    def sentences(self) -> Iterator[str]:
        """The verdict, what is carried, and what stood out."""
        yield self.verdict
        if self.steps is not None:
            yield capacity(self.steps)
            yield from (f"  {stall}" for stall in (self.steps.best.stalls if self.steps.best else ()))
        for measured in (self.shape, self.steps):
            yield from (f"  {failure}" for failure in (measured.failures if measured else ()))
        if self.shape is not None:
            yield stalled(self.shape)
            yield from (f"  {stall}" for stall in self.shape.stalls)
            if self.shape.late_p99 > _LATE_MS:
                yield late(self.shape.late_p99)

    def rows(self) -> list[tuple[str, ...]]:
        """A line for each kind of request; all together in the last, but those in bulk."""
        if self.shape is None:
            return []
        seconds = self.shape.counted_seconds
        rows = [_row(kind, figures, seconds) for kind, figures in self.shape.kinds]
        return [*rows, _row(("all", "but in bulk"), self.shape.whole, seconds)]

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=f"Load test: {self.setting['shape']}")
        for number, name in enumerate(COLUMNS):
            table.add_column(name, justify="left" if number < 2 else "right")  # noqa: PLR2004 - the first two are words
        for row in self.rows():
            table.add_row(*row)
        return table

    def write(self, folder: Path) -> None:
        """`report.json` and `report.html`."""
        from loadtests.page import page  # noqa: PLC0415 - which is about reports

        text = msgspec.json.format(msgspec.json.encode(self), indent=1)
        (folder / JSON).write_bytes(text + b"\n")
        (folder / HTML).write_text(page(self), encoding="utf-8")


def report_of(
    shape: Measured | None,
    steps: Measured | None,
    *,
    shape_name: str,
    p99_limit: float | None,
    processes: Mapping[str, Sequence[Sample]],
    **more: object,
) -> Report:
    """The report with its thresholds, held against what was measured."""
    thresholds = list(thresholds_of(shape_name, shape, steps, processes, p99_limit))
    told = {
        "shape_name": shape_name,
        "shape": shape,
        "steps": steps,
        "processes": {name: list(samples) for name, samples in processes.items()},
        "thresholds": thresholds,
        "passed": all(each.passed for each in thresholds),
    }
    return msgspec.convert(told | more, Report, from_attributes=True)


def read(path: Path) -> Report:
    """Raises ValueError on what is no report."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except msgspec.MsgspecError as error:
        msg = f"{path} is no report of a load test: {error}"
        raise ValueError(msg) from None


def written(threshold: Threshold) -> str:
    """As `312 ms, at most 250 ms`."""
    unit = f" {threshold.unit}" if threshold.unit else ""
    return f"{threshold.value:,.4g}{unit}, at most {threshold.limit:,.4g}{unit}"


def capacity(steps: Measured) -> str:
    """The capacity statement."""
    best, carried = steps.best, {step.rate for step in steps.steps if step.carried()}
    refused = min((step for step in steps.steps if step.rate not in carried), key=lambda step: step.rate, default=None)
    if best is None:
        tried = "" if refused is None else f": at {refused.rate:,.4g} visits a second p99 was {refused.p99:,.0f} ms"
        return f"Carried: no rate that was tried{tried}, with {refused.failures if refused else 0} failures."
    said = (
        f"Carried: {best.rate:,.4g} visits a second, {best.answers:,.0f} answers a second, with p99 {best.p99:,.0f} ms,"
        f" below {P99_LIMIT_MS:g} ms, and no failure. {len(best.stalls) or 'None'} of its seconds stood out."
    )
    if refused is not None:
        said += (
            f" At {refused.rate:,.4g} visits a second p99 was {refused.p99:,.0f} ms, with {refused.failures} failures."
        )
        said += f" {late(refused.late)}" if refused.late > _LATE_MS else ""
    return said


def late(milliseconds: float) -> str:
    """Whoever asks was the limit, or one of them."""
    return (
        f"The asking itself was late, by {milliseconds:,.0f} ms at p99: part of the latency is of whoever asks; "
        "more processes or machines would tell."
    )


def stalled(shape: Measured) -> str:
    """How many seconds stood out."""
    return f"{len(shape.stalls) or 'None'} of {shape.counted_seconds} seconds stood out{': ' if shape.stalls else '.'}"


def _row(kind: Kind, figures: Figures, seconds: int) -> tuple[str, ...]:
    times = (figures.p50, figures.p95, figures.p99, figures.p999, figures.longest)
    endpoint = f"{kind[1]} (bulk)" if kind[1] in BULK else kind[1]
    return (
        kind[0],
        endpoint,
        f"{figures.answers:,}",
        f"{figures.answers / seconds:,.1f}",
        f"{figures.failures:,}",
        *(f"{milliseconds:,.1f}" for milliseconds in times),
    )
