"""What a run must keep to: its exit code says whether it did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.plan import Measured
from loadtests.processes import Sample

P99_MS = 500.0
"""Generous, since machines are shared. Of all answers; of the last quarter alone where a shape is `_RECOVERING`."""

GROWTH = 0.05
"""By how much a worker's memory may grow from the second quarter of a soak to the last."""

_RECOVERING = frozenset({"storm", "slow"})
"""Asks too much for a while, or slows a dependency down."""

_QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Threshold:
    """Something measured, and what it must not exceed."""

    name: str
    value: float
    limit: float
    unit: str = ""

    @property
    def passed(self) -> bool:
        return self.value <= self.limit


def thresholds_of(
    shape_name: str,
    shape: Measured | None,
    steps: Measured | None,
    processes: Mapping[str, Sequence[Sample]],
    p99_limit: float | None,
) -> Iterator[Threshold]:
    """All that apply: answers first, then latency, then memory."""
    yield Threshold("wrong answers", sum(each.wrong for each in (shape, steps) if each), 0)
    yield Threshold("workers of locust that were lost", sum(each.lost for each in (shape, steps) if each), 0)
    if steps is not None:
        yield Threshold("rates that were not carried, of the first", float(steps.best is None), 0)
    if shape is None:
        return
    yield Threshold("failed or missing answers", shape.failed, 0)
    yield Threshold("runs in which nothing was answered", float(not shape.whole.answers), 0)
    limit = P99_MS if p99_limit is None else p99_limit
    if shape_name in _RECOVERING:
        yield Threshold("p99 of the last quarter, in its median second", _last_quarter(shape), limit, "ms")
    else:
        yield Threshold("p99 of all answers", shape.whole.p99, limit, "ms")
    if shape_name == "soak":
        for name, samples in processes.items():
            if name.startswith("service"):
                yield Threshold(f"growth of memory, {name}", 100 * growth(samples), 100 * GROWTH, "%")


def growth(samples: Sequence[Sample]) -> float:
    """By which part the median memory of the last quarter exceeds that of the second; 0 where there is too little."""
    size = len(samples) // _QUARTERS
    if not size:
        return 0.0
    second, last = samples[size : 2 * size], samples[-size:]
    before = median(sample.memory for sample in second)
    return median(sample.memory for sample in last) / before - 1 if before else 0.0


def _last_quarter(shape: Measured) -> float:
    asked = [second for second in shape.seconds if second.due]
    last = asked[-max(1, len(asked) // _QUARTERS) :]
    return median(second.figures.p99 for second in last) if last else 0.0
