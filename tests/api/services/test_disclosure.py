"""No count under 11 is told, nor can it be computed from all that is: everybody is free to try."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.figures import view
from api.schemas.statistics import Statistics
from api.services import disclosure, statistics
from api.services.disclosure import Party, Row, told, told_parties
from api.services.statistics import (
    OPENERS,
    PERSON,
    PHARMACY,
    UNKNOWN,
    Figures,
    Month,
    dossiers_told,
    openings_told,
    pharmacies_told,
)
from models.queries.statistics import Held, Opened, OpenedBy
from tests.doubles.arithmetician import Arithmetician

YEAR = 2025
MONTHS = [Month(YEAR, number) for number in range(1, 13)]
DEPARTMENTS = {"22": "Côtes-d’Armor", "37": "Indre-et-Loire", "94": "Val-de-Marne"}
PHARMACIES = {"220000020": "22", "220000038": "22", "370000010": "37", "940000011": "94"}
COUNTS = st.sampled_from([0, 0, 0, 0, 1, 2, 5, 9, 10, 11, 12, 13, 21, 22, 40, 300])

Atom = tuple[int, str, str, str]
"""A month, who opens, where, and which pharmacy if it is one: what openings are counted of."""


def atoms(months: int, departments: Mapping[str, str] = DEPARTMENTS) -> list[Atom]:
    """Everything that may be counted in the year's last months."""
    last = range(13 - months, 13)
    others = [("professional", UNKNOWN), *product(OPENERS[:3], departments)]
    return [
        *((month, "person", UNKNOWN, "") for month in last),
        *((month, kind, where, "") for month in last for kind, where in others),
        *((month, PHARMACY, where, which) for month in last for which, where in PHARMACIES.items()),
    ]


def published(world: Mapping[Atom, int]) -> Statistics:
    """What is told of a year in which these were opened."""
    opened = [Opened(YEAR, month, kind, where, count) for (month, kind, where, _), count in world.items() if count]
    by_pharmacy: dict[str, int] = defaultdict(int)
    for (_, _, _, which), count in world.items():
        by_pharmacy[which] += count
    of_pharmacies = [OpenedBy(YEAR, each, PHARMACIES[each], count) for each, count in by_pharmacy.items() if each]
    openings = openings_told(opened, MONTHS)
    held = dossiers_told(Held(0, 0, 0))
    return view(Figures(held, openings, {}, {YEAR: pharmacies_told(YEAR, of_pharmacies, openings)}))


def counted(world: Mapping[Atom, int]) -> dict[tuple[str, ...], int]:
    """Every count of the tables, told or not, by table, month and what it counts."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for (month, kind, where, which), count in world.items():
        name = str(Month(YEAR, month))
        counts["total", name] += count
        counts["opener", name, kind] += count
        if kind != PERSON:
            counts["department", name, where] += count
        if which:
            counts["pharmacy", which] += count
    return dict(counts)


def shown(figures: Statistics) -> dict[tuple[str, ...], int]:
    """Every count that the answer tells, by the same names."""
    counts: dict[tuple[str, ...], int | None] = {}
    for each in figures.openings:
        counts["total", each.month] = each.total
        counts |= {("opener", each.month, name): count for name, count in each.by_opener.items()}
        counts |= {("department", each.month, name): count for name, count in each.by_department.items()}
    counts |= {("pharmacy", each.finess): each.count for its in figures.pharmacies for each in its.openings}
    return {name: count for name, count in counts.items() if count is not None}


def attacker(world: Mapping[Atom, int], figures: Statistics) -> Arithmetician:
    """He knows how the tables hang together, all that is told, and in which months nothing was opened at all."""
    attack, counts = Arithmetician(), counted(world)
    months = {name[1] for name in counts if name[0] == "total"}
    for month in sorted(months):
        openers = [name for name in counts if name[:2] == ("opener", month)]
        departments = [name for name in counts if name[:2] == ("department", month)]
        attack.equal({**dict.fromkeys(openers, 1), ("total", month): -1}, 0)
        attack.equal({**dict.fromkeys(departments, 1), ("total", month): -1, ("opener", month, PERSON): 1}, 0)
    for name, count in shown(figures).items():
        if name in counts:
            attack.equal({name: 1}, count)
    year: dict[Hashable, int] = {("pharmacy", each): 1 for each in PHARMACIES}
    year |= {("opener", month, PHARMACY): -1 for month in months}
    attack.equal(year, 0)
    for where in DEPARTMENTS:
        its: dict[Hashable, int] = {("pharmacy", each): 1 for each, other in PHARMACIES.items() if other == where}
        its |= {("department", month, where): -1 for month in months}
        attack.at_most(its, 0)
    return attack


def small(world: Mapping[Atom, int]) -> dict[tuple[str, ...], int]:
    return {name: count for name, count in counted(world).items() if count < disclosure.THRESHOLD}


BUSY = dict.fromkeys(atoms(2), 300) | {(11, PHARMACY, "94", "940000011"): 5, (12, PHARMACY, "94", "940000011"): 0}
"""Everywhere much is opened, but by one pharmacy."""


@contextmanager
def few_departments(threshold: int = 11) -> Iterator[None]:
    """France with three departments, so that there is less to compute, and perhaps with another threshold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "DEPARTMENTS", DEPARTMENTS)
        patch.setattr(disclosure, "THRESHOLD", threshold)
        yield


