"""Seconds in which something stood still: they are named, since percentiles of a whole run hide them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from loadtests.recording import Latencies

SLOW_SHARE = 0.10
"""A second is a stall if more of its answers than that took longer than 95 % of all did, of the run or of a step."""

GAP_SHARE = 0.75
"""A second is a gap if fewer answers came than that part of the mean, of what the shape had then."""

_CHANCE = 4.0
"""So many standard deviations from what is expected: chance alone does that once in a day of seconds."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A second after the begin, how many of how many answers were slow in it, and how many were due by the mean."""

    second: int
    kind: str
    answers: int
    slow: int
    expected: float

    def __str__(self) -> str:
        if self.kind == "gap":
            return f"second {self.second}: gap, {self.answers} answers where {self.expected:.0f} were expected"
        return f"second {self.second}: stall, {self.slow} of {self.answers} answers over p95"


def find_stalls(seconds: Mapping[int, Latencies], due: Sequence[float], p95: float, first: int = 0) -> list[Stall]:
    """Of whole seconds numbered from 0, those before the first left out; `due` says how many visits were due in each.

    A second counts only where it is worse than chance makes it: at twenty answers a second nothing can be told.
    """
    looked_at = range(first, len(due))
    answers = {number: seconds[number].answers if number in seconds else 0 for number in looked_at}
    visits = sum(due[number] for number in looked_at)
    answers_a_visit = sum(answers.values()) / visits if visits else 0.0
    stalls: list[Stall] = []
    for number in looked_at:
        slow = seconds[number].over(p95) if number in seconds else 0
        least_due = min(due[max(0, number - 2) : number + 2])  # a change of rate takes effect within two seconds
        stall = _judged(number, answers[number], slow, answers_a_visit * least_due)
        stalls += [stall] if stall else []
    return stalls


def _judged(number: int, answers: int, slow: int, expected: float) -> Stall | None:
    if answers < GAP_SHARE * expected and answers < expected - _CHANCE * sqrt(expected):
        return Stall(number, "gap", answers, slow, expected)
    usual = 0.05 * answers
    if slow > SLOW_SHARE * answers and slow > usual + _CHANCE * sqrt(usual):
        return Stall(number, "stall", answers, slow, expected)
    return None
