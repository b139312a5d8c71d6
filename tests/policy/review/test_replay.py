"""What recorded decisions would be under other rules."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from models.facts import Professional
from models.vocabulary import Action, RelationKind
from policy.engine import Engine
from policy.loader import load
from policy.review.recorded import Recorded
from policy.review.replay import Changes, Unreadable, count_changes, replay
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.words import Fact, Role
from tests.policy.asking import NURSE, PHYSICIAN, REPORT, ask, related
from tests.policy.folders import copy_of_the_policy, rewrite

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
GRANTED = frozenset({Fact.NORMAL, Fact.GRANTED, Fact.STRONG_AUTHENTICATION, Fact.HABILITATED})
OF_THE_TEAM = frozenset({Fact.IN_CARE_TEAM, Fact.CARE_TEAM_CONSENT})

Variant = Callable[[str, str, str], RuleSet]


@pytest.fixture
def variant(tmp_path: Path) -> Variant:
    """The packaged rules with one text of one file replaced."""

    def varied(file: str, text: str, by: str) -> RuleSet:
        folder = copy_of_the_policy(tmp_path)
        rewrite(folder / file, lambda content: content.replace(text, by))
        return load(folder)

    return varied


@pytest.fixture
def stricter(variant: Variant) -> RuleSet:
    """Explicit consent counts only while the patient is present."""
    return variant("rules/70-care.csv", "of_care, normal & granted,", "of_care, normal & granted & patient_present,")


@pytest.fixture
def without_nurses(variant: Variant) -> RuleSet:
    """The matrix closes reports to nurses."""
    return variant("habilitations.csv", "nurse,report,allow,sourced", "nurse,report,deny,sourced")


def recorded(engine: Engine, facts: frozenset[Fact] = GRANTED, number: int = 1, **told: Any) -> Recorded:
    """A decision of these rules on a nurse who reads a report, the first or a later one of a dossier."""
    situation = Situation.of(Role.OTHER_HEALTH_PROFESSIONAL, Action.DOCUMENT_READ, facts)
    decision = engine.judge(situation)
    one = Recorded(
        f"dossier/{number}",
        AT + timedelta(minutes=number),
        situation.words(),
        decision.allowed,
        decision.rule,
        tuple(obligation.value for obligation in decision.obligations),
        "nurse",
        REPORT.document_type,
    )
    return replace(one, **told)


def kinds(decisions: list[Recorded], old: RuleSet, new: RuleSet) -> list[int]:
    """How many of each kind a replay and a count find, which must be the same."""
    found = replay(decisions, new).changes
    counted = count_changes(decisions, old, new)
    told = [sum(change.count for change in found[kind]) for kind in ("opened", "closed", "otherwise")]
    assert told == [counted.opened, counted.closed, counted.otherwise]
    return told


def test_the_same_rules_change_nothing(engine: Engine, rules: RuleSet) -> None:
    """Replayed under the rules that took them, decisions stay what they were."""
    decisions = [recorded(engine), recorded(engine, GRANTED | {Fact.MASKED}, 2)]
    report = replay(decisions, rules)
    assert (report.passed, report.replayed) == (True, 2)
    assert list(report.lines()) == [
        f"2 decisions from 2026-11-02 09:31Z to 2026-11-02 09:32Z judged again by the rules {rules.revision[:12]}",
        "opened: 0",
        "closed: 0",
        "otherwise: 0",
    ]
    assert count_changes(decisions, rules, rules) == Changes(2, 0, 0, 0, 0)


def test_nothing_recorded(rules: RuleSet) -> None:
    """An empty journal is replayed without a word too many."""
    report = replay([], rules)
    assert next(report.lines()) == f"0 decisions judged again by the rules {rules.revision[:12]}"
    assert (report.passed, report.data()["first"]) == (True, None)


def test_what_changes_is_told_by_kind(engine: Engine, stricter: RuleSet) -> None:
    """Each change is counted and told with the first that was met, the frequent ones first."""
    both = recorded(engine, GRANTED | OF_THE_TEAM, 4, rule="granted")
    of_a_mask = recorded(engine, GRANTED | {Fact.MASKED}, 5)
    refused = recorded(engine, GRANTED | OF_THE_TEAM, 6, allowed=False, rule="blocked", obligations=())
    decisions = [both, recorded(engine, number=1), recorded(engine, number=2), of_a_mask, refused]
    duties = "notify_patient write_down"
    report = replay(decisions, stricter)
    assert list(report.lines())[1:] == [
        "opened: 1",
        f"  1 × no by blocked -> yes by care-team: {duties}",
        f"      dossier/6 at 2026-11-02 09:36Z: {' '.join(refused.words)}",
        "closed: 2",
        f"  2 × yes by granted: {duties} -> no by not-permitted",
        f"      dossier/1 at 2026-11-02 09:31Z: {' '.join(decisions[1].words)}",
        "otherwise: 1",
        f"  1 × yes by granted: {duties} -> yes by care-team: {duties}",
        f"      dossier/4 at 2026-11-02 09:34Z: {' '.join(both.words)}",
    ]
    assert report.passed


def test_the_same_for_machines(engine: Engine, stricter: RuleSet) -> None:
    """Everything that the lines say, and the whole revision, under names that stay."""
    one = recorded(engine)
    report = replay([one, replace(one, where="dossier/2", fault=True), replace(one, words=())], stricter)
    assert report.data() == {
        "passed": False,
        "revision": stricter.revision,
        "replayed": 1,
        "first": "2026-11-02T09:31:00+00:00",
        "last": "2026-11-02T09:31:00+00:00",
        "opened": [],
        "closed": [
            {
                "was": {"allowed": True, "rule": "granted", "obligations": ["notify_patient", "write_down"]},
                "would_be": {"allowed": False, "rule": "not-permitted", "obligations": []},
                "count": 1,
                "example": {"where": "dossier/1", "at": "2026-11-02T09:31:00+00:00", "situation": list(one.words)},
            }
        ],
        "otherwise": [],
        "by_old_matrix": 0,
        "faults": 1,
        "unreadable": [{"why": "no situation was kept with them", "count": 1, "where": "dossier/1"}],
    }


def test_obligations_count(engine: Engine, variant: Variant, rules: RuleSet) -> None:
    """An answer that asks for something else in return is another; the order in which it asks is none."""
    silent = variant("rules/80-obligations.csv", "first-access, professional,", "first-access, physician,")
    decisions = [recorded(engine), recorded(engine, number=2, obligations=("write_down", "notify_patient"))]
    assert kinds(decisions, rules, silent) == [0, 0, 2]
    assert kinds(decisions, rules, rules) == [0, 0, 0]


def test_the_matrix_of_the_rules_at_hand_counts(engine: Engine, rules: RuleSet, without_nurses: RuleSet) -> None:
    """`habilitated` is worked out again, so a matrix that closes or opens a type changes what was decided of it."""
    allowed, refused = recorded(engine), recorded(Engine(without_nurses), GRANTED - {Fact.HABILITATED}, 2)
    other_type = recorded(engine, number=3, document_type="18748-4")
    assert kinds([allowed, other_type], rules, without_nurses) == [0, 1, 0]
    assert kinds([refused], without_nurses, rules) == [1, 0, 0]


@pytest.mark.parametrize("told", [{"profession": None}, {"document_type": None}])
def test_the_matrix_of_their_time_where_nothing_is_known(
    engine: Engine, rules: RuleSet, without_nurses: RuleSet, told: dict[str, Any]
) -> None:
    """What cannot be looked up stays as it was and is counted; between two matrices it cannot be judged."""
    decision = recorded(engine, **told)
    report = replay([decision], without_nurses)
    assert (report.replayed, report.changes["closed"], report.by_old_matrix, report.passed) == (1, (), 1, True)
    assert "by the habilitation of their time, since document or profession are unknown: 1" in list(report.lines())
    assert count_changes([decision], rules, without_nurses) == Changes(0, 0, 0, 0, 1)
    assert count_changes([decision], rules, rules) == Changes(1, 0, 0, 0, 0)


@pytest.mark.parametrize("subject", [NURSE, PHYSICIAN])
@pytest.mark.parametrize("document_type", ["11488-4", "18748-4", "no-such-type"])
def test_a_case_replayed_is_the_case_judged(
    engine: Engine, without_nurses: RuleSet, subject: Professional, document_type: str
) -> None:
    """The situation rebuilt under another matrix is the one that the facts make there."""
    other = Engine(without_nurses)
    document = structs.replace(REPORT, document_type=document_type)
    case = ask(subject, Action.DOCUMENT_READ, document=document, relations=(related(subject, RelationKind.GRANTED),))
    told = Recorded("x", AT, engine.situation_of(case).words(), True, "x", (), subject.profession, document_type)
    (change,) = (each for some in replay([told], without_nurses).changes.values() for each in some)
    decision = other.judge(other.situation_of(case))
    assert (change.would_be.allowed, change.would_be.rule) == (decision.allowed, decision.rule)


@pytest.mark.parametrize(
    "words",
    [
        ("person", "document:read", "normal", "holder"),
        ("physician", "document:list", "normal", "granted", "strong_authentication"),
        ("unknown", "none", "no_document"),
    ],
)
def test_the_matrix_concerns_professionals_and_documents(rules: RuleSet, words: tuple[str, ...]) -> None:
    """Whatever else is decided is replayed as it is, and nothing about a matrix is told of it."""
    report = replay([Recorded("x", AT, words, True, "x", (), "physician", "11488-4")], rules)
    assert (report.replayed, report.by_old_matrix) == (1, 0)
    assert replay([Recorded("x", AT, words, True, "x", ())], rules).by_old_matrix == 0


def test_what_cannot_be_judged_again_is_told(engine: Engine, rules: RuleSet) -> None:
    """A decision without its situation, or in words that are no more, is counted, named and fails the replay."""
    one = recorded(engine)
    gone = ("nurse", "document:read", "normal")
    decisions = [
        replace(one, words=()),
        replace(one, words=gone, where="dossier/7"),
        replace(one, words=gone, where="dossier/8"),
        one,
    ]
    report = replay(decisions, rules)
    assert report.unreadable == (
        Unreadable("no situation was kept with them", 1, "dossier/1"),
        Unreadable("their words are not of this vocabulary", 2, "dossier/7"),
    )
    assert (report.passed, report.replayed) == (False, 1)
    assert list(report.lines())[-2:] == [
        "NOT JUDGED, no situation was kept with them: 1, such as dossier/1",
        "NOT JUDGED, their words are not of this vocabulary: 2, such as dossier/7",
    ]
    assert count_changes(decisions, rules, rules) == Changes(1, 0, 0, 0, 3)


def test_a_fault_is_no_decision_of_the_rules(engine: Engine, rules: RuleSet) -> None:
    """A content that did not open was refused by no rule: other rules would not have opened it."""
    broken = recorded(engine, allowed=False, rule="seal-broken", obligations=(), fault=True)
    report = replay([broken], rules)
    assert (report.passed, report.replayed, report.faults, report.changes["opened"]) == (True, 0, 1, ())
    assert "left out, since a fault refused them and no rule: 1" in list(report.lines())


def test_a_count_in_a_sentence() -> None:
    """As `diff` shows it."""
    assert str(Changes(1200, 3, 0, 1, 0)) == (
        "Of 1,200 recorded decisions 3 would be opened, 0 closed and 1 answered alike by another rule or with other "
        "obligations."
    )
    assert str(Changes(2, 0, 0, 0, 7)).endswith("obligations; 7 could not be judged.")


def test_what_changed_otherwise_is_not_counted_between_two_rule_sets(engine: Engine, rules: RuleSet) -> None:
    """Both sides are asked anew: a decision that neither takes any more is no difference between them."""
    of_older_rules = recorded(engine, rule="an-older-rule")
    assert len(replay([of_older_rules], rules).changes["otherwise"]) == 1
    assert count_changes([of_older_rules], rules, rules) == Changes(1, 0, 0, 0, 0)
