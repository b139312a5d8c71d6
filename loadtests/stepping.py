"""The highest rate that is carried: found by steps up until one is not carried, then by halving what is between."""

from dataclasses import dataclass, field

P99_LIMIT_MS = 50.0
"""A rate is carried while 99 of 100 answers come within that, and none fails."""

_FACTOR = 1.5
_HALVINGS = 3
_LEAST_RATE = 2.0
MOST_STEPS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """What was due and what came of it: visits a second, answers a second, failures, milliseconds.

    `late` is by how much the asking itself was late, at p99: where that is much, whoever asks is the limit. `stalls`
    names the seconds that stood out, numbered from the begin of the run.
    """

    rate: float
    answers: float
    failures: int
    p50: float
    p99: float
    late: float
    stalls: tuple[str, ...] = ()

    def carried(self, limit: float = P99_LIMIT_MS) -> bool:
        """Within the limit and without a failure, if anything was answered at all."""
        return self.answers > 0 and self.failures == 0 and self.p99 < limit


@dataclass(slots=True)
class Stepping:
    """Asks for one rate after the other. `limit` is of p99, in milliseconds."""

    first: float
    limit: float = P99_LIMIT_MS
    steps: list[Step] = field(default_factory=list)
    _halvings: int = 0

    def next_rate(self) -> float | None:
        """The rate to try now; None once the highest is known well enough. What is not carried once is tried again."""
        if not self.steps:
            return self.first
        last = self.steps[-1]
        if len(self.steps) >= MOST_STEPS:
            return None
        if not last.carried(self.limit) and len(self._tries(last.rate)) == 1:
            return last.rate
        return self._other_rate()

    def best(self) -> Step | None:
        """The step of the highest rate that was carried."""
        return max(self._carried(), key=lambda step: step.rate, default=None)

    def _other_rate(self) -> float | None:
        best, refused = self.best(), min(self._refused_rates(), default=None)
        if refused is None:
            return self.steps[-1].rate * _FACTOR
        if best is None:
            return refused / 2 if refused > _LEAST_RATE else None
        if self._halvings >= _HALVINGS:
            return None
        self._halvings += 1
        return (best.rate + refused) / 2

    def _tries(self, rate: float) -> list[Step]:
        return [step for step in self.steps if step.rate == rate]

    def _carried(self) -> list[Step]:
        return [step for step in self.steps if step.carried(self.limit)]

    def _refused_rates(self) -> set[float]:
        return {step.rate for step in self.steps} - {step.rate for step in self._carried()}
