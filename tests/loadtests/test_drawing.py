"""Reads fall on few dossiers, deposits on all alike."""

from collections import Counter
from random import Random

import pytest

from loadtests import questions
from loadtests.drawing import Source
from loadtests.population import Population

POPULATION = Population(200, seed=7)


def test_most_reads_fall_on_few_dossiers() -> None:
    """Of 200 dossiers, 20 get their 66 % and their share of the rest."""
    source = Source(POPULATION, Random(1), ahead=500)
    drawn = Counter(source.read().number for _ in range(5_000))
    most = sum(count for _, count in drawn.most_common(20))
    assert len(drawn) == 200
    assert most / 5_000 == pytest.approx(0.66 + 0.34 * 0.1, abs=0.02)


def test_deposits_fall_on_all_alike() -> None:
    """None gets much more than the others."""
    source = Source(POPULATION, Random(1), ahead=500)
    drawn = Counter(source.anywhere().number for _ in range(5_000))
    assert (len(drawn), max(drawn.values()) < 60) == (200, True)


def test_what_is_drawn_can_be_drawn_again() -> None:
    """Two sources of the same numbers draw the same dossiers, whatever they compute ahead."""
    one, other = (Source(POPULATION, Random(3), ahead=ahead) for ahead in (1, 7))
    assert [one.read() for _ in range(21)] == [other.read() for _ in range(21)]


def test_a_tie_that_nobody_has_is_not_looked_for_for_ever() -> None:
    """A population too small for a persona ends the run with a sentence."""
    source = Source(Population(10), Random(1), ahead=1_000)
    with pytest.raises(LookupError, match="too small"):
        source.with_tie(lambda _: None)


def test_what_few_dossiers_have_is_found() -> None:
    """All that fit are drawn, and no other; where none fits it is said."""
    source = Source(POPULATION, Random(1))
    drawn = {questions.with_caregiver(source)[0].number for _ in range(200)}
    fitting = [dossier for dossier in map(POPULATION.dossier, range(200)) if dossier.caregiver is not None]
    assert drawn == {dossier.number for dossier in fitting}
    with pytest.raises(LookupError, match="too small"):
        source.where(lambda block: block.numbers < 0)
