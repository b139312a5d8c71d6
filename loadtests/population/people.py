"""Blocks of dossiers, computed together: who the holders are, what they decided, and who is tied to them.

Everything is columns, one place for each dossier of the block. Professionals stand there by their RPPS and structures
by their FINESS, as numbers; -1 stands where there is nobody.
"""

from functools import cached_property

import numpy as np

from loadtests.population.directory import (
    HOSPITALS,
    LABORATORIES,
    NURSES,
    PHARMACIES,
    PRACTITIONERS,
    SPECIALISTS,
    Directory,
    Group,
)
from loadtests.population.documents import Documents
from loadtests.population.draws import Draws, Numbers, Shares, Truths, weights_of
from loadtests.population.numbering import Births
from loadtests.profile import HOSPITALS as HOSPITALS_OF_ONE
from loadtests.profile import NURSES as NURSES_OF_ONE
from loadtests.profile import POPULATION

CHILDREN_UNTIL = 16
"""Younger holders have a legal representative, and remain minors for two years at least."""
ADULTS_FROM = 18
_OLDEST_REPRESENTATIVE = 66
_CANDIDATES = 16
NOBODY = -1

_NURSES = weights_of(NURSES_OF_ONE.values)
_HOSPITALS = weights_of(HOSPITALS_OF_ONE.values)


class Block:
    """These dossiers of a population."""

    def __init__(self, draws: Draws, directory: Directory, numbers: Numbers) -> None:
        self.numbers = numbers
        self._draws = draws
        self._directory = directory
        self.births = Births(draws, numbers)

    @cached_property
    def documents(self) -> Documents:
        return Documents(self._draws, self.numbers, self.births.age)

    # What the holder decided

    @cached_property
    def consents(self) -> Truths:
        return self._truths("consent", "dossiers whose holder consents to the care team")

    @cached_property
    def refuses_break_glass(self) -> Truths:
        return self._truths("break-glass", "dossiers that refuse break-glass")

    @cached_property
    def refuses_centre_15(self) -> Truths:
        return self._truths("centre 15", "dossiers that refuse the emergency call centre")

    @cached_property
    def masked_in_emergency(self) -> Truths:
        """Never where both emergency modes are refused."""
        shown = self._truths("emergency", "dossiers that show masked documents in emergency")
        return shown & ~(self.refuses_break_glass & self.refuses_centre_15)

    # Who is tied to the dossier

    @cached_property
    def practitioner(self) -> Numbers:
        """The treating physician."""
        has = self._truths("treated", "dossiers with a treating physician")
        return np.where(has, self._directory.rpps(PRACTITIONERS, self._near(PRACTITIONERS, "practitioner")), NOBODY)

    @cached_property
    def nurses(self) -> Numbers:
        """Of the care team: a practice, in three columns."""
        has = _NURSES.which(self._shares("nurses"))
        columns = self._neighbours(NURSES, "nurse", 3)
        return np.where(np.arange(3) < has[:, None], self._directory.rpps(NURSES, columns), NOBODY)

    @cached_property
    def specialists(self) -> Numbers:
        """In three columns: who was let in, who is blocked, and who is tied to the dossier by nothing at all."""
        columns = self._directory.rpps(SPECIALISTS, self._neighbours(SPECIALISTS, "specialist", 3))
        columns[~self._truths("let in", "dossiers with a specialist whom the holder let in"), 0] = NOBODY
        columns[~self._truths("blocked", "dossiers with somebody blocked"), 1] = NOBODY
        return columns

    @cached_property
    def hospital(self) -> Numbers:
        """Where the holder goes, whether or not it is in the care team."""
        return self._directory.finess(HOSPITALS, self._near(HOSPITALS, "hospital"))

    @cached_property
    def hospitals(self) -> Numbers:
        """Those in the care team, in two columns."""
        has = _HOSPITALS.which(self._shares("hospitals"))
        columns = self._neighbours(HOSPITALS, "hospital", 2)
        return np.where(np.arange(2) < has[:, None], self._directory.finess(HOSPITALS, columns), NOBODY)

    @cached_property
    def laboratory(self) -> Numbers:
        """Where the holder goes."""
        return self._directory.finess(LABORATORIES, self._near(LABORATORIES, "laboratory"))

    @cached_property
    def pharmacy(self) -> Numbers:
        """Where the holder goes, whether or not it was let in."""
        return self._directory.finess(PHARMACIES, self._near(PHARMACIES, "pharmacy"))

    @cached_property
    def granted_pharmacy(self) -> Numbers:
        """The same, where it was."""
        granted = self._truths("pharmacy let in", "dossiers with a pharmacy that the holder let in")
        return np.where(granted, self.pharmacy, NOBODY)

    @cached_property
    def is_child(self) -> Truths:
        return self.births.age < CHILDREN_UNTIL

    @cached_property
    def guardian(self) -> Numbers:
        """The dossier of the legal representative of a child, or of an adult's caregiver."""
        adult = self.births.age >= ADULTS_FROM
        cared_for = adult & self._truths("cared for", "adults with a caregiver")
        found = np.full(len(self.numbers), NOBODY)
        wanted = np.flatnonzero(self.is_child | cared_for)
        for attempt in range(_CANDIDATES):
            if not len(wanted):
                break
            numbers = self._draws.below(f"guardian {attempt}", self.numbers[wanted], self._directory.dossiers)
            ages = Births(self._draws, numbers).age
            fit = (ages >= ADULTS_FROM) & (ages < _OLDEST_REPRESENTATIVE) & (numbers != self.numbers[wanted])
            found[wanted[fit]] = numbers[fit]
            wanted = wanted[~fit]
        return found

    def _shares(self, what: str) -> Shares:
        return self._draws.shares(what, self.numbers)

    def _truths(self, what: str, figure: str) -> Truths:
        return self._draws.truths(what, self.numbers, POPULATION[figure].value)

    def _near(self, group: Group, what: str) -> Numbers:
        return self._directory.near(group, self.births.department, self._shares(what))

    def _neighbours(self, group: Group, what: str, columns: int) -> Numbers:
        """One that is near, and those who follow in the directory."""
        first = self._near(group, what)
        return (first[:, None] + np.arange(columns)) % self._directory.size(group)
