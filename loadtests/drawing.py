"""Which dossier a visit falls on: most reads on few dossiers, deposits on all alike."""

from collections import defaultdict, deque
from collections.abc import Callable
from random import Random
from typing import TypeVar

import numpy as np

from loadtests.population import Dossier, Population
from loadtests.population.draws import Truths
from loadtests.population.people import Block
from loadtests.profile import ACCESS

Tie = TypeVar("Tie")
Draw = Callable[[], Dossier]

_PATIENCE = 2_000
_ROUNDS, _LOOKED_AT = 20, 1_000
_TOO_SMALL = "the population is too small to have such a dossier"


class Source:
    """Draws of a population, in the order of a random number generator; dossiers are computed so many at a time."""

    def __init__(self, population: Population, random: Random, ahead: int = 1) -> None:
        self.population = population
        self.random = random
        self._ahead = ahead
        self._read: deque[Dossier] = deque()
        self._any: deque[Dossier] = deque()
        self._fitting: defaultdict[Callable[[Block], Truths], deque[Dossier]] = defaultdict(deque)
        self._most = round(population.dossiers * ACCESS["dossiers that are read most"].value)

    def read(self) -> Dossier:
        """A dossier as reads fall on them: most on few."""
        return self._next(self._read, self._number_read)

    def anywhere(self) -> Dossier:
        """Any dossier, as deposits fall on them."""
        return self._next(self._any, self._number)

    def with_tie(self, tie: Callable[[Dossier], Tie | None], draw: Draw | None = None) -> tuple[Dossier, Tie]:
        """A dossier that has such a tie, with it. Raises LookupError where hardly any has."""
        for _ in range(_PATIENCE):
            dossier = (draw or self.read)()
            if found := tie(dossier):
                return dossier, found
        raise LookupError(_TOO_SMALL)

    def where(self, fits: Callable[[Block], Truths]) -> Dossier:
        """A dossier that fits, however few do. Raises LookupError where hardly any does."""
        fitting = self._fitting[fits]
        for _ in range(_ROUNDS):
            if fitting:
                return fitting.popleft()
            numbers = np.array([self._number_read() for _ in range(_LOOKED_AT)])
            fitting.extend(self.population.dossiers_at(self.population.numbers_where(fits, numbers)[: self._ahead]))
        raise LookupError(_TOO_SMALL)

    def _next(self, ready: deque[Dossier], number: Callable[[], int]) -> Dossier:
        if not ready:
            ready.extend(self.population.dossiers_at(np.array([number() for _ in range(self._ahead)])))
        return ready.popleft()

    def _number(self) -> int:
        return self.random.randrange(self.population.dossiers)

    def _number_read(self) -> int:
        """The few stand at even distances, so that nothing else about them is alike."""
        if self._most and self.random.random() < ACCESS["reads that fall on them"].value:
            return self.random.randrange(self._most) * (self.population.dossiers // self._most)
        return self._number()
