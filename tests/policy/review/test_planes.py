"""Planes: every situation has its bit, and columns say where facts hold."""

from math import prod
from random import Random

import pytest

from models.vocabulary import Action
from policy.conditions import Condition
from policy.review.planes import MEETINGS, Plane, Sample, plainest, situations_of
from policy.situation import Situation
from policy.space import dimensions
from policy.words import Fact, Role

SMALL = (Role.PERSON, Action.DOSSIER_OPEN)


def test_who_meets_what() -> None:
    """Everybody who is known may ask for everything; who is unknown asks for nothing that is kept."""
    assert set(MEETINGS) == {(role, action) for role in Role for action in Action if role is not Role.UNKNOWN} | {
        (Role.UNKNOWN, None)
    }


def test_a_plane_of_all_facts_holds_every_situation_once() -> None:
    """13 modes, 4 states of the dossier, 7 sets of ties: 364 situations of a person who opens a dossier."""
    plane = Plane(*SMALL, Fact)
    situations = {plane.situation(number) for number in range(plane.size)}
    assert (plane.size, plane.weight, len(situations), situations_of(*SMALL)) == (364, 1, 364, 364)


def test_a_column_says_where_a_fact_holds() -> None:
    """Bit by bit."""
    plane = Plane(*SMALL, Fact)
    for fact in Fact:
        expected = [number for number in range(plane.size) if fact in plane.situation(number).facts]
        assert [number for number in range(plane.size) if plane.columns[fact] >> number & 1] == expected


def test_facts_that_nobody_asks_about_are_left_out() -> None:
    """Each bit then stands for all situations that differ in those only, and shows the plainest of them."""
    plane = Plane(*SMALL, [Fact.CLOSED])
    assert (plane.size, plane.weight) == (4, 13 * 7)
    assert [plane.situation(number).words() for number in range(4)] == [
        ("person", "dossier:open", "normal", "holder"),
        ("person", "dossier:open", "normal", "no_dossier", "holder"),
        ("person", "dossier:open", "normal", "closed", "holder"),
        ("person", "dossier:open", "normal", "suspended", "holder"),
    ]


def test_a_condition_is_met_where_its_facts_are() -> None:
    """The required ones there, the forbidden ones not."""
    plane = Plane(*SMALL, Fact)
    condition = Condition(frozenset({Fact.HOLDER, Fact.NORMAL}), frozenset({Fact.CLOSED}))
    expected = [n for n in range(plane.size) if condition.is_met(plane.situation(n).bits)]
    assert [n for n in range(plane.size) if plane.where(condition) >> n & 1] == expected
    assert len(expected) == 4 * 3


@pytest.mark.parametrize("fact", [Fact.HOLDER, Fact.NO_DOSSIER, Fact.REASONED, Fact.NORMAL])
def test_turning_a_fact_finds_the_same_situation_without_it(fact: Fact) -> None:
    """As one finds by looking for each; a mode has no situation without it."""
    plane = Plane(*SMALL, Fact)
    numbers = {plane.situation(number).facts: number for number in range(plane.size)}
    random = Random(0)
    here, there = random.getrandbits(plane.size), random.getrandbits(plane.size)
    expected = [
        number
        for facts, number in numbers.items()
        if fact in facts and here >> number & 1
        if (other := numbers.get(facts - {fact})) is not None and there >> other & 1
    ]
    found = plane.turned(fact, here, there)
    assert sorted(expected) == [number for number in range(plane.size) if found >> number & 1]
    assert bool(expected) is (fact is not Fact.NORMAL)


def test_a_plane_knows_what_it_does_not_tell() -> None:
    """A condition about facts that mean nothing for this role is told; one about facts left out is not."""
    plane = Plane(*SMALL, [Fact.CLOSED])
    meaningless = Condition(frozenset(), frozenset({Fact.GRANTED}))
    left_out = Condition(frozenset(), frozenset({Fact.HOLDER}))
    assert (plane.tells([meaningless]), plane.tells([meaningless, left_out])) == (True, False)


def test_a_sample_holds_what_was_picked() -> None:
    """In its order."""
    picked = [Situation.of(*SMALL, facts) for facts in ({Fact.NORMAL, Fact.HOLDER}, {Fact.CENTRE_15, Fact.CAREGIVER})]
    sample = Sample(*SMALL, picked)
    assert (sample.all, sample.columns[Fact.HOLDER], sample.columns[Fact.CAREGIVER]) == (0b11, 0b01, 0b10)


def test_the_whole_space_is_counted() -> None:
    """The product of the alternatives, role by role and action by action."""
    counted = sum(prod(len(each.alternatives) for each in dimensions(*meeting)) for meeting in MEETINGS)
    assert sum(situations_of(*meeting) for meeting in MEETINGS) == counted == 251_468_470


def test_the_plainest_mode_is_the_normal_one() -> None:
    """And the plainest state says nothing."""
    facts = frozenset[Fact]().union(*map(plainest, dimensions(*SMALL)))
    assert facts == {Fact.NORMAL, Fact.HOLDER}
