"""What is remembered in memory."""

from weakref import ref

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


class Thing:
    """May be watched."""


def test_nothing_is_held_for_much_longer_than_its_while() -> None:
    """When something else is put in, whatever its while ended for is gone from memory: these are keys."""
    clock = Clock()
    remembered: Remembered[int, Thing] = Remembered(clock, 10, 60)
    held = []
    for number in range(3):
        remembered.put(number, thing := Thing())
        held.append(ref(thing))
        del thing
        clock.now += 20
    remembered.put(3, Thing())
    assert [thing() is None for thing in held] == [True, False, False]


def test_nothing_may_be_remembered_at_all() -> None:
    """For no time."""
    remembered: Remembered[int, int] = Remembered(Clock(), 10, 0)
    remembered.put(1, 1)
    assert remembered.get(1) is None
