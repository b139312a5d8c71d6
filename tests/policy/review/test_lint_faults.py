"""All that the loader refuses, and faults of the files that only reviews read."""

import shutil
from pathlib import Path

import pytest

from policy.loader import PACKAGED
from policy.review.lint.checking import check
from tests.policy.faulty import TYPO
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.linting import new_chapter, texts, to_look_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be spoilt."""
    return copy_of_the_policy(tmp_path)


def test_the_packaged_policy_has_nothing_to_look_at() -> None:
    """Neither errors nor warnings; what is good to know stays short."""
    report = check(PACKAGED, strict=True)
    assert report.passed
    assert report.counts == {"error": 0, "warning": 0, "information": 9}


def test_every_faulty_row_is_told(folder: Path) -> None:
    """Not the first only: those of the chapters and those of the matrix."""
    new_chapter(
        folder,
        "p, masked/one, profesional, document:read, masked, deny",
        "p, masked/two, professional, document:raed, masked, deny",
        "p, masked/three, professional, document:read, masked & !athor, deny",
        "p, masked/four, professional, document:read, masked, denny",
        "p2, write_down/five, anyone, document:read, always, hodler",
    )
    rewrite(
        folder / "habilitations.csv",
        lambda text: text.replace("physician,report,", "phisician,report,").replace("nurse,summary,", "nurse,sumary,"),
    )
    expected = [
        "habilitations.csv:2 refused 'phisician' is no known profession; did you mean physician?",
        "habilitations.csv:25 refused 'sumary' is no known document type or category; did you mean summary?",
        ("rules/99-new.csv:2 refused 'profesional' is no known role or group of roles; did you mean professional?"),
        (
            "rules/99-new.csv:3 refused 'document:raed' is no known action or group of actions; "
            "did you mean document:read?"
        ),
        "rules/99-new.csv:4 refused 'athor' is no known fact; did you mean author?",
        "rules/99-new.csv:5 refused 'denny' is no known effect; did you mean deny?",
        "rules/99-new.csv:6 refused 'hodler' is no known permission of reasons.csv; did you mean holder?",
    ]
    report = check(folder)
    assert texts(report.findings) == expected
    assert (report.passed, report.revision, report.counts["error"]) == (False, None, 7)


def test_consequences_of_a_fault_are_not_told(folder: Path) -> None:
    """A rule whose only row is at fault has a row."""
    rewrite(
        folder / "rules" / "40-documents.csv",
        lambda text: text.replace("p, masked, professional", "p, masked, profesional"),
    )
    assert to_look_at(folder) == [
        (
            "rules/40-documents.csv:13 refused 'profesional' is no known role or group of roles; "
            "did you mean professional?"
        )
    ]


@pytest.mark.parametrize(
    "name, before, after, fault",
    [
        (
            "rules/00-words.csv",
            "g, bank, prohibited_party",
            "g, bnak, prohibited_party",
            "rules/00-words.csv:41 refused 'bnak' is no known role or group of roles; did you mean bank?",
        ),
        (
            "reasons.csv",
            "masked,deny",
            "masked,denny",
            "reasons.csv:18 refused 'denny' is no known effect; did you mean deny?",
        ),
        (
            "habilitations.csv",
            "profession,scope",
            "scope,profession",
            "habilitations.csv:1 refused the header must be profession,scope,effect,status",
        ),
    ],
)
def test_where_others_depend_on_what_is_at_fault_the_search_ends(
    folder: Path, name: str, before: str, after: str, fault: str
) -> None:
    """Their faults would be consequences."""
    rewrite(folder / name, lambda text: text.replace(before, after, 1))
    assert to_look_at(folder) == [fault]


def test_a_file_that_is_missing_is_told(folder: Path) -> None:
    """It has no line."""
    (folder / "habilitations.csv").unlink()
    assert to_look_at(folder) == ["habilitations.csv refused cannot be read: No such file or directory"]


def test_the_misspelt_effect_is_found(tmp_path: Path) -> None:
    """The faulty policy in which a typo would turn a refusal off."""
    (found,) = to_look_at(TYPO.write(tmp_path))
    assert found == "rules/20-parties.csv:10 refused 'denny' is no known effect; did you mean deny?"


def test_a_fault_of_the_laws_is_told(folder: Path) -> None:
    """The service does not read them, so that the folder is accepted; reviews cannot go on."""
    shutil.copytree(PACKAGED / "laws", folder / "laws")
    words = folder / "laws" / "words.csv"
    rewrite(words, lambda text: text + "g, phisician, carers\n")
    last = len(words.read_text(encoding="utf-8").splitlines())
    assert to_look_at(folder) == [
        f"laws/words.csv:{last} unreadable 'phisician' is no known role or group of roles; did you mean physician?"
    ]
    report = check(folder)
    assert (report.passed, report.revision) == (False, check(PACKAGED).revision)


def test_a_group_that_is_another_in_the_laws(folder: Path) -> None:
    """The difference is named, from both sides."""
    file = folder / "rules" / "00-words.csv"
    rewrite(file, lambda text: text.replace("g2, document:reveal, showing", "g2, document:unmask, showing"))
    assert to_look_at(folder) == [
        (
            "rules/00-words.csv:67 other-in-laws showing is another group in the laws: here with document:unmask and "
            "there with document:reveal"
        )
    ]


@pytest.mark.parametrize(
    "before, after, told",
    [
        ("g2, document:reveal, showing\n", "", "there with document:reveal"),
        (
            "g2, document:reveal, showing\n",
            "g2, document:reveal, showing\ng2, document:unmask, showing\n",
            "here with document:unmask",
        ),
    ],
)
def test_a_group_that_is_wider_or_narrower_in_the_laws(folder: Path, before: str, after: str, told: str) -> None:
    """One side is enough."""
    rewrite(folder / "rules" / "00-words.csv", lambda text: text.replace(before, after))
    assert to_look_at(folder) == [f"rules/00-words.csv:67 other-in-laws showing is another group in the laws: {told}"]


def test_a_fault_of_the_cases_is_told(folder: Path) -> None:
    """As one of the laws is."""
    shutil.copytree(PACKAGED / "cases", folder / "cases")
    file = folder / "cases" / "personas.csv"
    rewrite(file, lambda text: text + "a-physician,phisician,strong_authentication,A physician\n")
    last = len(file.read_text(encoding="utf-8").splitlines())
    (found,) = to_look_at(folder)
    assert found == f"cases/personas.csv:{last} unreadable 'phisician' is no known role; did you mean physician?"
