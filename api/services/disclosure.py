"""What may be told of counts: none under 11, nor what such a count could be computed from (RULES §7).

Whoever reads figures adds them up and subtracts them, and knows how this module chooses: nothing else is secret here
but the counts. So what is withheld beside a small count is chosen in an order that everybody knows, never by its size:
that the smallest of the others was taken would bound it, and by their sum the small count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

THRESHOLD = 11
"""Counts below are not told."""


def smallest_sum() -> int:
    """Of counts withheld together: one that is not small, and beside it anything from none to THRESHOLD - 1."""
    return 2 * THRESHOLD - 1


@dataclass(frozen=True, slots=True)
class Row:
    """A total and what it is the sum of, as they may be told: None is withheld."""

    total: int | None
    cells: Mapping[str, int | None]


class Party(NamedTuple):
    """Somebody whose openings are told one by one, with the department that they are counted in."""

    id: str
    department: str
    openings: int


def told(cells: Mapping[str, int], order: Sequence[str]) -> Row:
    """A row without what must not be known, nor be computed from the rest.

    With small counts, the first in the order that are not small are withheld: at least one, and until the sum of what
    is withheld leaves open how much of it is in the small ones. A row whose total is not enough for that is withheld
    whole, so that it does not matter who else knows its total.
    """
    total = sum(cells.values())
    if total < smallest_sum():
        return withheld(cells)
    small = {name for name, count in cells.items() if count < THRESHOLD}
    hidden = set(small)
    for name in (name for name in order if small and name in cells and name not in small):
        if hidden != small and sum(cells[each] for each in hidden) >= smallest_sum():
            break
        hidden.add(name)
    return Row(total, {name: None if name in hidden else count for name, count in cells.items()})


def withheld(cells: Iterable[str]) -> Row:
    """A row of which nothing is told."""
    return Row(None, dict.fromkeys(cells))


def told_parties(parties: Iterable[Party], of_all: int, of_department: Mapping[str, int]) -> dict[str, int]:
    """The parties whose counts may be told beside the rows that they are counted in.

    `of_all` and `of_department` are how many of them these rows tell of at most, in all and in each department. A count
    is told if it is not small and leaves of both, to those who are not told, as much as counts withheld together have:
    then nobody learns how much of it is whose, nor anything of what the rows withhold.
    """
    left, left_in = of_all - smallest_sum(), {name: sum_ - smallest_sum() for name, sum_ in of_department.items()}
    shown: dict[str, int] = {}
    for party in parties:
        if THRESHOLD <= party.openings <= min(left, left_in.get(party.department, 0)):
            left -= party.openings
            left_in[party.department] -= party.openings
            shown[party.id] = party.openings
    return shown


def rounded(count: int, step: int) -> int | None:
    """A count that changes from day to day, in whole steps, rounded down: small steps between days are not seen."""
    return count - count % step or None