ATOMS = ("person@unknown", "professional@22", "professional@37", "220000020", "220000038", "370000010")
"""Of the smallest France: others than pharmacies in each department, two pharmacies in one of them."""

WORLDS = st.lists(COUNTS, min_size=len(atoms(2)), max_size=len(atoms(2))).map(
    lambda counts: dict(zip(atoms(2), counts, strict=True))
)


@given(WORLDS)
@example(BUSY)
def test_no_subtraction_reveals_a_small_count(world: dict[Atom, int]) -> None:
    """Of all tables together, each of which is told as it is: no equation between them leaves one alone."""
    with few_departments():
        figures, secret = published(world), small(world)
        assert not shown(figures).keys() & secret.keys()
        assert shown(figures).items() <= counted(world).items()
        assert not attacker(world, figures).determined().keys() & secret.keys()


@settings(max_examples=15)
@given(WORLDS, st.data())
def test_no_bound_reveals_a_small_count(world: dict[Atom, int], data: st.DataObject) -> None:
    """Counts are whole and not below zero: even so each small one could be another."""
    with few_departments():
        attack = attacker(world, published(world))
        secret = sorted(small(world))
        for name in data.draw(st.lists(st.sampled_from(secret), max_size=3, unique=True)) if secret else ():
            least, most = attack.bounds(name)
            assert most is None or ceil(least) < floor(most), name


def test_the_attack_is_one() -> None:
    """Were small counts alone withheld, subtraction would tell them."""
    world = dict.fromkeys(atoms(1), 30) | {(12, "person", UNKNOWN, ""): 4}
    with few_departments():
        figures = published(world)
        attack = attacker(world, figures)
        secret = ("opener", "2025-12", "person")
        assert secret not in attack.determined()
        for name, count in counted(world).items():
            if count >= disclosure.THRESHOLD:
                attack.equal({name: 1}, count)
        assert attack.determined()[secret] == 4
        assert {*attack.bounds(secret)} == {4}


@pytest.mark.parametrize("threshold, length, most, others", [(11, 3, 59, 10), (2, 5, 10, 2), (3, 4, 16, 2)])
def test_whoever_knows_the_rule_learns_no_small_count_of_a_row(
    threshold: int, length: int, most: int, others: int
) -> None:
    """He computes what would be told of every row that there could be: whatever is small could be as many others.

    Which others are withheld with it is not chosen by their size, which would bound them.
    """
    names = "abcde"[:length]
    rows = [dict(zip(names, counts, strict=True)) for counts in _sums(length, most)]
    alike: dict[str, list[dict[str, int]]] = defaultdict(list)
    with few_departments(threshold):
        for row in rows:
            alike[str(told(row, names))].append(row)
    for its in alike.values():
        for name in names:
            values = {row[name] for row in its}
            assert min(values) >= threshold or len(values) >= others, (name, its[0])


@pytest.mark.parametrize(
    "kept, months, most",
    [
        (ATOMS, 1, 8),
        pytest.param(ATOMS, 1, 11, marks=pytest.mark.long),
        pytest.param((*ATOMS[:4], "370000010"), 2, 4, marks=pytest.mark.long),
    ],
)
def test_whoever_knows_the_rule_learns_no_small_count_at_all(kept: Sequence[str], months: int, most: int) -> None:
    """The same of all tables together, in a France so small that every possible year of it can be gone through."""
    alike: dict[str, list[dict[tuple[str, ...], int]]] = defaultdict(list)
    with few_departments(threshold=2):
        for world in worlds(kept, months, most):
            alike[repr(published(world))].append(counted(world))
    for its in alike.values():
        for name in its[0]:
            values = {each[name] for each in its}
            assert len(values) > 1 or min(values) >= 2, (name, its[0])


