"""Groups that no rule uses, and members that weigh nothing."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from policy.errors import PolicyFileError
from policy.groups import read_groups
from policy.loader import load
from policy.review.answers import Answers, bearing
from policy.review.lint.chapters import written
from policy.review.lint.weights import Region, regions
from policy.ruleset import RuleSet
from policy.words import ACTION_WORDS, Role
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.linting import good_to_know, new_chapter, to_look_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    return copy_of_the_policy(tmp_path)


def test_a_group_that_no_rule_uses(folder: Path) -> None:
    """Nor any group that a rule uses; it is told once, where it begins."""
    new_chapter(folder, "g, bank, lenders", "g, employer, lenders", "g, lenders, business", "g2, reading, looking")
    assert to_look_at(folder) == [
        "rules/99-new.csv:2 unused-group no rule uses the group lenders",
        "rules/99-new.csv:4 unused-group no rule uses the group business",
        "rules/99-new.csv:5 unused-group no rule uses the group looking",
    ]


@pytest.mark.parametrize(
    "row, member",
    [
        ("g, physician, professional", "physician in professional"),
        ("g2, document:mask, of_treating_physicians", "document:mask in of_treating_physicians"),
        ("g2, document:read, all_but_exists", "document:read in all_but_exists"),
    ],
)
def test_a_member_that_changes_nothing(folder: Path, row: str, member: str) -> None:
    """Here because it is one through another group already."""
    rewrite(
        folder / "rules" / "00-words.csv", lambda text: text.replace("g2, document:mask, of_tr", "g2, showing, of_tr")
    )
    new_chapter(folder, row)
    assert f"rules/99-new.csv:2 useless-member {member} changes nothing" in to_look_at(folder)


def test_a_member_that_changes_no_answer(folder: Path) -> None:
    """Prohibited parties are refused by a rule of their own, and by others besides."""
    assert to_look_at(folder) == []
    assert good_to_know(folder, "idle-member") == [
        (f"rules/00-words.csv:{line} idle-member {member} changes no answer, only which further rules answers name")
        for line, member in (
            (50, "prohibited_party in everyone_but_professionals"),
            (55, "prohibited_party in everyone_but_the_fund"),
            (224, "dossier:open in of_the_fund"),
        )
    ]


@pytest.mark.no_cover
def test_members_weigh_as_if_their_row_were_struck_out(folder: Path) -> None:
    """For every row of the groups: without it some outcome is another one, or it is told."""
    new_chapter(folder, "g, physician, professional", "g2, document:mask, anything")
    told = {each.partition(" ")[0] for each in (*to_look_at(folder), *good_to_know(folder, "idle-member"))}
    rules = load(folder)
    space = regions(rules)
    rows = written(folder)
    found = set[str]()
    for struck in rows:
        left = [
            ((row.file, row.line), list(row.cells)) for row in rows if row.kind == struck.kind and row is not struck
        ]
        with suppress(PolicyFileError):  # a group that is a member of another cannot be without this one
            if struck.kind == "g":
                others = replace(rules, roles=read_groups(left, tuple(Role), "role"))
            elif struck.kind == "g2":
                others = replace(rules, actions=read_groups(left, ACTION_WORDS, "action"))
            else:
                continue
            if not any(changes(region, others) for region in space):
                found.add(f"rules/{struck.file.name}:{struck.line}")
    assert found == told


def changes(region: Region, rules: RuleSet) -> bool:
    """Whether the outcome in a region is another one under these rules."""
    rows = bearing(rules, region.role, region.action)
    if rows == region.answers.rows:
        return False
    return Answers(region.answers.situations, rows, rules.register).outcome != region.answers.outcome
