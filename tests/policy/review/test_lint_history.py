"""Ids that mean something else than in the rules before."""

from dataclasses import replace
from pathlib import Path

import pytest

from policy.loader import load
from policy.review.lint.checking import check
from policy.review.lint.history import reused_ids
from policy.ruleset import RuleSet
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.linting import new_chapter, texts, to_look_at

NOTHING = "applies in no situation in which it applied before: give it another id"
GONE = "is gone; its id is never used again"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    return copy_of_the_policy(tmp_path)


def told(folder: Path, before: RuleSet) -> list[str]:
    """All that is told of ids."""
    return texts(replace(each, file=each.file.relative_to(folder)) for each in reused_ids(folder, load(folder), before))


def test_the_same_rules_use_no_id_again(folder: Path, rules: RuleSet) -> None:
    """Nor is anything gone."""
    assert told(folder, rules) == []


@pytest.mark.parametrize(
    "before, after, sentence",
    [
        ("Le dossier existe déjà.", "Le dossier est là.", "already-open was told in French: Le dossier existe déjà."),
        (
            "The dossier exists already.",
            "The dossier is there.",
            "already-open was told in English: The dossier exists already.",
        ),
    ],
)
def test_a_sentence_that_changed(folder: Path, rules: RuleSet, before: str, after: str, sentence: str) -> None:
    """The id means what its sentences say."""
    rewrite(folder / "reasons.csv", lambda text: text.replace(before, after))
    assert to_look_at(folder, rules) == [f"reasons.csv:6 changed-sentence {sentence}"]


def test_an_effect_that_changed(folder: Path, rules: RuleSet) -> None:
    """A rule that took away gives."""
    rewrite(folder / "reasons.csv", lambda text: text.replace("withheld-and-masked,deny", "withheld-and-masked,allow"))
    rewrite(
        folder / "rules" / "40-documents.csv",
        lambda text: text.replace("withheld & masked, deny", "withheld & masked, allow").replace(
            "document:mask, withheld, deny", "document:mask, withheld, allow"
        ),
    )
    assert told(folder, rules) == [
        "reasons.csv:26 changed-effect withheld-and-masked was registered with the effect deny: give it another id"
    ]


def test_a_rule_with_nothing_in_common(folder: Path, rules: RuleSet) -> None:
    """None of its rows applies where one did before, whatever they are called; told once."""
    rewrite(
        folder / "rules" / "20-parties.csv",
        lambda text: text.replace(
            "p, blocked, professional, ended_by_blocking, blocked, deny",
            "p, blocked, person, document:contest, withheld, deny\np, blocked/new, person, document:read, masked, deny",
        ).replace(
            "p, blocked/documents-of-others, professional, author_upkeep, blocked &",
            "p, blocked/x, person, author_upkeep,",
        ),
    )
    assert told(folder, rules) == [
        f"rules/20-parties.csv:10 reused-rule blocked {NOTHING}",
        f"rules gone-row the row blocked/documents-of-others {GONE}",
    ]


@pytest.mark.parametrize(
    "who, action, condition",
    [
        ("person", "message:send", "normal & holder"),
        ("professional", "dossier:export", "normal & granted"),
        ("professional", "of_care", "!normal & granted"),
        ("professional", "of_care", "normal & !granted"),
    ],
)
def test_a_row_with_nothing_in_common(folder: Path, rules: RuleSet, who: str, action: str, condition: str) -> None:
    """Other people, other actions, or a condition that no situation meets together with the one before."""
    rewrite(
        folder / "rules" / "70-care.csv",
        lambda text: text.replace(
            "p, granted, professional, of_care, normal & granted, allow",
            "p, granted/before, professional, of_care, normal & granted, allow\n"
            f"p, granted, {who}, {action}, {condition}, allow",
        ),
    )
    assert told(folder, rules) == [f"rules/70-care.csv:12 reused-row granted {NOTHING}"]


def test_a_row_that_has_something_in_common_stays(folder: Path, rules: RuleSet) -> None:
    """Wider, narrower or beside: some situations are the same."""
    rewrite(
        folder / "rules" / "70-care.csv",
        lambda text: text.replace(
            "p, granted, professional, of_care, normal & granted, allow",
            "p, granted, physician, document:list, granted & patient_present, allow",
        ),
    )
    assert told(folder, rules) == []


@pytest.mark.parametrize(
    "given_by, expected",
    [
        ("any_rule", []),
        (
            "treating-physician",
            [f"rules/80-obligations.csv:18 reused-rule own_entries_only {NOTHING}"],
        ),
    ],
)
def test_an_obligation_of_another_permission(folder: Path, rules: RuleSet, given_by: str, expected: list[str]) -> None:
    """It has nothing in common with the one before; whichever rule gives includes the one."""
    rewrite(folder / "rules" / "80-obligations.csv", lambda text: text.replace("own-trace", given_by))
    assert told(folder, rules) == expected


def test_ids_that_are_gone_are_good_to_know(folder: Path, rules: RuleSet) -> None:
    """With a rule its rows are gone, and are not told besides."""
    rewrite(
        folder / "reasons.csv",
        lambda text: "".join(line for line in text.splitlines(keepends=True) if not line.startswith("correspondent,")),
    )
    rewrite(
        folder / "rules" / "70-care.csv",
        lambda text: text.replace("p, correspondent, ", "p, granted/correspondent, ").replace(
            "p, author/mask,", "p, author/masking,"
        ),
    )
    assert told(folder, rules) == [
        f"reasons.csv gone-rule the rule correspondent {GONE}",
        f"rules gone-row the row author/mask {GONE}",
    ]
    assert check(folder, rules).counts["warning"] == 0


def test_new_ids_are_not_told(folder: Path, rules: RuleSet) -> None:
    """Neither a new rule's nor a new row's."""
    rewrite(folder / "reasons.csv", lambda text: text + "new-rule,deny,Non.,No.\n")
    new_chapter(
        folder,
        "p, new-rule, person, document:contest, withheld & masked, deny",
        "p, masked/new, person, dossier:export, closed, deny",
    )
    assert told(folder, rules) == []
    assert told(folder, load(folder)) == []
