"""The space of situations: what it holds, counted by hand."""

import pytest

from models.vocabulary import Action
from policy.space import DIMENSIONS, can_hold, dimensions, is_consistent
from policy.words import Fact, Role


def bits(*facts: Fact) -> int:
    return sum(fact.bit for fact in facts)


def test_every_fact_is_of_one_dimension() -> None:
    """So that alternatives of two dimensions never contradict each other."""
    assert sorted(fact for dimension in DIMENSIONS for fact in dimension.facts) == sorted(Fact)


def test_alternatives_are_told_apart() -> None:
    """No dimension has the same alternative twice, and each has at least two."""
    for dimension in DIMENSIONS:
        assert len(set(dimension.alternatives)) == len(dimension.alternatives) > 1


def test_there_are_thirteen_modes() -> None:
    """Normal; break-glass with or without reason, refusal, lifted masks; centre 15 with or without the latter two."""
    (modes,) = (each for each in dimensions(Role.BANK, Action.DOSSIER_OPEN) if Fact.NORMAL in each.facts)
    assert len(modes.alternatives) == 1 + 8 + 4


@pytest.mark.parametrize(
    "role, action, facts, expected",
    [
        (Role.BANK, Action.DOSSIER_OPEN, (Fact.NORMAL,), True),
        (Role.BANK, Action.DOSSIER_OPEN, (), False),
        (Role.BANK, Action.DOSSIER_OPEN, (Fact.NORMAL, Fact.HOLDER), False),
        (Role.PERSON, Action.DOSSIER_OPEN, (Fact.NORMAL,), False),
        (Role.PERSON, Action.DOSSIER_OPEN, (Fact.NORMAL, Fact.CAREGIVER, Fact.NO_DOSSIER), True),
        (Role.PERSON, Action.DOSSIER_OPEN, (Fact.NORMAL, Fact.HOLDER, Fact.CLOSED, Fact.SUSPENDED), False),
        (Role.UNKNOWN, None, (Fact.NO_DOCUMENT,), True),
        (Role.UNKNOWN, None, (Fact.NO_DOCUMENT, Fact.NO_MESSAGE), False),
        (Role.UNKNOWN, Action.DOCUMENT_READ, (Fact.NO_DOCUMENT,), False),
        (Role.UNKNOWN, Action.DOCUMENT_READ, (), False),
        (Role.BANK, None, (), False),
    ],
)
def test_some_facts_hold_together(
    role: Role, action: Action | None, facts: tuple[Fact, ...], *, expected: bool
) -> None:
    """One alternative from each dimension that bears on the role and the action, and nothing else."""
    assert is_consistent(role, action, bits(*facts)) is expected


@pytest.mark.parametrize(
    "role, action, needs, bars, expected",
    [
        (Role.PERSON, Action.DOCUMENT_READ, (), (), True),
        (Role.PERSON, Action.DOCUMENT_READ, (), (Fact.HOLDER, Fact.CAREGIVER), True),
        (Role.PERSON, Action.DOCUMENT_READ, (), (Fact.HOLDER, Fact.CAREGIVER, Fact.LEGAL_REPRESENTATIVE), False),
        (Role.PERSON, Action.DOCUMENT_READ, (Fact.NORMAL, Fact.BREAK_GLASS), (), False),
        (Role.PERSON, Action.DOCUMENT_READ, (Fact.REASONED,), (Fact.BREAK_GLASS,), False),
        (Role.PERSON, Action.DOCUMENT_READ, (Fact.BREAK_GLASS,), (Fact.REASONED,), True),
        (Role.PERSON, Action.DOCUMENT_READ, (), (Fact.NORMAL, Fact.BREAK_GLASS, Fact.CENTRE_15), False),
        (Role.PERSON, Action.DOCUMENT_READ, (Fact.HABILITATED,), (), False),
        (Role.PERSON, Action.DOCUMENT_READ, (), (Fact.HABILITATED,), True),
        (Role.PERSON, Action.DOSSIER_OPEN, (Fact.MASKED,), (), False),
        (Role.UNKNOWN, Action.DOSSIER_OPEN, (), (), False),
    ],
)
def test_some_conditions_can_hold(
    role: Role, action: Action, needs: tuple[Fact, ...], bars: tuple[Fact, ...], *, expected: bool
) -> None:
    """Where a situation has all that is needed and nothing that is barred."""
    assert can_hold(role, action, bits(*needs), bits(*bars)) is expected
