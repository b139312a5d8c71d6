"""What rows rest on: comments, the sources that they end with, and what these give."""

from dataclasses import replace
from pathlib import Path

import pytest

from policy.loader import PACKAGED, load
from policy.review.lint.chapters import written
from policy.review.lint.grounds import check_grounds, read_grounds
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.linting import new_chapter, texts, to_look_at

GRANTED = "p, granted/new, professional, access:unblock, granted & normal, allow"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    return copy_of_the_policy(tmp_path)


def told(folder: Path) -> list[str]:
    """All that is told of comments and sources."""
    found = check_grounds(load(folder), written(folder), read_grounds(folder))
    return texts(replace(each, file=each.file.relative_to(folder)) for each in found)


def test_a_permission_that_is_wider_than_its_source(folder: Path) -> None:
    """What is too wide is named, for whom."""
    new_chapter(folder, GRANTED, source="seed 004; R1111-46")
    assert to_look_at(folder) == [
        (
            "rules/99-new.csv:2 wider-than-source granted/new gives what is not given by seed 004 and R1111-46: "
            "physician, other_health_professional, social_professional: access:unblock"
        )
    ]


def test_a_permission_may_be_too_wide_in_two_ways(folder: Path) -> None:
    """A health professional may not reveal by this source, a social one may not even list."""
    row = "p, granted/new, professional, of_care, granted & normal & !in_care_team, allow"
    new_chapter(folder, row, source="L1111-17")
    (wider,) = told(folder)
    assert wider == (
        "rules/99-new.csv:2 wider-than-source granted/new gives what is not given by L1111-17: physician, "
        "other_health_professional: message:send, document:reveal; social_professional: document:list, message:send, "
        "document:read, document:reveal"
    )


def test_a_group_that_grows_is_seen_in_the_permission(folder: Path) -> None:
    """Sources are in words of the vocabulary, which do not grow with the rules' groups."""
    rewrite(folder / "rules" / "00-words.csv", lambda text: text.replace("staff_of_pharmacy, care_", "bank, care_"))
    assert told(folder) == [
        "rules/70-care.csv:14 wider-than-source depositor gives what is not given by L1111-15: bank: document:deposit",
        "rules/70-care.csv:24 wider-than-source exists gives what is not given by seed 004: bank: dossier:exists",
    ]


def test_choices_give_nothing(folder: Path) -> None:
    """Where law and texts are silent one may refuse, not give."""
    new_chapter(folder, GRANTED)
    (found,) = told(folder)
    assert "granted/new gives what is not given by [choice]: physician" in found


@pytest.mark.parametrize(
    "text, code",
    [
        ("# New.\n{}\n", ["2 missing-source the comment above does not end with a source in parentheses"]),
        (
            "# New. (seed 004)\n\n{}\n",
            ["3 missing-comment no comment above says what this is and where it comes from"],
        ),
        (
            "{}\np, masked/new, professional, document:read, masked & !author & granted & withheld, deny\n",
            ["1 missing-comment no comment above says what this is and where it comes from"],
        ),
        (
            "# New. (seed 4)\n{}\n",
            ["1 unknown-source 'seed 4' is no source of sources.csv; did you mean seed 004?"],
        ),
        (
            "# New,\n# and more. (seed 004; the lawyer: orally)\n{}\n",
            ["2 unknown-source 'the lawyer' is no source of sources.csv"],
        ),
        ("# (seed 004) New.\n{}\n", ["2 missing-source the comment above does not end with a source in parentheses"]),
    ],
    ids=["source", "blank", "comment", "typo", "unknown", "end"],
)
def test_a_row_without_a_source_that_is_known(folder: Path, text: str, code: list[str]) -> None:
    """The comment next above, in the same block, ends with it; told once for the rows that share it."""
    (folder / "rules" / "99-new.csv").write_text(text.format(GRANTED), encoding="utf-8")
    assert told(folder) == [f"rules/99-new.csv:{each}" for each in code]


def test_a_group_needs_a_comment_but_no_source(folder: Path) -> None:
    """Its words say what it is."""
    text = (
        "g, bank, lenders\ng, employer, lenders\n\n# Others.\ng, pharmacy, others\n\n"
        "p, masked/new, lenders, document:read, masked, deny\np, masked/more, others, document:read, masked, deny\n"
    )
    (folder / "rules" / "99-new.csv").write_text(text, encoding="utf-8")
    assert told(folder) == [
        f"rules/99-new.csv:{line} missing-comment no comment above says what this is and where it comes from"
        for line in (1, 7)
    ]


def test_a_source_on_which_no_row_rests(folder: Path) -> None:
    """It is told where it begins."""
    file = folder / "sources.csv"
    rewrite(file, lambda text: text + "L1111-99,person,document:read,Read.\nL1111-99,person,document:mask,Mask.\n")
    line = len(file.read_text(encoding="utf-8").splitlines()) - 1
    assert told(folder) == [f"sources.csv:{line} unused-source no row rests on L1111-99"]


@pytest.mark.parametrize(
    "row, fault",
    [
        ("seed 000,phisician,document:read,Read.", "'phisician' is no known role; did you mean physician?"),
        (
            "seed 000,professional,document:read,Read.",
            "'professional' is no known role; did you mean social_professional?",
        ),
        ("seed 000,person,document:raed,Read.", "'document:raed' is no known action; did you mean document:read?"),
        ("seed 000,person,reading,Read.", "'reading' is no known action"),
        ("seed 000,person,document:read,", "text is empty or has blanks around it"),
    ],
)
def test_a_row_of_the_sources_that_is_not_what_it_must_be(folder: Path, row: str, fault: str) -> None:
    """Roles and actions are spelt out: groups are no words here."""
    file = folder / "sources.csv"
    rewrite(file, lambda text: f"{text}{row}\n")
    line = len(file.read_text(encoding="utf-8").splitlines())
    assert to_look_at(folder) == [f"sources.csv:{line} unreadable {fault}"]


def test_a_folder_without_sources_is_held_against_the_packaged_ones(folder: Path) -> None:
    """As one without laws is."""
    (folder / "sources.csv").unlink()
    assert to_look_at(folder) == []
    assert read_grounds(folder) == read_grounds(PACKAGED)


def test_comments_mean_nothing_to_the_revision(folder: Path) -> None:
    """A source may be corrected in a rule set that is signed."""
    rewrite(folder / "rules" / "70-care.csv", lambda text: text.replace("(seed 004)", "(seed 003)"))
    (folder / "sources.csv").unlink()
    assert load(folder).revision == load().revision
