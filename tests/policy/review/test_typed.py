"""Situations as reviewers type them."""

from itertools import combinations

import pytest

from policy.errors import SituationError
from policy.review.planes import MEETINGS
from policy.review.typed import situation_of_words
from policy.situation import Situation
from policy.space import dimensions
from policy.words import NO_ACTION, Fact

_MODES = (
    "there is exactly one mode: normal; break_glass, with any of reasoned, break_glass_refused and "
    "emergency_lifts_mask; or centre_15, with any of centre_15_refused and emergency_lifts_mask"
)


@pytest.mark.parametrize(
    "typed, expected",
    [
        ("physician document:read masked strong_authentication", "masked strong_authentication normal"),
        ("physician document:read strong_authentication normal masked", "masked strong_authentication normal"),
        ("physician document:read reasoned break_glass", "break_glass reasoned"),
    ],
)
def test_facts_come_in_any_order(typed: str, expected: str) -> None:
    """The order of facts means nothing, and the normal mode need not be told."""
    assert situation_of_words(typed.split()) == Situation.from_words(["physician", "document:read", *expected.split()])


def test_a_question_that_cannot_be_put_has_no_mode() -> None:
    """The normal mode is not added where nothing but the reason is told."""
    expected = Situation.from_words(["unknown", "none", "no_document"])
    assert situation_of_words(["unknown", "none", "no_document"]) == expected


@pytest.mark.parametrize(
    "typed, fault",
    [
        ("physician", "a situation is a role, an action and facts"),
        ("physicin document:read", "'physicin' is no known role; did you mean physician?"),
        ("physician document:raed", "'document:raed' is no known action; did you mean document:read?"),
        ("physician document:read maskd", "'maskd' is no known fact; did you mean masked?"),
        ("physician document:read xyz", "'xyz' is no known fact"),
        ("physician document:read masked masked", "masked is told twice"),
        ("bank none", "bank and none do not meet: none is what only unknown asks"),
        ("physician document:read break_glass normal", f"{_MODES}; told was normal and break_glass"),
        ("physician document:read reasoned", f"{_MODES}; told was normal and reasoned"),
        (
            "physician document:read closed suspended",
            (
                "a dossier has at most one state: no_dossier, closed or suspended; without any it is open; told was "
                "closed and suspended"
            ),
        ),
        (
            "person document:list",
            "a person is at least one of: holder, legal_representative, caregiver; told was nothing",
        ),
        (
            "person document:list holder blocked",
            "blocked is not told of person, only of physician, other_health_professional or social_professional",
        ),
        (
            "physician access:list for_self",
            "for_self is not told of access:list, only of access:grant or treating_physician:declare",
        ),
        ("unknown none normal no_document", "normal is not told of unknown, only of whoever is known"),
    ],
)
def test_what_is_no_situation_is_told_why(typed: str, fault: str) -> None:
    """The nearest word, or the facts that do not go together with the reason."""
    with pytest.raises(SituationError) as raised:
        situation_of_words(typed.split())
    assert str(raised.value) == fault


def test_every_clash_of_facts_has_its_sentence() -> None:
    """Whatever dimension two facts clash in, the fault tells both."""
    for role, action in MEETINGS:
        word = NO_ACTION if action is None else action.value
        plain = [Fact.HOLDER] if role == "person" else []
        for dimension in dimensions(role, action):
            for pair in combinations([fact for fact in Fact if fact in dimension.facts], 2):
                if not any(some.issuperset(pair) for some in dimension.alternatives):
                    facts = dict.fromkeys([*(fact for fact in plain if fact not in dimension.facts), *pair])
                    with pytest.raises(SituationError, match=f"told was .*{pair[0]}.* and {pair[1]}"):
                        situation_of_words([role.value, word, *facts])
