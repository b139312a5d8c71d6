"""Mutation: every small change of a row is noticed by a case or by a law, or is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.vocabulary import Action
from policy.loader import PACKAGED
from policy.review.bench import Bench
from policy.review.everywhere import WholeSpace
from policy.review.laws import read_laws
from policy.review.matrices import Matrices
from policy.review.mutants import Kind, Mutant, bearings, mutants
from policy.review.mutation import Fate, judge
from policy.ruleset import RuleSet
from policy.words import Role
from tests.api.cli.shell import run
from tests.policy.folders import rewrite
from tests.policy.review.little import policy_with_little_cases
from tests.policy.review.shipped import shipped
from tests.policy.review.test_coverage import without


@pytest.fixture(scope="module")
def everywhere(rules: RuleSet) -> WholeSpace:
    """The packaged rules and laws."""
    return WholeSpace(rules, read_laws(PACKAGED / "laws", rules.register))


def of_row(rules: RuleSet, row: str) -> Iterator[Mutant]:
    """The mutants of one row."""
    return (mutant for mutant in mutants(rules) if mutant.row.id == row)


def changed(rules: RuleSet, row: str, change: str) -> Mutant:
    """One mutant."""
    (mutant,) = (each for each in of_row(rules, row) if each.change == change)
    return mutant


@pytest.mark.no_cover
def test_no_change_of_the_packaged_rules_survives() -> None:
    """Each is caught by a case or by a law, or changes no answer in any situation."""
    status, data = shipped("mutation")
    assert (status, data["passed"], data["survivors"], data["score"]) == (0, True, [], "100 %")
    assert data["mutants"] == data["caught_by_cases"] + data["caught_by_laws_only"] + data["equivalent"] == 10_297


def test_a_change_survives_without_its_persona(rules: RuleSet, little: Matrices) -> None:
    """The smallest situation is told, with the answer that it has and the one that it would have."""
    change = changed(rules, "care-team", "without other_health_professional")
    with_nurse, fewer = (
        judge(Bench(rules, some), WholeSpace(rules), [change]) for some in (little, without(little, persona="nurse"))
    )
    assert (with_nurse.passed, fewer.passed) == (True, False)
    assert dict(with_nurse.fates) == {(Kind.ROLE, Fate.BY_CASE): 1}
    lines = list(fewer.lines())
    assert (lines[:4], lines[-1]) == (
        [
            "survivor: care-team without other_health_professional (rules/70-care.csv:8)",
            ("    other_health_professional document:list normal in_care_team care_team_consent strong_authentication"),
            (
                "    a health professional of the care team, to which the holder consented, lists the documents of the"
                " dossier, with a strong authentication"
            ),
            (
                "    the answer is yes by care-team, which asks notify_patient write_down;"
                " it would be no by not-permitted"
            ),
        ],
        "score: 0 of 1 changes caught, 0.0 %",
    )


def test_a_change_survives_without_its_law(rules: RuleSet, bench: Bench, everywhere: WholeSpace) -> None:
    """No little case tells whether a nurse needs a card; a law does."""
    change = changed(rules, "weak-authentication", "without other_health_professional")
    without_laws, with_laws = (judge(bench, some, [change]) for some in (WholeSpace(rules), everywhere))
    assert [survivor.mutant for survivor in without_laws.survivors] == [change]
    assert dict(with_laws.fates) == {(Kind.ROLE, Fate.BY_LAW): 1}


@pytest.mark.parametrize("follows, passed", [("allowed", False), ("refused", True)])
def test_a_law_that_was_broken_before_catches_nothing(
    tmp_path: Path, rules: RuleSet, bench: Bench, follows: str, passed: bool
) -> None:
    """Only one that the change breaks: an emergency would open a dossier, which many situations never did."""
    (tmp_path / "words.csv").write_text("g, physician, doctor\n", encoding="utf-8")
    law = f"doctors-open,doctor,dossier:open,break_glass & no_dossier,{follows},A law of this test."
    (tmp_path / "laws.csv").write_text(f"law,who,action,condition,follows,sentence\n{law}\n", encoding="utf-8")
    laws = read_laws(tmp_path, rules.register)
    change = changed(rules, "emergency-scope/action", "without dossier:open")
    assert judge(bench, WholeSpace(rules, laws), [change]).passed is passed


def test_what_changes_no_answer_is_no_change(rules: RuleSet, bench: Bench, everywhere: WholeSpace) -> None:
    """It counts neither as caught nor as missed: here a literal that the other rules imply, and words out of place."""
    changes = [changed(rules, "caregiver", change) for change in ("without caregiver", "with bank")]
    report = judge(bench, everywhere, changes)
    assert (report.passed, report.caught, list(report.lines())[-1]) == (
        True,
        0,
        "score: 0 of 0 changes caught, 100 %",
    )


def test_every_word_is_turned_and_exchanged(rules: RuleSet) -> None:
    """For one row with two literals, counted by hand.

    Two literals dropped and negated; the effect; 19 roles and 31 actions turned; every other role, group of roles,
    action and group of actions written instead.
    """
    found = list(of_row(rules, "hidden-from-representatives"))
    kinds = {kind: sum(mutant.kind is kind for mutant in found) for kind in Kind}
    assert kinds == {
        Kind.ROW: 0,
        Kind.DROPPED: 2,
        Kind.NEGATED: 2,
        Kind.EFFECT: 1,
        Kind.GIVEN_BY: 0,
        Kind.ROLE: 19,
        Kind.WHO: 19 + len(rules.roles.members) - 1,
        Kind.ACTION: 31,
        Kind.WHAT: 31 + len(rules.actions.members) - 1,
    }


def test_an_obligation_is_tried_with_every_permission(rules: RuleSet) -> None:
    """Each instead of the one that stands there; an obligation has no effect to be flipped."""
    found = [mutant for mutant in of_row(rules, "own_entries_only") if mutant.kind in {Kind.GIVEN_BY, Kind.EFFECT}]
    giving = [
        rule for rule, reason in rules.register.reasons.items() if reason.effect == "allow" and rule != "own-trace"
    ]
    assert [mutant.change for mutant in found] == [f"{rule} instead of own-trace" for rule in ("any_rule", *giving)]


def test_a_change_is_looked_for_only_where_it_may_be(rules: RuleSet) -> None:
    """A role that is taken from a row is looked at with the actions of the row."""
    (mutant,) = (each for each in of_row(rules, "already-open") if each.change == "without bank")
    assert mutant.meetings == ((Role.BANK, Action.DOSSIER_OPEN),)


def test_every_row_is_changed(rules: RuleSet) -> None:
    """Rules and obligations."""
    rows = {bearing.row.id for bearing in bearings(rules)}
    assert {mutant.row.id for mutant in mutants(rules)} == rows == {row.id for row in (*rules.rules, *rules.duties)}


def test_nothing_is_measured_while_cases_fail(tmp_path: Path) -> None:
    """What they would notice cannot be told."""
    folder = policy_with_little_cases(tmp_path)
    rewrite(folder / "cases" / "refusals.csv", lambda text: text.replace("masked,all,nurse", "blocked,all,nurse"))
    result = run("policy", "mutation", str(folder))
    expected = "8 situations are answered otherwise than cases expect: see `dmp policy cases` first\n"
    assert (result.exit_code, result.stdout) == (1, expected)


def test_survivors_are_told_to_machines(rules: RuleSet, bench: Bench) -> None:
    """With file, line, the smallest situation and both answers."""
    report = judge(bench, WholeSpace(rules), [changed(rules, "centre-15", "with social_professional")])
    assert report.data()["survivors"] == [
        {
            "row": "centre-15",
            "file": "50-emergencies.csv",
            "line": 18,
            "change": "with social_professional",
            "smallest": [
                "social_professional",
                "document:list",
                "centre_15",
                "samu_regulator",
                "strong_authentication",
            ],
            "told": (
                "a social professional who is SAMU regulator lists the documents of the dossier, with a strong"
                " authentication, in centre 15 mode"
            ),
            "answer": "no by not-permitted",
            "would_be": "yes by centre-15, which asks notify_patient notify_treating_physicians write_down",
        }
    ]