def worlds(kept: Sequence[str], months: int, most: int) -> Iterator[dict[Atom, int]]:
    """All years in which only these open dossiers, and no more than so many in a month."""
    its = [[each for each in atoms(1) if which in (each[3], f"{each[1]}@{each[2]}")] for which in kept]
    for year in product(list(_sums(len(kept), most)), repeat=months):
        yield {
            (12 - number, *atom[1:]): count
            for number, counts in enumerate(year)
            for (atom,), count in zip(its, counts, strict=True)
        }


def _sums(length: int, most: int) -> Iterator[tuple[int, ...]]:
    """All of this length that add up to no more."""
    if not length:
        yield ()
        return
    for first in range(most + 1):
        for rest in _sums(length - 1, most - first):
            yield (first, *rest)


@pytest.mark.parametrize(
    "cells, expected",
    [
        ({"a": 11, "b": 12, "c": 40}, Row(63, {"a": 11, "b": 12, "c": 40})),
        ({"a": 40, "b": 3, "c": 50}, Row(93, {"a": None, "b": None, "c": 50})),
        ({"a": 11, "b": 3, "c": 50}, Row(64, {"a": None, "b": None, "c": None})),
        ({"a": 3, "b": 3, "c": 50}, Row(56, {"a": None, "b": None, "c": None})),
        ({"a": 10, "b": 0, "c": 11}, Row(21, {"a": None, "b": None, "c": None})),
        ({"a": 10, "b": 0, "c": 10}, Row(None, {"a": None, "b": None, "c": None})),
    ],
)
def test_what_is_withheld_of_a_row(cells: dict[str, int], expected: Row) -> None:
    """Small counts, and beside them the first in the order until 21 are withheld together; of fewer than 21, all."""
    assert told(cells, tuple(cells)) == expected


def test_pharmacies_are_told_unless_that_tells_of_others() -> None:
    """Those with 11 and more, as long as they leave enough to the others of their department, and to all others."""
    world: dict[Any, int] = {(month, "person", UNKNOWN, ""): 100 for month in range(1, 13)}
    for month in range(1, 13):
        world |= {
            **{(month, "professional", where, ""): 30 for where in ("22", "94", UNKNOWN)},
            (month, PHARMACY, "22", "220000020"): 20,
            (month, PHARMACY, "22", "220000038"): month == 1,
            (month, PHARMACY, "37", "370000010"): 40,
        }
    with few_departments():
        (year,) = published(world).pharmacies
    # All that was opened in department 37 was opened by its pharmacy, so telling hers would tell that others had none.
    assert [(each.finess, each.count) for each in year.openings] == [("220000020", 240)]


@pytest.mark.parametrize(
    "of_all, of_department, expected",
    [
        (1000, {"22": 1000, "37": 1000}, {"a": 30, "b": 30, "c": 30}),
        (110, {"22": 1000, "37": 1000}, {"a": 30, "b": 30}),
        (1000, {"22": 80, "37": 1000}, {"a": 30, "c": 30}),
        (1000, {"22": 81, "37": 50}, {"a": 30, "b": 30}),
        (1000, {"37": 51}, {"c": 30}),
        (0, {}, {}),
    ],
)
def test_which_parties_are_told(of_all: int, of_department: dict[str, int], expected: dict[str, int]) -> None:
    """The first that leave 21 of both; small ones never, and nobody where the rows tell nothing."""
    parties = [Party("a", "22", 30), Party("s", "22", 10), Party("b", "22", 30), Party("c", "37", 30)]
    assert told_parties(parties, of_all, of_department) == expected


def test_what_there_is_goes_in_steps() -> None:
    """Seed 004, a thousand times smaller: 594 created, 355 fed, 7 documents each. A few are not told at all."""
    assert dossiers_told(Held(594, 355, 355 * 7)) == statistics.Dossiers(500, 300, 7.0)
    assert dossiers_told(Held(99, 99, 700)) == statistics.Dossiers(None, None, None)
    assert dossiers_told(Held(594_333, 355_332, 355_332 * 7)) == statistics.Dossiers(594_300, 355_300, 7.0)
