"""The bulk evaluation answers as Casbin does; everything that reviewers are told rests on it.

`DMP_BULK_SITUATIONS` sets how many situations are drawn (rounded up to whole portions), `DMP_BULK_SEED` repeats a run:
every run prints its seed. The situations of the oracle's cases are compared where they are judged (test_oracle.py).
"""

import os
import sys
from dataclasses import replace
from random import Random, SystemRandom

import pytest

from models.decisions import Decision
from models.vocabulary import Action, Obligation
from policy.engine import Engine
from policy.reasons import DENY
from policy.review.answers import Answers, answer, whole
from policy.review.planes import MEETINGS, Plane
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.words import Role
from tests.policy.review.bulk import (
    PORTION,
    compare,
    compare_the_cases,
    compare_the_few,
    disagreed,
    draw_situation,
    elsewhere,
)

SITUATIONS = 200_000


def told(words: str) -> Situation:
    """A situation in words."""
    return Situation.from_words(words.split())


@pytest.mark.no_cover
def test_casbin_agrees_on_situations_drawn_at_random(capsys: pytest.CaptureFixture[str]) -> None:
    """Answer, deciding rule, all refusing and all allowing rules and obligations are the same."""
    wanted = int(os.environ.get("DMP_BULK_SITUATIONS", SITUATIONS))
    seed = int(os.environ.get("DMP_BULK_SEED", SystemRandom().getrandbits(32)))
    portions = list(compare(seed, wanted))
    judged = len(portions) * PORTION
    with capsys.disabled():
        sys.stdout.write(f"\nCasbin and bulk evaluation compared on {judged} situations, DMP_BULK_SEED={seed}\n")
    assert judged >= wanted > 0
    assert [situation.words() for portion in portions for situation in portion] == []


@pytest.mark.no_cover
def test_casbin_agrees_on_every_situation_of_those_who_have_few() -> None:
    """All of them, as far as the rows tell them apart."""
    compared, found = elsewhere(compare_the_few)
    assert [situation.words() for situation in found] == []
    assert compared > 10_000


@pytest.mark.no_cover
def test_casbin_agrees_on_every_situation_of_the_cases() -> None:
    """Those of the packaged matrices."""
    compared, found = elsewhere(compare_the_cases)
    assert [situation.words() for situation in found] == []
    assert compared > 100_000


def test_a_disagreement_would_be_seen(engine: Engine, rules: RuleSet) -> None:
    """Of rules that lack one row, Casbin says otherwise."""
    fewer = replace(rules, rules=tuple(row for row in rules.rules if row.id != "blocked"))
    situation = Situation.from_words(
        ["physician", "document:list", "normal", "granted", "blocked", "strong_authentication"]
    )
    assert disagreed(engine, [situation]) == []
    mixed = Engine(fewer)
    mixed.rules = rules
    assert disagreed(mixed, [situation]) == [situation]


def test_an_answer_comes_with_the_rows_that_apply(rules: RuleSet) -> None:
    """Those that refuse, those that give, and the obligations' own."""
    situation = Situation.from_words(
        [
            "other_health_professional",
            "document:read",
            "normal",
            "granted",
            "habilitated",
            "masked",
            "strong_authentication",
        ]
    )
    decision, rows = answer(rules, situation)
    assert decision == Decision(allowed=False, rule="masked", refused_by=("masked",), allowed_by=("granted",))
    assert {row.id for row in rows} == {"masked", "granted", "notify_patient/first-access", "write_down"}


def test_outcomes_tell_what_callers_notice(rules: RuleSet) -> None:
    """Two rule sets of which one has a row that decides nowhere have equal outcomes."""
    plane, answers = whole(rules, Role.BANK, Action.DOSSIER_EXISTS)
    (prohibited,) = (row for row in rules.rules if row.id == "prohibited-party")
    idle = replace(prohibited, id="blocked/idle", effect=DENY)
    assert Answers(plane, (*answers.rows, idle), rules.register).outcome == answers.outcome
    assert Answers(plane, (), rules.register).outcome != answers.outcome


def test_a_decision_read_from_a_plane_is_that_of_its_situation(rules: RuleSet, engine: Engine) -> None:
    """Bit by bit, on a plane of few rows."""
    plane, answers = whole(rules, Role.HEALTH_FACILITY, Action.JOURNAL_READ)
    assert isinstance(plane, Plane)
    expected = [engine.judge(plane.situation(number)) for number in range(plane.size)]
    assert [answers.decision(number) for number in range(plane.size)] == expected
    assert expected[0].obligations == (Obligation.OWN_ENTRIES_ONLY, Obligation.WRITE_DOWN)


def test_drawing_reaches_every_role_and_action() -> None:
    """So that nobody is left out of the comparison."""
    random = Random(1)
    drawn = {(situation.role, situation.action) for situation in (draw_situation(random) for _ in range(20_000))}
    assert drawn == set(MEETINGS)
