"""Randomness by counter: what is drawn depends on the seed, on a number and on what it is for, and on no draw before.

So a block of thousands of dossiers and one alone come out the same, wherever and in whatever order they are computed.
The bits are those of splitmix64 (Steele, Lea, Flood, 2014), which gives its n-th output without the others. Draws from
tables compare with thresholds and use no function whose last bit may differ from one processor to the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]
Truths = NDArray[np.bool_]

_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
_UNIT = 2.0**-53


@dataclass(frozen=True, slots=True)
class Table:
    """Some items, each drawn as often as its weight says; they lie side by side between 0 and 1."""

    edges: Shares

    @classmethod
    def of(cls, weights: Iterable[float]) -> "Table":
        """Raises ValueError where there is no weight."""
        listed = np.fromiter(weights, dtype=np.float64)
        if not len(listed) or listed.min() < 0 or not listed.sum():
            raise ValueError("weights are not negative, and not all are zero")
        return cls(np.concatenate(([0.0], np.cumsum(listed)[:-1] / listed.sum(), [1.0])))

    def which(self, shares: Shares) -> Numbers:
        """The item at each place between 0 and 1."""
        return np.searchsorted(self.edges[1:-1], shares, side="right")

    def within(self, shares: Shares, items: Numbers) -> Shares:
        """How far along its item each place is, between 0 and 1."""
        return (shares - self.edges[items]) / (self.edges[items + 1] - self.edges[items])

    def place(self, items: Numbers, along: Shares) -> Shares:
        """The place so far along an item: the way back from `which` and `within`."""
        return self.edges[items] + along * (self.edges[items + 1] - self.edges[items])


class Draws:
    """What a seed draws. Each thing that is drawn has a name of its own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: dict[str, int] = {}

    def bits(self, what: str, numbers: Numbers) -> Bits:
        """64 bits for each of the numbers."""
        state = numbers.astype(np.uint64)
        state *= np.uint64(_STEP)
        state += np.uint64(self._key(what))
        return _mixed(state)

    def shares(self, what: str, numbers: Numbers) -> Shares:
        """From 0 to less than 1."""
        return (self.bits(what, numbers) >> np.uint64(11)).astype(np.float64) * _UNIT

    def truths(self, what: str, numbers: Numbers, share: float | Shares) -> Truths:
        """So often true."""
        return self.shares(what, numbers) < share

    def below(self, what: str, numbers: Numbers, bound: int | Numbers) -> Numbers:
        """From 0 to less than the bound."""
        return (self.shares(what, numbers) * bound).astype(np.int64)

    def _key(self, what: str) -> int:
        key = self._keys.get(what)
        if key is None:
            name = int.from_bytes(what.encode(), "big") % _WORD
            start = np.array([self._seed & _WORD, name], dtype=np.uint64)
            key = self._keys[what] = int(_mixed(_mixed(start[:1]) ^ start[1:])[0])
        return key


def weights_of(table: Mapping[str, float]) -> Table:
    """The table of a profile's weights, in their order."""
    return Table.of(table.values())


def _mixed(state: Bits) -> Bits:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
