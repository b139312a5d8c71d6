"""Who cares for the population and where: professionals and structures, spread over departments as people are.

The whole country has as many as profile.py says, a smaller population fewer in proportion, but ten of each at least.
Few hospitals of a department see most of its patients, and have most of its staff.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from loadtests.population.draws import Numbers, Shares
from loadtests.population.numbering import PLACES, digits, finess, rpps
from loadtests.profile import POPULATION
from models.identifiers import parse_organization
from models.vocabulary import OrganizationKind

HOSPITAL = parse_organization("750000002")
"""Beside the population's own hospitals: whoever deposits something new does so as this one."""
INSURER = parse_organization("775567092")
FUND = parse_organization("999000003")

_LEAST = 10


class Group(NamedTuple):
    """Some professionals or structures: the figure that counts them, where their numbers begin, and what they are."""

    figure: str
    first: int
    kind: str


PRACTITIONERS = Group("general practitioners", 0, "physician")
SPECIALISTS = Group("specialists in town", 10_000_000, "physician")
HOSPITAL_PHYSICIANS = Group("physicians of hospitals", 20_000_000, "physician")
REGULATORS = Group("physicians who regulate emergency calls", 30_000_000, "physician")
NURSES = Group("nurses in town", 40_000_000, "nurse")
HOSPITAL_NURSES = Group("nurses of hospitals", 50_000_000, "nurse")
PHARMACISTS = Group("pharmacists", 60_000_000, "pharmacist")
HOSPITALS = Group("hospitals", 0, OrganizationKind.HEALTH_FACILITY)
LABORATORIES = Group("laboratories", 10_000, OrganizationKind.LABORATORY)
PHARMACIES = Group("pharmacies", 30_000, OrganizationKind.PHARMACY)

PROFESSIONALS = (
    PRACTITIONERS,
    SPECIALISTS,
    HOSPITAL_PHYSICIANS,
    REGULATORS,
    NURSES,
    HOSPITAL_NURSES,
    PHARMACISTS,
)
STRUCTURES = (HOSPITALS, LABORATORIES, PHARMACIES)
WORKPLACES = {
    HOSPITAL_PHYSICIANS: HOSPITALS,
    HOSPITAL_NURSES: HOSPITALS,
    PHARMACISTS: PHARMACIES,
}
"""Where those exercise who do in a structure, one in each at least; the others exercise in none."""


class Professional(NamedTuple):
    """A row of the directory."""

    rpps: str
    profession: str
    samu_regulator: bool
    organization: str | None


class Structure(NamedTuple):
    """A row of the directory."""

    id: str
    kind: str
    name: str


@dataclass(frozen=True)
class Directory:
    """The directory of a population of so many dossiers."""

    dossiers: int

    def size(self, group: Group) -> int:
        """How many there are of a group."""
        share = min(1.0, self.dossiers / POPULATION["dossiers of the whole country"].value)
        return max(_LEAST, round(POPULATION[group.figure].value * share))

    def near(self, group: Group, departments: Numbers, shares: Shares) -> Numbers:
        """Which of a group cares for somebody of a department: each as often as the next, but few hospitals mostly."""
        along = (shares * shares) ** 2 if group is HOSPITALS else shares
        return (PLACES.place(departments, along) * self.size(group)).astype(np.int64)

    def rpps(self, group: Group, which: Numbers) -> Numbers:
        """Of professionals of a group, in the order of their numbers."""
        return rpps(group.first + which)

    def finess(self, group: Group, which: Numbers) -> Numbers:
        """Of structures of a group."""
        return finess(PLACES.which((which + 0.5) / self.size(group)), group.first + which)

    def structure(self, group: Group, identity: str) -> int:
        """Which of a group has this FINESS. Raises ValueError if none has."""
        which = int(identity[3:8]) - group.first
        if not 0 <= which < self.size(group) or self._id(group, which) != identity:
            raise ValueError(f"none of the population's {group.figure}")
        return which

    def colleagues(self, group: Group, structure: int) -> range:
        """The professionals of a group who exercise in a structure, by their numbers: at least one."""
        begin, end = self._begins[group][structure : structure + 2]
        return range(int(begin), int(end))

    def workplaces(self, group: Group) -> Numbers:
        """In which structure each professional of a group exercises."""
        return np.searchsorted(self._begins[group], np.arange(self.size(group)), side="right") - 1

    def structures(self) -> Iterator[Structure]:
        """All, those that stand beside the population included."""
        yield Structure(HOSPITAL, OrganizationKind.HEALTH_FACILITY, "Hôpital")
        yield Structure(INSURER, OrganizationKind.COMPLEMENTARY_INSURER, "Assureur")
        yield Structure(FUND, OrganizationKind.INSURANCE_FUND, "Caisse")
        for group in STRUCTURES:
            for number, identity in enumerate(self._ids(group)):
                yield Structure(identity, group.kind, f"{_NAMES[group]} {number + 1}")

    def professionals(self) -> Iterator[Professional]:
        """All of them."""
        for group in PROFESSIONALS:
            numbers = digits(self.rpps(group, np.arange(self.size(group))), 11).tolist()
            places: list[str] | list[None] = [None] * len(numbers)
            if group in WORKPLACES:
                ids = self._ids(WORKPLACES[group])
                places = [ids[place] for place in self.workplaces(group).tolist()]
            for number, place in zip(numbers, places, strict=True):
                yield Professional(number.decode(), group.kind, group is REGULATORS, place)

    def staff(self) -> Iterator[tuple[str, str]]:
        """A secretary of each hospital, by an id and the hospital's."""
        for hospital in self._ids(HOSPITALS):
            yield f"secretary-{hospital}", hospital

    def _id(self, group: Group, which: int) -> str:
        return f"{int(self.finess(group, np.array([which]))[0]):09}"

    def _ids(self, group: Group) -> list[str]:
        return [each.decode() for each in digits(self.finess(group, np.arange(self.size(group))), 9).tolist()]

    @cached_property
    def _begins(self) -> dict[Group, Numbers]:
        """For each structure the first who exercises there, and who would come after the last of the last."""
        return {group: self._begin(group, places) for group, places in WORKPLACES.items()}

    def _begin(self, group: Group, places: Group) -> Numbers:
        """Spread as `near` spreads patients, with one in each at least: structures are never more than they are."""
        structures, members = self.size(places), self.size(group)
        edges = np.arange(structures) / structures
        if places is HOSPITALS:
            departments = PLACES.which(edges)
            edges = PLACES.place(departments, np.sqrt(np.sqrt(PLACES.within(edges, departments))))
        least = np.arange(structures)
        begins = np.maximum.accumulate(np.ceil(edges * members).astype(np.int64) - least) + least
        return np.append(np.minimum(begins, members - structures + least), members)


_NAMES = {HOSPITALS: "Hôpital", LABORATORIES: "Laboratoire", PHARMACIES: "Pharmacie"}
