"""A ratio says what it is taken to say."""

from collections.abc import Callable

import pytest

from tests.benchmarks.frame import Outcome, discover, measure


class Machine:
    """A clock that moves only when work is done."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[float] = []

    def clock(self) -> float:
        return self.now

    def work(self, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.now += seconds
            self.done.append(seconds)

        return run


def test_a_ratio_is_the_subject_over_the_reference() -> None:
    """Twice as long as the reference is 2."""
    machine = Machine()
    outcome = measure(machine.work(0.5), machine.work(0.25), rounds=3, clock=machine.clock)
    assert (outcome, outcome.ratio) == (Outcome(0.5, 0.25), 2.0)


def test_subject_and_reference_take_turns() -> None:
    """Neither is measured when the machine is in another mood than it was for the other."""
    machine = Machine()
    measure(machine.work(2), machine.work(1), rounds=3, clock=machine.clock)
    assert machine.done == [2, 1, 1, 2, 2, 1, 1, 2]


def test_short_work_is_repeated() -> None:
    """A sample lasts long enough for the clock, and counts for one piece of work."""
    machine = Machine()
    outcome = measure(machine.work(2**-10), machine.work(1), rounds=3, clock=machine.clock)
    assert (outcome, machine.done.count(2**-10)) == (Outcome(2**-10, 1), 127 + 3 * 64)


def test_times_are_told_for_one_piece() -> None:
    """A call that does fifty things in five seconds takes a tenth of a second for each."""
    machine = Machine()
    outcome = measure(machine.work(5), machine.work(1), pieces=(50, 2), rounds=3, clock=machine.clock)
    assert outcome == Outcome(0.1, 0.5)


_STARTS_SERVICES = "HTTP, "
_IN_SHORT = "SQLite: a decision, journaled, single"


@pytest.mark.parametrize(
    "name",
    [
        # Each starts a service of its own: `make test` is content with one, and with what test_guard.py measures.
        pytest.param(
            one.name,
            marks=[pytest.mark.long] if one.name.startswith(_STARTS_SERVICES) and _IN_SHORT not in one.name else [],
        )
        for one in discover()
    ],
)
def test_every_benchmark_works(name: str) -> None:
    """Both sides of every benchmark run, so that `make bench` does not rot."""
    chosen = next(one for one in discover() if one.name == name)
    with chosen.prepared() as works:
        for work in works:
            work()
