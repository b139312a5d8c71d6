"""What is remembered in memory."""

from tests.vault.keys.clock import Clock
from vault.keys.remembering import Remembered


def test_a_thing_is_remembered_for_a_while() -> None:
    """For sixty seconds here, and not for one more; the while begins anew when it is learnt anew."""
    clock = Clock()
    remembered: Remembered[str, int] = Remembered(clock, 10, 60)
    remembered.put("a", 1)
    clock.now += 59
    assert remembered.get("a") == 1
    clock.now += 1
    assert remembered.get("a") is None
    remembered.put("a", 2)
    assert (remembered.get("a"), remembered.get("b")) == (2, None)


def test_only_so_many_things_are_remembered() -> None:
    """The one not asked for longest goes."""
    remembered: Remembered[int, int] = Remembered(Clock(), 2, 60)
    for number in (1, 2):
        remembered.put(number, number)
    assert remembered.get(1) == 1
    remembered.put(3, 3)
    assert [remembered.get(number) for number in (1, 2, 3)] == [1, None, 3]
