"""The course of a run: which rate is due now, given what came back. It ends by waiting for what is under way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from loadtests.plan import Plan
from loadtests.recording import Recording, together
from loadtests.shapes import SHAPES, Shape
from loadtests.stalls import find_stalls
from loadtests.stepping import Step, Stepping

REST_SECONDS = 2.0
"""At least so long nothing is asked between two steps, and at the end: workers report every second."""

_MOST_REST_SECONDS = 40.0

_LEAST_VISITS, _MOST_STEP_SECONDS = 150.0, 10.0
"""A step lasts until so many visits were due, within reason: a p99 of few answers is the slowest of them."""

_LEAST_STEP_SECONDS = 2.0
"""The second in which it begins is left out: a whole one must be left."""


class Course(Protocol):
    """What a shape follows. Instants are seconds since the epoch, so that several machines can follow."""

    began: float

    @property
    def is_slow(self) -> bool:
        """Whether the dependency shall answer late now."""
        ...

    def rate_at(self, now: float, recording: Recording, under_way: int) -> float | None:
        """Visits a second; None when all is over."""
        ...

    def due(self) -> Iterator[float]:
        """Visits that were due in each second after the begin."""
        ...


def curve(plan: Plan) -> Course:
    """The course of the plan's shape."""
    return _Curve(plan, SHAPES[plan.shape or ""])


def steps(plan: Plan) -> "Steps":
    """The course that looks for the highest rate that is carried."""
    return Steps(plan, Stepping(plan.rate, plan.p99_limit))


@dataclass(slots=True)
class _Curve:
    _plan: Plan
    _shape: Shape
    began: float = 0.0
    is_slow: bool = False
    _ended: float = 0.0

    def rate_at(self, now: float, recording: Recording, under_way: int) -> float | None:
        self.began = self.began or now
        elapsed = now - self.began
        enough = sum(each.answers for each in recording.late.values()) >= self._plan.most_visits
        if not self._ended and elapsed < self._plan.seconds and not enough:
            slow = self._shape.slow
            self.is_slow = slow is not None and slow[0] <= elapsed / self._plan.seconds < slow[1]
            return self._rate(elapsed)
        self._ended = self._ended or now
        self.is_slow = False
        return None if _is_over(now - self._ended, under_way) else 0.0

    def due(self) -> Iterator[float]:
        for second in range(int(self._ended - self.began)):
            yield self._rate(second + 0.5)

    def _rate(self, elapsed: float) -> float:
        return self._shape.rate(self._plan.rate, elapsed, self._plan.seconds)


@dataclass(slots=True)
class Steps:
    """Each rate for some seconds, then a rest in which whatever is under way is waited for."""

    _plan: Plan
    stepping: Stepping
    began: float = 0.0
    is_slow: bool = False
    _rate: float = 0.0
    _since: float = 0.0
    _until: float = 0.0
    _failures: int = 0
    _asked: list[tuple[float, float, float]] = field(default_factory=list)

    def rate_at(self, now: float, recording: Recording, under_way: int) -> float | None:
        if not self.began:
            self.began = now
            return self._begin(now, recording)
        if not self._until and now - self._since < self._seconds:
            return self._rate
        self._until = self._until or now
        if not _is_over(now - self._until, under_way):
            return 0.0
        self._asked.append((self._since, self._until, self._rate))
        self.stepping.steps.append(self._judged(recording, now))
        return self._begin(now, recording)

    @property
    def _seconds(self) -> float:
        return max(_LEAST_STEP_SECONDS, self._plan.seconds, min(_MOST_STEP_SECONDS, _LEAST_VISITS / self._rate))

    def due(self) -> Iterator[float]:
        last = self._asked[-1][1] if self._asked else self.began
        for second in range(int(last - self.began)):
            middle = self.began + second + 0.5
            yield next((rate for since, until, rate in self._asked if since <= middle < until), 0.0)

    def _begin(self, now: float, recording: Recording) -> float | None:
        rate = self.stepping.next_rate()
        if rate is not None:
            self._rate, self._since, self._until = rate, now, 0.0
            self._failures = recording.sentences.total()
        return rate

    def _judged(self, recording: Recording, now: float) -> Step:
        """Its first second is left out, in which the users of locust begin; what came in the rest is not."""
        begin, end = int(self._since) + 1, int(now) + 1
        came, late = together(recording.seconds, begin, end), together(recording.late, begin, end)
        figures = came.figures()
        seconds = {second - int(self.began): each for second, each in recording.seconds.items()}
        first, last = begin - int(self.began), int(self._until) - int(self.began)
        return Step(
            rate=self._rate,
            answers=figures.answers / (self._until - begin),
            failures=recording.sentences.total() - self._failures,
            p50=figures.p50,
            p99=figures.p99,
            late=late.figures().p99,
            stalls=tuple(map(str, find_stalls(seconds, [self._rate] * last, figures.p95, first))),
        )


def _is_over(rested: float, under_way: int) -> bool:
    return rested >= _MOST_REST_SECONDS or (rested >= REST_SECONDS and not under_way)
