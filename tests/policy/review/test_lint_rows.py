"""Rules, rows, literals and words that weigh nothing, and actions that are closed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from policy.loader import load
from policy.review.answers import Answers, Outcome
from policy.review.lint.findings import Severity
from policy.review.lint.useless import useless_rows
from policy.review.lint.weights import Region, regions, without_fact
from policy.ruleset import Row
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.linting import good_to_know, new_chapter, texts, to_look_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    return copy_of_the_policy(tmp_path)


@pytest.mark.parametrize(
    "row, source, why",
    [
        (
            "p, masked/new, professional, showing, masked & !author & deleted, deny",
            "seed 004",
            "where it would count, document-deleted does already",
        ),
        (
            "p, masked/new, bank, document:read, masked, deny",
            "seed 004",
            "where it would count, prohibited-party does already",
        ),
        (
            "p, archived/new, anyone, document:archive, archived, deny",
            "CI-SIS",
            "where it would count, archived does already",
        ),
        (
            "p, granted/new, professional, document:list, normal & granted & in_care_team, allow",
            "seed 004",
            "where it would count, granted does already",
        ),
        (
            "p, correspondent/new, professional, document:read, normal & granted & !masked, allow",
            "seed 004",
            "where it would count, granted does already",
        ),
        (
            "p, correspondent/new, person, document:list, always, allow",
            "seed 004",
            "where it would count, holder or legal-representative or caregiver does already",
        ),
        (
            "p, author/new, other_health_professional, document:mask, author & masked & habilitated, allow",
            "CI-SIS",
            "where it would count, author/mask does already",
        ),
        (
            "p, exists/new, pharmacy, dossier:exists, !normal, allow",
            "seed 004",
            "where it applies, it is refused by emergency-scope",
        ),
        (
            "p2, notify_patient/new, professional, reading, !normal & !has_read, any_rule",
            "RULES §4.3",
            "where it would count, notify_patient/first-access does already",
        ),
        (
            "p2, notify_patient/new, bank, reading, always, any_rule",
            "RULES §4.3",
            "no permission is given where it applies",
        ),
        (
            "p2, own_entries_only/new, person, journal:read, always, own-trace",
            "R1111-43",
            "no permission is given where it applies",
        ),
    ],
)
def test_a_row_that_others_make_useless(folder: Path, row: str, source: str, why: str) -> None:
    """It is named with what decides, refuses or is attached in its place."""
    new_chapter(folder, row, source=source)
    row_id = row.split(", ")[1]
    rules = load(folder)
    found = useless_rows(rules, regions(rules))
    warnings = (replace(each, file=Path(each.file.name)) for each in found if each.severity is Severity.WARNING)
    assert texts(warnings) == [f"99-new.csv:2 useless-row {row_id} changes nothing: {why}"]


def test_a_rule_that_never_decides(folder: Path) -> None:
    """It is named once, with what decides in its place; so is the fact that nothing asks for any more."""
    rewrite(
        folder / "rules" / "10-questions.csv",
        lambda text: (
            text.replace("anything, no_message", "anything, no_document")
            + "p, no-message/again, anyone, anything, no_document, deny\n"
        ),
    )
    assert to_look_at(folder) == [
        "rules unused-word no rule uses the fact no_message",
        (
            "rules/10-questions.csv:11 idle-rule the rule no-message never decides: where it would count, "
            "no-document does already"
        ),
    ]


def test_a_literal_that_changes_nothing(folder: Path) -> None:
    """Here because nothing blocks a health facility."""
    new_chapter(folder, "p, masked/new, health_facility, dossier:exists, !blocked, deny", source="seed 004")
    assert to_look_at(folder) == ["rules/99-new.csv:2 useless-literal !blocked in masked/new changes nothing"]


def test_a_literal_of_an_obligation_that_changes_nothing(folder: Path) -> None:
    """Here because no permission of listing is given on a closed dossier."""
    rewrite(
        folder / "rules" / "80-obligations.csv",
        lambda text: text.replace("professional, reading, !has_read", "professional, reading, !has_read & !closed"),
    )
    assert to_look_at(folder) == [
        "rules/80-obligations.csv:6 useless-literal !closed in notify_patient/first-access changes nothing"
    ]


def test_a_literal_that_changes_no_answer(folder: Path) -> None:
    """Another rule decides there in any case; answers name this one besides, or not."""
    rewrite(
        folder / "rules" / "40-documents.csv",
        lambda text: text.replace("showing, masked & !author", "showing, masked & !deleted & !author"),
    )
    assert to_look_at(folder) == []
    assert good_to_know(folder, "idle-literal")[0] == (
        "rules/40-documents.csv:13 idle-literal !deleted in masked changes no answer, only which further rules answers "
        "name"
    )


def test_a_role_of_which_no_rule_speaks(folder: Path) -> None:
    """Banks are in no group any more; the laws still have them in theirs."""
    rewrite(folder / "rules" / "00-words.csv", lambda text: text.replace("g, bank, prohibited_party\n", ""))
    assert [each for each in to_look_at(folder) if "other-in-laws" not in each] == [
        "rules unused-word no rule uses the role bank"
    ]


def test_an_action_of_which_no_rule_speaks(folder: Path) -> None:
    """It is told once, though it is closed as well."""
    for name in ("00-words.csv", "60-patient.csv"):
        file = folder / "rules" / name
        rewrite(file, lambda text: re.sub(r"^(g2|p), .*document:contest.*\n", "", text, flags=re.MULTILINE))
    assert [each for each in to_look_at(folder) if "other-in-laws" not in each] == [
        "rules unused-word no rule uses the action document:contest"
    ]


def test_an_action_that_nobody_may_do(folder: Path) -> None:
    """Rules speak of it, but none gives it."""
    rewrite(folder / "rules" / "00-words.csv", lambda text: text.replace("g2, message:send, of_care\n", ""))
    assert to_look_at(folder) == ["rules closed-action nobody may message:send in any situation"]


def test_a_role_that_may_do_nothing(folder: Path) -> None:
    """Prohibited parties are kept out by a rule of their own; any other role is good to know."""
    rewrite(
        folder / "rules" / "00-words.csv",
        lambda text: (
            text.replace("g, staff_of_insurance_fund, permitted_staff", "g, staff_of_insurance_fund, others")
            + "g, others, everyone_but_the_fund\ng, others, everyone_but_professionals\n"
        ),
    )
    assert good_to_know(folder, "closed-role") == [
        "rules closed-role staff_of_insurance_fund may do nothing in any situation"
    ]


def outcome(region: Region, rows: tuple[Row, ...]) -> Outcome:
    """What callers notice under other rows, worked out from the beginning."""
    applying = [row for row in rows if region.rules.bears_on(row, region.role, region.action)]
    return Answers(region.answers.situations, applying, region.rules.register).outcome


def test_weights_are_those_of_taking_away(folder: Path) -> None:
    """For every row and every literal, everywhere: it weighs where the outcome without it is another one."""
    new_chapter(
        folder,
        "p, masked/new, professional, showing, masked & !author & deleted, deny",
        "p, granted/new, professional, of_care, normal & granted & in_care_team, allow",
        "p2, notify_patient/new, professional, reading, !normal & !has_read, any_rule",
        "p2, own_entries_only/new, professional, journal:read, normal & !closed, own-trace",
    )
    for region in regions(load(folder)):
        rows = region.rows
        before = region.answers.outcome
        for place, row in enumerate(rows):
            others = rows[:place] + rows[place + 1 :]
            assert bool(region.weight(row)) is (outcome(region, others) != before), row
            for fact in row.condition.facts:
                wider = without_fact(row.condition, fact)
                changed = outcome(region, (*others, replace(row, condition=wider))) != before
                assert bool(region.gained(row, wider)[0]) is changed, (row, fact)
