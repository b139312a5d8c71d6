"""When a store is left alone, and when it is asked again."""

import asyncio

import pytest
from structlog.testing import capture_logs

from vault.breaker import Breaker
from vault.errors import NoObjectError, StoreReadOnlyError, StoreSilentError, StoreUnavailableError

PATIENCE, REST = 3.0, 5.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """For one breaker."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Opens after three failures."""
    return Breaker("reading", 3, PATIENCE, REST, clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    """Calls that are made and not answered."""
    for _ in range(times):
        with pytest.raises(StoreSilentError), breaker.guard():
            raise StoreSilentError


def refuses(breaker: Breaker) -> bool:
    """Whether a call would not be made; one that would is answered."""
    try:
        with breaker.guard():
            return False
    except StoreUnavailableError:
        return True


def opened(breaker: Breaker, clock: Clock) -> None:
    """After failures that lasted."""
    fail(breaker, 2)
    clock.now += PATIENCE
    fail(breaker)


def test_failures_that_last_open_it(breaker: Breaker, clock: Clock) -> None:
    """Calls are then refused at once, without being made."""
    opened(breaker, clock)
    assert (breaker.is_open, refuses(breaker)) == (True, True)


def test_a_burst_of_failures_does_not_open_it(breaker: Breaker, clock: Clock) -> None:
    """However many: one broken connection or one dead node makes as many."""
    fail(breaker, 50)
    clock.now += PATIENCE - 0.1
    fail(breaker)
    assert (breaker.is_open, refuses(breaker)) == (False, False)


def test_few_failures_do_not_open_it(breaker: Breaker, clock: Clock) -> None:
    """However long they last."""
    fail(breaker)
    clock.now += 1000
    fail(breaker)
    assert not breaker.is_open


@pytest.mark.parametrize("answered", [None, NoObjectError])
def test_an_answer_between_failures_begins_the_count_anew(
    breaker: Breaker, clock: Clock, answered: type[Exception] | None
) -> None:
    """That there is no such object is an answer too."""
    fail(breaker, 2)
    clock.now += PATIENCE
    if answered:
        with pytest.raises(answered), breaker.guard():
            raise answered
    else:
        assert not refuses(breaker)
    fail(breaker, 2)
    assert not breaker.is_open


def test_a_store_that_says_itself_that_it_cannot_is_left_alone_at_once(breaker: Breaker, clock: Clock) -> None:
    """As long as after failures that lasted, whoever is told it later; the one call that tries is told it as well."""

    def tell() -> None:
        with pytest.raises(StoreReadOnlyError), breaker.guard():
            raise StoreReadOnlyError

    def late() -> None:
        with breaker.guard():
            tell()
            clock.now += REST - 0.1
            raise StoreReadOnlyError

    with pytest.raises(StoreReadOnlyError):
        late()
    assert refuses(breaker)
    clock.now += 0.1
    tell()
    clock.now += REST - 0.1
    assert refuses(breaker)
    clock.now += 0.1
    assert not refuses(breaker)


def test_one_call_tries_after_a_rest_and_its_answer_closes_it(breaker: Breaker, clock: Clock) -> None:
    """While it tries, others are refused."""
    opened(breaker, clock)
    clock.now += REST
    with breaker.guard():
        assert refuses(breaker)
    assert (breaker.is_open, refuses(breaker)) == (False, False)


def test_a_try_that_fails_begins_another_rest(breaker: Breaker, clock: Clock) -> None:
    """From its end on."""
    opened(breaker, clock)
    clock.now += REST
    fail(breaker)
    clock.now += REST - 0.1
    assert refuses(breaker)
    clock.now += 0.1
    assert not refuses(breaker)


def test_a_try_that_is_given_up_leaves_room_for_the_next(breaker: Breaker, clock: Clock) -> None:
    """It was neither answered nor not."""
    opened(breaker, clock)
    clock.now += REST
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert breaker.is_open
    assert not refuses(breaker)


def test_calls_made_before_it_opened_do_not_make_the_rest_longer(breaker: Breaker, clock: Clock) -> None:
    """Though they fail after it."""

    def late() -> None:
        with breaker.guard():
            opened(breaker, clock)
            clock.now += REST - 0.1
            raise StoreSilentError

    with pytest.raises(StoreSilentError):
        late()
    clock.now += 0.1
    assert not refuses(breaker)


def test_the_log_says_when_it_opens_and_when_it_closes(breaker: Breaker, clock: Clock) -> None:
    """Once each."""
    with capture_logs() as logs:
        opened(breaker, clock)
        clock.now += REST
        for _ in range(2):
            assert not refuses(breaker)
    assert logs == [
        {"event": "store_left_alone", "guarded": "reading", "failures": 3, "log_level": "warning"},
        {"event": "store_answers_again", "guarded": "reading", "log_level": "info"},
    ]
