"""Synthetic France: the n-th dossier is computed from the seed and never stored.

So whoever knows the seed and n knows what is so about a dossier, and can check an answer without asking anybody.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.population.directory import (
    FUND,
    HOSPITAL,
    HOSPITAL_NURSES,
    HOSPITAL_PHYSICIANS,
    INSURER,
    PHARMACISTS,
    REGULATORS,
    WORKPLACES,
    Directory,
    Group,
)
from loadtests.population.documents import NEWEST, WITHHELD_UNTIL
from loadtests.population.dossiers import Document, Dossier, dossiers_of
from loadtests.population.draws import Draws, Numbers, Truths
from loadtests.population.facts import directory_facts, dossier_facts, write
from loadtests.population.numbering import MOST_DOSSIERS
from loadtests.population.people import Block

__all__ = ["FUND", "HOSPITAL", "INSURER", "NEWEST", "WITHHELD_UNTIL", "Document", "Dossier", "Population"]


@dataclass(frozen=True)
class Population:
    """So many dossiers, from a seed. Raises ValueError on fewer than one or more than numbers allow."""

    dossiers: int
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.dossiers <= MOST_DOSSIERS:
            msg = f"a population has 1 to {MOST_DOSSIERS:,} dossiers"
            raise ValueError(msg)

    def dossier(self, number: int) -> Dossier:
        """The dossier of this number, from 0."""
        return _dossier(self, number)

    def dossiers_at(self, numbers: Numbers) -> Iterator[Dossier]:
        """The dossiers of these numbers, in their order: hundreds together take a tenth of the time."""
        return dossiers_of(self.block(numbers))

    def block(self, numbers: Numbers) -> Block:
        """The dossiers of these numbers, column by column."""
        return Block(self._draws, self.directory, numbers)

    def numbers_where(self, fits: Callable[[Block], Truths], numbers: Numbers) -> Numbers:
        """Which of these dossiers fit: thousands are gone through in the time in which `dossier` gives a few."""
        return numbers[fits(self.block(numbers))]

    def regulator(self, which: int) -> str:
        """A physician who regulates emergency calls, tied to no dossier; any number is one's."""
        return self._rpps(REGULATORS, which % self.directory.size(REGULATORS))

    def hospital_physician(self, hospital: str, which: int) -> str:
        """One who exercises in a hospital of the population; any number is one's. Raises ValueError on another."""
        return self._colleague(HOSPITAL_PHYSICIANS, hospital, which)

    def hospital_nurse(self, hospital: str, which: int) -> str:
        """As `hospital_physician`."""
        return self._colleague(HOSPITAL_NURSES, hospital, which)

    def pharmacist(self, pharmacy: str, which: int) -> str:
        """One who exercises in a pharmacy of the population; any number is one's. Raises ValueError on another."""
        return self._colleague(PHARMACISTS, pharmacy, which)

    def facts(self) -> Iterator[Mapping[str, Any]]:
        """Everything, as `dmp import` takes it."""
        yield from directory_facts(self.directory)
        for number in range(self.dossiers):
            dossier = self.dossier(number)
            guardian = dossier.caregiver if dossier.representative is None else dossier.representative
            yield from dossier_facts(dossier, None if guardian is None else self.dossier(guardian).ins)

    def write(self, path: Path) -> int:
        """One fact a line (NDJSON); how many."""
        return write(self.facts(), path)

    @cached_property
    def directory(self) -> Directory:
        """Who cares for these people, and where."""
        return Directory(self.dossiers)

    @cached_property
    def _draws(self) -> Draws:
        return Draws(self.seed)

    def _colleague(self, group: Group, structure: str, which: int) -> str:
        colleagues = self.directory.colleagues(group, self.directory.structure(WORKPLACES[group], structure))
        return self._rpps(group, colleagues[which % len(colleagues)])

    def _rpps(self, group: Group, which: int) -> str:
        return str(self.directory.rpps(group, np.array([which]))[0])


@lru_cache(maxsize=10_000)
def _dossier(population: Population, number: int) -> Dossier:
    return next(population.dossiers_at(np.array([number])))
