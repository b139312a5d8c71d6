"""How a benchmark is declared, found and measured."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from statistics import median

Work = Callable[[], object]
"""A fixed amount of work, done again at each call."""

Clock = Callable[[], float]
"""Seconds that only go forward."""

ROUNDS = 11
SAMPLE_SECONDS = 0.05
"""A sample repeats its work for at least so long, so that the clock's grain and a stray interruption weigh little."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A subject and its reference, both ready to run for as long as the context is open."""

    name: str
    subject: str
    reference: str
    prepared: Callable[[], AbstractContextManager[tuple[Work, Work]]]
    pieces: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Median seconds for one piece of work."""

    subject: float
    reference: float

    @property
    def ratio(self) -> float:
        """How many times as long as the reference the subject takes."""
        return self.subject / self.reference


_declared: dict[str, Benchmark] = {}


def benchmark(
    name: str, *, subject: str, reference: str, pieces: tuple[int, int] = (1, 1)
) -> Callable[[Callable[[], Iterator[tuple[Work, Work]]]], None]:
    """Declares a generator that prepares, yields the subject's work and the reference's, and cleans up.

    `pieces` says how many each of them does at a call: times are told for one.
    """

    def declare(generator: Callable[[], Iterator[tuple[Work, Work]]]) -> None:
        _declared[name] = Benchmark(name, subject, reference, contextmanager(generator), pieces)

    return declare


def discover() -> list[Benchmark]:
    """All benchmarks declared in the modules of this package, by name."""
    package = import_module("tests.benchmarks")
    for module in iter_modules(package.__path__, "tests.benchmarks."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return [_declared[name] for name in sorted(_declared)]


def measure(
    subject: Work,
    reference: Work,
    *,
    pieces: tuple[int, int] = (1, 1),
    rounds: int = ROUNDS,
    clock: Clock = time.perf_counter,
) -> Outcome:
    """Both by turns, each first in every other round, so that the machine's moods favour neither."""
    works = (subject, reference)
    times = [_repetitions(work, clock) for work in works]
    samples: tuple[list[float], list[float]] = ([], [])
    for round_number in range(rounds):
        for which in (0, 1) if round_number % 2 else (1, 0):
            samples[which].append(_seconds(works[which], times[which], clock) / times[which])
    return Outcome(median(samples[0]) / pieces[0], median(samples[1]) / pieces[1])


def _repetitions(work: Work, clock: Clock) -> int:
    """How often to do it in one sample; finding out warms it up."""
    times = 1
    while _seconds(work, times, clock) < SAMPLE_SECONDS:
        times *= 2
    return times


def _seconds(work: Work, times: int, clock: Clock) -> float:
    begin = clock()
    for _ in range(times):
        work()
    return clock() - begin
