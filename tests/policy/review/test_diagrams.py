"""Diagrams: what they say of a set is what one finds by going through its situations."""

from random import Random

import pytest

from models.vocabulary import Action
from policy.conditions import Condition
from policy.review.answers import union
from policy.review.diagrams import EVERYWHERE, NOWHERE, Diagram
from policy.review.planes import Plane
from policy.words import Fact, Role

PLANE = Plane(Role.PERSON, Action.DOSSIER_OPEN, Fact)
SETS = [
    *(Random(seed).getrandbits(PLANE.size) for seed in range(4)),
    PLANE.columns[Fact.HOLDER] | PLANE.columns[Fact.CLOSED],
    PLANE.columns[Fact.NORMAL] & ~PLANE.columns[Fact.CAREGIVER],
    1 << 200,
]


def without(condition: Condition, fact: Fact) -> Condition:
    """The condition with one literal less."""
    return Condition(condition.required - {fact}, condition.forbidden - {fact})


@pytest.mark.parametrize("column", SETS)
def test_a_cover_is_exact_and_nothing_of_it_can_be_spared(column: int) -> None:
    """Its conditions are met in the set and nowhere else; no condition and no literal is too many."""
    diagram = Diagram(PLANE)
    cover = diagram.cover(diagram.of(column))
    assert union(map(PLANE.where, cover)) == column
    for condition in cover:
        assert union(PLANE.where(other) for other in cover if other is not condition) != column
        for fact in condition.facts:
            assert PLANE.where(without(condition, fact)) & ~column, (condition.text, fact)


def test_a_cover_is_readable() -> None:
    """Of what is said in two conditions, two conditions are made."""
    diagram = Diagram(PLANE)
    column = PLANE.columns[Fact.HOLDER] & PLANE.columns[Fact.NORMAL] | PLANE.columns[Fact.CLOSED]
    assert {condition.text for condition in diagram.cover(diagram.of(column))} == {"closed", "normal & holder"}


def test_the_whole_and_the_empty_set() -> None:
    """One condition without a literal, and none."""
    diagram = Diagram(PLANE)
    assert (diagram.of(PLANE.all), diagram.of(0)) == (EVERYWHERE, NOWHERE)
    assert [condition.text for condition in diagram.cover(EVERYWHERE)] == ["always"]
    assert diagram.cover(NOWHERE) == []


@pytest.mark.parametrize("column", SETS)
def test_the_smallest_situation_has_the_fewest_facts(column: int) -> None:
    """And is of the set."""
    diagram = Diagram(PLANE)
    members = [PLANE.situation(number) for number in range(PLANE.size) if column >> number & 1]
    found = diagram.smallest(diagram.of(column))
    assert found in members
    assert len(found.facts) == min(len(member.facts) for member in members)


@pytest.mark.parametrize("column", SETS)
def test_what_is_taken_out_is_gone(column: int) -> None:
    """And nothing else."""
    diagram = Diagram(PLANE)
    condition = Condition(frozenset({Fact.HOLDER}), frozenset({Fact.NO_DOSSIER, Fact.CENTRE_15}))
    expected = diagram.of(column & ~PLANE.where(condition))
    assert diagram.without(diagram.of(column), condition) == expected
