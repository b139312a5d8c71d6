"""What is remembered in memory: for a while, and so much of it."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Generic, TypeVar

Clock = Callable[[], float]

_Name = TypeVar("_Name")
_Thing = TypeVar("_Thing")


class Remembered(Generic[_Name, _Thing]):
    """Things by name; the one not asked for longest goes first, and none stays for much longer than its while."""

    def __init__(self, clock: Clock, capacity: int, seconds: float) -> None:
        self._clock = clock
        self._capacity = capacity
        self._seconds = seconds
        self._things: OrderedDict[_Name, tuple[float, _Thing]] = OrderedDict()

    def get(self, name: _Name) -> _Thing | None:
        """The thing, if it is remembered still."""
        until, thing = self._things.get(name, (0.0, None))
        if thing is None or self._clock() >= until:
            return None
        self._things.move_to_end(name)
        return thing

    def put(self, name: _Name, thing: _Thing) -> None:
        """Remember it from now on."""
        now = self._clock()
        self._things[name] = (now + self._seconds, thing)
        self._things.move_to_end(name)
        while len(self._things) > self._capacity or self._is_over(now):
            self._things.popitem(last=False)

    def _is_over(self, now: float) -> bool:
        """Whether the while of the one not asked for longest is."""
        return any(now >= until for until, _ in islice(self._things.values(), 1))

    def forget(self, name: _Name) -> None:
        """Remember it no longer."""
        self._things.pop(name, None)
