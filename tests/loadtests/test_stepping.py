"""The highest rate that is carried is found, whatever it is."""

import pytest

from loadtests.stepping import MOST_STEPS, Step, Stepping


def tried(stepping: Stepping, capacity: float, hiccups: tuple[int, ...] = ()) -> Stepping:
    """A service that is quick up to its capacity; at the steps of these numbers the machine hiccups."""
    while (rate := stepping.next_rate()) is not None:
        slow = rate > capacity or len(stepping.steps) in hiccups
        stepping.steps.append(Step(rate, 2 * rate, 0, 5.0, 400.0 if slow else 20.0, 0.1))
    return stepping


@pytest.mark.parametrize("capacity", [3.0, 37.0, 100.0, 444.0, 12_345.0])
def test_the_rate_is_found_to_a_few_percent(capacity: float) -> None:
    """From above and from below, and never more than what is carried."""
    best = tried(Stepping(20.0), capacity).best()
    assert best is not None
    assert 0.9 * capacity <= best.rate <= capacity


def test_a_hiccup_is_not_taken_for_the_end() -> None:
    """What is not carried once is tried once more."""
    calm, disturbed = (tried(Stepping(20.0), 100.0, hiccups) for hiccups in ((), (1, 3)))
    assert disturbed.best() == calm.best()


def test_a_failure_is_not_carried() -> None:
    """However quick the other answers were."""
    assert [Step(10, 20, failures, 1, 2, 0).carried() for failures in (0, 1)] == [True, False]


def test_silence_is_not_carried() -> None:
    """Of no answer no percentile is over a limit."""
    assert not Step(10, 0, 0, 0.0, 0.0, 0).carried()


def test_what_carries_nothing_ends() -> None:
    """Rates are halved until there is nothing left to try."""
    stepping = tried(Stepping(20.0), 0.0)
    assert (stepping.best(), stepping.steps[-1].rate < 3) == (None, True)


def test_what_carries_everything_ends() -> None:
    """There are only so many steps."""
    assert len(tried(Stepping(1.0), float("inf")).steps) == MOST_STEPS
