"""The course of a run: curves are followed by the clock, and what is under way is waited for."""

from collections.abc import Callable

import pytest

from loadtests.following import REST_SECONDS, Course, curve, steps
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.shapes import SHAPES

EPOCH = 1_800_000_000.25


def a_plan(shape: str | None = "steady", *, seconds: float = 20, most_visits: int = 1_000_000) -> Plan:
    return Plan("http://service", "key", None, 100, 1, shape, 100.0, seconds, 5, most_visits, 10, 50.0, "measured")


def followed(
    course: Course,
    answered: Callable[[Recording, float, float], None] = lambda *_: None,
    under_way: int = 0,
    begin: float = EPOCH,
) -> tuple[list[float], Recording]:
    """The rates of each second until the end; `answered` records what came back within a second."""
    recording, rates, now = Recording(), [], begin
    while (rate := course.rate_at(now, recording, under_way)) is not None:
        rates.append(rate)
        answered(recording, now, rate)
        now += 1
    return rates, recording


def test_a_curve_is_followed_and_then_rests() -> None:
    """One rate for its time, then none until nothing is under way."""
    rates, _ = followed(curve(a_plan()))
    assert rates == [100.0] * 20 + [0.0] * int(REST_SECONDS)


def test_what_never_answers_is_not_waited_for_for_ever() -> None:
    """A visit under way keeps the end back for a while only."""
    rates, _ = followed(curve(a_plan()), under_way=3)
    assert rates[20:] == [0.0] * 40


def test_a_run_ends_when_so_much_was_asked() -> None:
    """It is bounded in count as well as in time."""

    def answered(recording: Recording, now: float, rate: float) -> None:
        for _ in range(int(rate)):
            recording.late[int(now)].add(0.1, failed=False)

    rates, _ = followed(curve(a_plan(most_visits=500)), answered)
    assert rates.count(100.0) == 5


def test_what_was_due_is_told_second_by_second() -> None:
    """For the curve of the report, and to find gaps."""
    course = curve(a_plan())
    followed(course)
    assert list(course.due()) == [100.0] * 20


def test_the_dependency_is_slow_in_the_middle() -> None:
    """And not before, nor after."""
    course, slow, now = curve(a_plan("slow", seconds=30)), [], EPOCH
    while course.rate_at(now, Recording(), 0) is not None:
        slow.append(course.is_slow)
        now += 1
    assert slow == [False] * 10 + [True] * 10 + [False] * (10 + int(REST_SECONDS))


def test_what_is_slow_is_told() -> None:
    """And by how much; nothing is, in the other shapes."""
    told = {name: shape.told("store", 70.0) for name, shape in SHAPES.items()}
    late = "slow: a dependency is slow for a while: whatever is sent to the store comes 70 ms late in the middle third"
    assert (told["slow"], told["steady"]) == (late, "steady: one rate")


@pytest.mark.parametrize("name", list(SHAPES))
def test_no_shape_asks_more_than_its_rate(name: str) -> None:
    """The rate is the top, and something is always due."""
    rates = [SHAPES[name].rate(100.0, second, 60) for second in range(61)]
    assert (max(rates), min(rates) > 0) == (100.0, True)


def test_the_peak_is_at_ten() -> None:
    """The morning begins at eight and ends at noon."""
    peak = SHAPES["peak"]
    rates = {part: peak.rate(100.0, part, 4) for part in (0.0, 2.0, 4.0)}
    assert max(rates, key=lambda part: rates[part]) == 2.0


def test_a_storm_passes() -> None:
    """Ten times the usual rate for a twelfth of the time."""
    rates = [SHAPES["storm"].rate(100.0, second, 60) for second in range(60)]
    assert (rates.count(100.0), rates.count(10.0)) == (5, 55)


def test_steps_find_what_is_carried() -> None:
    """Each is judged by what came within it, and the rates that were asked are told."""

    def answered(recording: Recording, now: float, rate: float) -> None:
        for _ in range(int(rate)):
            recording.answer(("nurse", "decision"), int(now), 200.0 if rate > 300 else 5.0, None, warm=True)

    course = steps(a_plan(None, seconds=5))
    followed(course, answered)
    best = course.stepping.best()
    assert best is not None
    assert (250 < best.rate <= 300, best.answers == pytest.approx(best.rate, rel=0.1)) == (True, True)
    assert max(course.due()) == max(step.rate for step in course.stepping.steps)


def test_seconds_that_stood_out_are_named_of_each_step() -> None:
    """By their numbers in the run: the statement of what is carried rests on a step."""

    def answered(recording: Recording, now: float, rate: float) -> None:
        slow = 30 if int(now - EPOCH) == 6 else 0
        for number in range(int(rate)):
            milliseconds = 200.0 if rate > 100 else 45.0 if number < slow else 5.0
            recording.answer(("nurse", "decision"), int(now), milliseconds, None, warm=True)

    course = steps(a_plan(None, seconds=10))
    followed(course, answered)
    first, second = course.stepping.steps[:2]
    assert (first.stalls, second.stalls) == (("second 6: stall, 30 of 100 answers over p95",), ())


@pytest.mark.parametrize("begin", [EPOCH, 1_800_000_000.0, 1_800_000_000.95])
def test_a_step_of_one_second_lasts_for_two(begin: float) -> None:
    """The one in which it begins is left out, and what it carries is told of a whole one."""

    def answered(recording: Recording, now: float, rate: float) -> None:
        for _ in range(int(rate)):
            recording.answer(("nurse", "decision"), int(now), 200.0 if rate > 300 else 5.0, None, warm=True)

    course = steps(a_plan(None, seconds=1))
    followed(course, answered, begin=begin)
    assert all(0.4 * step.rate < step.answers <= step.rate for step in course.stepping.steps)


def test_a_failure_within_a_step_is_of_that_step() -> None:
    """What failed before is not held against it."""

    def answered(recording: Recording, now: float, rate: float) -> None:
        failure = "status 503" if rate > 200 else None
        for _ in range(int(rate)):
            recording.answer(("nurse", "decision"), int(now), 5.0, failure, warm=True)

    course = steps(a_plan(None, seconds=3))
    followed(course, answered)
    assert {step.rate > 200 for step in course.stepping.steps if step.failures} == {True}
    assert {step.rate > 200 for step in course.stepping.steps if not step.failures} == {False}
