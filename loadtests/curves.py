"""The drawings of a report: what came, how fast, at which rate no more, and what it took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from loadtests.charts import Axis, Chart, Series
from loadtests.plan import Measured
from loadtests.processes import Sample
from loadtests.reporting import Report
from loadtests.stepping import P99_LIMIT_MS, Step

Item = TypeVar("Item")

_PLACES = 240
"""Along a curve; a long run is drawn by the worst or the mean of some seconds."""

_SECONDS = Axis("s", "{:,.0f}".format)
_LATENCY = Axis("ms", "{:,.4g}".format, logarithmic=True)
_COLOURS = 8
_OURS = ("service", "locust")
"""How the names of the processes begin whose memory a database's caches would hide in one drawing."""


def charts(report: Report) -> Iterator[Chart]:
    """Those for which there is something to draw."""
    if report.shape is not None and report.shape.seconds:
        yield _throughput(report.shape)
        yield _latency(report.shape)
    if report.processes:
        yield _taken(report.processes, "Processors", Axis("cores", "{:,.3g}".format), lambda sample: sample.cores)
        ours = {name: samples for name, samples in report.processes.items() if name.startswith(_OURS)}
        others = {name: samples for name, samples in report.processes.items() if name not in ours}
        for title, processes in (("Memory", ours), ("Memory of what it stands on", others)):
            if processes:
                yield _taken(processes, title, Axis("MB", "{:,.0f}".format), lambda sample: sample.memory / 1e6)


def _throughput(shape: Measured) -> Chart:
    came = _thinned(shape.seconds, lambda second: second.figures.answers, _mean)
    due = _thinned(shape.seconds, lambda second: second.due, _mean)
    failed = _thinned(shape.seconds, lambda second: second.figures.failures, sum)
    series = [Series("answers", came, 0, filled=True), Series("visits due", due, 6, dashed=True)]
    series += [Series("failures", failed, 4)] if any(count for _, count in failed) else []
    return Chart("Answers a second", _SECONDS, Axis("a second", "{:,.4g}".format), series, bands=_stood_out(shape))


def _latency(shape: Measured) -> Chart:
    series = [
        Series(name, _thinned(shape.seconds, read, max), colour)
        for name, read, colour in (
            ("p99", lambda second: second.figures.p99, 1),
            ("p95", lambda second: second.figures.p95, 3),
            ("p50", lambda second: second.figures.p50, 2),
        )
    ]
    return Chart("Latency, from when it was due (ms)", _SECONDS, _LATENCY, series, bands=_stood_out(shape))


def _stood_out(shape: Measured) -> list[tuple[float, float, str]]:
    numbers = [(int(stall.removeprefix("second ").partition(":")[0]), stall) for stall in shape.stalls]
    return [(number - 0.5, number + 0.5, stall) for number, stall in numbers]


def stepped(steps: Measured) -> Chart:
    """At which rate it is too slow."""
    ordered = [min(tries, key=lambda step: step.p99) for tries in _by_rate(steps.steps)]
    return Chart(
        "Latency at each rate (ms)",
        Axis("visits/s", "{:,.4g}".format),
        _LATENCY,
        [
            Series("p99", [(step.rate, step.p99) for step in ordered], 1, dots=True),
            Series("p50", [(step.rate, step.p50) for step in ordered], 2, dots=True),
            Series("asked late, p99", [(step.rate, step.late) for step in ordered], 6, dashed=True),
        ],
        limit=(P99_LIMIT_MS, f"{P99_LIMIT_MS:g} ms"),
    )


def _by_rate(steps: Sequence[Step]) -> Iterator[list[Step]]:
    ordered = sorted(steps, key=lambda step: step.rate)
    yield from (list(tries) for _, tries in groupby(ordered, key=lambda step: step.rate))


def _taken(processes: Mapping[str, Sequence[Sample]], title: str, up: Axis, read: Callable[[Sample], float]) -> Chart:
    begin = min(samples[0].at for samples in processes.values())
    series = []
    for number, (name, samples) in enumerate(sorted(processes.items())):
        points = _thinned(samples[1:], read, _mean, lambda sample: round(sample.at - begin))
        series.append(Series(name, points, number % _COLOURS))
    return Chart(f"{title} ({up.unit})", _SECONDS, up, series)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _number(second: Any) -> float:
    number: int = second.number
    return number


def _thinned(
    items: Sequence[Item],
    read: Callable[[Item], float],
    fold: Callable[[Sequence[float]], float],
    place: Callable[[Item], float] = _number,
) -> list[tuple[float, float]]:
    size = -(-len(items) // _PLACES) or 1
    groups = [items[begin : begin + size] for begin in range(0, len(items), size)]
    return [(place(group[0]), fold([read(item) for item in group])) for group in groups]
