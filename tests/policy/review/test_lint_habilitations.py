"""The habilitation matrix: rows that change nothing, and how much of it is official."""

from pathlib import Path

import pytest

from models.reference import DOCUMENT_TYPES, PROFESSIONS
from policy.habilitations import read_habilitations
from policy.loader import PACKAGED
from policy.review.lint.findings import Severity
from policy.review.lint.habilitations import check_habilitations

HEADER = "profession,scope,effect,status"
CARE_PLANS = [code for code, kind in DOCUMENT_TYPES.items() if kind.category == "care_plan"]


def write(folder: Path, *rows: str) -> Path:
    """A matrix of these rows, the first on line 2."""
    file = folder / "habilitations.csv"
    file.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return file


def found(folder: Path) -> list[tuple[Severity, int | None, str, str]]:
    """All that is told, but for professions that have no row."""
    told = (each for each in check_habilitations(folder) if each.code != "no-habilitation")
    return [(each.severity, each.line, each.code, each.sentence) for each in told]


@pytest.mark.parametrize(
    "rows, line, what",
    [
        (["nurse,report,allow,sourced", "nurse,11488-4,allow,sourced"], 3, "11488-4"),
        (["nurse,11488-4,deny,sourced", "nurse,report,deny,sourced", "nurse,11502-2,allow,sourced"], 2, "11488-4"),
        (["nurse,care_plan,allow,sourced", *(f"nurse,{code},deny,sourced" for code in CARE_PLANS)], 2, "care_plan"),
    ],
    ids=["open", "closed", "overruled"],
)
def test_a_row_that_others_make_useless(tmp_path: Path, rows: list[str], line: int, what: str) -> None:
    """An exact type for which its category says the same, or a category of which every type has a row of its own."""
    write(tmp_path, *rows)
    sentence = f"nurse and {what}: nothing changes without this row"
    warnings = [each for each in found(tmp_path) if each[0] is Severity.WARNING]
    assert warnings == [(Severity.WARNING, line, "useless-habilitation", sentence)]


def test_rows_that_say_no_where_none_says_yes_are_counted(tmp_path: Path) -> None:
    """They say what is so without them, which may be meant; a suspended row says nothing."""
    write(
        tmp_path,
        "nurse,summary,allow,sourced",
        "nurse,report,deny,sourced",
        "midwife,11488-4,deny,sourced",
        "midwife,report,allow,suspended",
    )
    sentence = "rows that say no where no row says yes: 2, this one first"
    assert found(tmp_path) == [(Severity.INFORMATION, 3, "needless-habilitation", sentence)]


def test_rows_that_decide_are_not_told(tmp_path: Path) -> None:
    """Exceptions to their category, in either direction."""
    write(
        tmp_path,
        "nurse,report,allow,sourced",
        "nurse,11488-4,deny,sourced",
        "midwife,11488-4,allow,sourced",
        "optician,report,deny,sourced",
        "optician,11488-4,allow,sourced",
    )
    sentence = "rows that say no where no row says yes: 1, this one first"
    assert found(tmp_path) == [(Severity.INFORMATION, 5, "needless-habilitation", sentence)]


def test_assumed_rows_are_counted(tmp_path: Path) -> None:
    """They wait for the official matrix."""
    write(tmp_path, "nurse,report,allow,sourced", "nurse,summary,allow,assumed", "nurse,imaging,allow,assumed")
    sentence = "rows that are assumed, to be held against the official matrix: 2 of 3"
    assert found(tmp_path) == [(Severity.INFORMATION, 3, "assumed-habilitation", sentence)]


def test_professions_without_a_row_are_named(tmp_path: Path) -> None:
    """Nothing is open to them; a suspended row is a row."""
    kept = [f"{profession},summary,allow,suspended" for profession in PROFESSIONS if profession != "optician"]
    write(tmp_path, *kept)
    (told,) = check_habilitations(tmp_path)
    assert told.sentence == "no row, so that no document is open to them: optician"
    write(tmp_path, *kept, "optician,summary,allow,suspended")
    assert list(check_habilitations(tmp_path)) == []


@pytest.mark.no_cover
def test_rows_weigh_as_if_they_were_struck_out(tmp_path: Path) -> None:
    """For every row of the packaged matrix: without it something is open or closed, or it is told."""
    rows = (PACKAGED / "habilitations.csv").read_text(encoding="utf-8").splitlines()[1:]
    opened = read_habilitations(write(tmp_path, *rows)).opened
    struck = (read_habilitations(write(tmp_path, *rows[:at], *rows[at + 1 :])).opened for at in range(len(rows)))
    idle = [row for row, left in zip(rows, struck, strict=True) if left == opened and not row.endswith(",suspended")]
    write(tmp_path, *rows)
    (needless,) = (each for each in check_habilitations(tmp_path) if each.code == "needless-habilitation")
    assert all(",deny," in row for row in idle)
    assert needless.sentence == f"rows that say no where no row says yes: {len(idle)}, this one first"
