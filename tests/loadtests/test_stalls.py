"""Seconds in which something stood still are found, and chance is not taken for one."""

from random import Random

import pytest

from loadtests.recording import Latencies
from loadtests.stalls import find_stalls

P95 = 20.0


def a_second(answers: int, slow: int = 0) -> Latencies:
    latencies = Latencies(digits=2)
    for number in range(answers):
        latencies.add(100.0 if number < slow else 10.0, failed=False)
    return latencies


def found(seconds: list[Latencies], due: list[float] | None = None, first: int = 0) -> list[tuple[int, str]]:
    given = dict(enumerate(seconds))
    return [(stall.second, stall.kind) for stall in find_stalls(given, due or [100.0] * len(seconds), P95, first)]


def test_an_even_run_has_none() -> None:
    """One in twenty answers over the 95th percentile is what the percentile says."""
    assert found([a_second(1_000, slow=50)] * 10) == []


def test_a_second_with_many_slow_answers_is_a_stall() -> None:
    """More than one in ten took longer than 95 % of the run."""
    assert found([a_second(1_000, slow=50)] * 5 + [a_second(1_000, slow=200)]) == [(5, "stall")]


def test_a_second_with_few_answers_is_a_gap() -> None:
    """Less than three quarters of the mean came."""
    assert found([a_second(1_000)] * 9 + [a_second(500)]) == [(9, "gap")]


def test_a_second_without_any_answer_is_a_gap() -> None:
    """Nothing was recorded in it at all."""
    given = {number: a_second(1_000) for number in range(10) if number != 4}
    assert [stall.second for stall in find_stalls(given, [100.0] * 10, P95)] == [4]


def test_where_less_is_due_less_is_expected() -> None:
    """A curve that falls has no gap, and a change of rate takes effect within a second."""
    seconds = [a_second(1_000)] * 5 + [a_second(100)] * 5
    assert found(seconds, [100.0] * 5 + [10.0] * 5) == []


def test_the_begin_is_not_looked_at() -> None:
    """What happens before all is warm is no stall."""
    assert found([a_second(10, slow=10)] * 2 + [a_second(1_000)] * 8, first=2) == []


def test_chance_is_no_stall() -> None:
    """Twenty answers a second vary by themselves."""
    random = Random(1)
    seconds = [a_second(20 + random.randrange(-6, 7), slow=random.randrange(3)) for _ in range(200)]
    assert found(seconds) == []


@pytest.mark.parametrize(
    "seconds, said",
    [
        ([a_second(1_000)] * 9 + [a_second(0)], "second 9: gap, 0 answers where 900 were expected"),
        ([a_second(1_000)] * 9 + [a_second(1_000, 500)], "second 9: stall, 500 of 1000 answers over p95"),
    ],
    ids=["gap", "stall"],
)
def test_a_stall_is_named(seconds: list[Latencies], said: str) -> None:
    """With its second and its figures."""
    assert [str(stall) for stall in find_stalls(dict(enumerate(seconds)), [1.0] * 10, P95)] == [said]


def test_a_run_in_which_nothing_was_due_has_none() -> None:
    """There is no mean to be under."""
    assert found([], [0.0] * 3) == []
