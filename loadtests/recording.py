"""What came back, and how long after it was due: by kind, and by second.

Histograms keep any number of answers in the same memory, to three digits (by second to two), and add up over
processes. Milliseconds outside, microseconds inside.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

Kind = tuple[str, str]
"""Who asked, and what of which endpoint."""

WRONG = "wrong answer: "
"""Begins the sentence of a failure that is an answer, and not the right one."""

BULK = frozenset({"batch of deposits", "list of patients", "reimbursements"})
"""Requests of software that take as long as they are large: told by kind alone, since no person waits for them."""

_LONGEST = 120 * 1_000_000
_DIGITS, _DIGITS_OF_A_SECOND = 3, 2
_PERCENTILES = (50.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of so many answers: how many failed, and milliseconds."""

    answers: int
    failures: int
    p50: float
    p95: float
    p99: float
    p999: float
    longest: float


@dataclass(slots=True)
class Latencies:
    """A histogram, and the answers in it that failed."""

    digits: int = _DIGITS
    failures: int = 0
    histogram: HdrHistogram = field(init=False)

    def __post_init__(self) -> None:
        self.histogram = HdrHistogram(1, _LONGEST, self.digits, word_size=4)

    def add(self, milliseconds: float, *, failed: bool) -> None:
        self.histogram.record_value(min(_LONGEST, max(1, round(milliseconds * 1_000))))
        self.failures += failed

    def merge(self, failures: int, histogram: bytes) -> None:
        self.failures += failures
        self.histogram.decode_and_add(histogram)

    def told(self) -> list[Any]:
        return [self.failures, self.histogram.encode()]

    @property
    def answers(self) -> int:
        count: int = self.histogram.get_total_count()
        return count

    def over(self, milliseconds: float) -> int:
        """How many took longer."""
        limit = round(milliseconds * 1_000)
        counts = (each for each in self.histogram.get_recorded_iterator() if each.value_iterated_to > limit)
        return sum(each.count_at_value_iterated_to for each in counts)

    def figures(self) -> Figures:
        p50, p95, p99, p999 = (self.histogram.get_value_at_percentile(each) / 1_000 for each in _PERCENTILES)
        longest = self.histogram.get_max_value() / 1_000 if self.answers else 0.0
        return Figures(self.answers, self.failures, p50, p95, p99, p999, longest)


def _of_a_second() -> Latencies:
    return Latencies(_DIGITS_OF_A_SECOND)


@dataclass(slots=True)
class Recording:
    """What one process saw, or all of them."""

    kinds: defaultdict[Kind, Latencies] = field(default_factory=lambda: defaultdict(Latencies))
    seconds: defaultdict[int, Latencies] = field(default_factory=lambda: defaultdict(_of_a_second))
    late: defaultdict[int, Latencies] = field(default_factory=lambda: defaultdict(_of_a_second))
    """How long after a visit was due its first request was sent, by second: the fault of whoever asks."""
    sentences: Counter[str] = field(default_factory=Counter)

    def answer(self, kind: Kind, second: int, milliseconds: float, failure: str | None, *, warm: bool) -> None:
        """One answer, or its absence; it counts for its kind only once everything is warm."""
        failed = failure is not None
        if kind[1] not in BULK:
            self.seconds[second].add(milliseconds, failed=failed)
        if warm:
            self.kinds[kind].add(milliseconds, failed=failed)
        if failure is not None:
            self.sentences[f"{kind[0]}, {kind[1]}: {failure}"] += 1

    def told(self) -> Mapping[str, Any]:
        """What one process tells another; numbers, texts and bytes."""
        return {
            "kinds": [[*kind, *each.told()] for kind, each in self.kinds.items()],
            "seconds": [[second, *each.told()] for second, each in self.seconds.items()],
            "late": [[second, *each.told()] for second, each in self.late.items()],
            "sentences": dict(self.sentences),
        }

    def merge(self, told: Mapping[str, Any]) -> None:
        """Add what another process told."""
        for persona, endpoint, failures, histogram in told["kinds"]:
            self.kinds[persona, endpoint].merge(failures, histogram)
        for second, failures, histogram in told["seconds"]:
            self.seconds[second].merge(failures, histogram)
        for second, failures, histogram in told["late"]:
            self.late[second].merge(failures, histogram)
        self.sentences.update(told["sentences"])

    def whole(self) -> Latencies:
        """All that is warm and not in bulk."""
        every = Latencies()
        for kind, each in self.kinds.items():
            if kind[1] not in BULK:
                every.histogram.add(each.histogram)
                every.failures += each.failures
        return every


def together(seconds: Mapping[int, Latencies], begin: int, end: int) -> Latencies:
    """All that came in these seconds, the last excluded."""
    every = _of_a_second()
    for second in range(begin, end):
        if (each := seconds.get(second)) is not None:
            every.histogram.add(each.histogram)
            every.failures += each.failures
    return every
