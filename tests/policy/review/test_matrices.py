"""The expected answers, read: what is not a case is refused with its file and line."""

from pathlib import Path

import pytest

from models.vocabulary import Action
from policy.errors import PolicyFileError
from policy.loader import PACKAGED
from policy.review.cast import Case
from policy.review.matrices import Matrices, cases_folder, read_matrices
from policy.ruleset import RuleSet
from tests.policy.folders import rewrite
from tests.policy.review.little import little_cases

FAULTS = [
    ("circumstances.csv", "normal,", "normol,", 2, "'normol' is no known fact; did you mean normal?"),
    ("circumstances.csv", "normal,", "masked,", 2, "masked is not told here"),
    ("circumstances.csv", "break_glass reasoned", "normal reasoned", 3, "normal reasoned cannot hold together"),
    ("circumstances.csv", "break-glass,", "ordinary,", 3, "ordinary stands already above"),
    ("circumstances.csv", "break-glass,", "all,", 3, "'all' is no name: lower-case words joined by hyphens"),
    (
        "circumstances.csv",
        "break-glass,",
        "break_glass,",
        3,
        "'break_glass' is no name: lower-case words joined by hyphens",
    ),
    ("personas.csv", "person,holder", "persom,holder", 2, "'persom' is no known role; did you mean person?"),
    ("personas.csv", "person,holder", "unknown,holder", 2, "'unknown' is no known role"),
    ("personas.csv", "person,holder", "person,-", 2, "a person with these facts is unknown"),
    ("personas.csv", "person,holder", "person,granted", 2, "granted is not told here"),
    ("personas.csv", "person,holder", "person,holder closed", 2, "closed is not told here"),
    ("personas.csv", "in_care_team ", "in_care_team has_read ", 3, "has_read is not told here"),
    ("documents.csv", "habilitated masked", "superseded archived", 3, "superseded archived cannot hold together"),
    ("to-be-deposited.csv", "known_document_type", "archived", 2, "archived is not told here"),
    ("to-be-deposited.csv", "known_document_type", "reimbursement", 2, "reimbursement cannot hold together"),
    (
        "groups.csv",
        "personas,carers",
        "persona,carers",
        2,
        "'persona' is no known title of a cell; did you mean personas?",
    ),
    ("groups.csv", "carers,nurse", "nurse,nurse", 2, "'nurse' cannot name a group"),
    ("groups.csv", "carers,nurse", "but,nurse", 2, "'but' cannot name a group"),
    ("groups.csv", "nurse hospital", "nurse hospitl", 2, "'hospitl' is no known persona; did you mean hospital?"),
    (
        "on-dossiers.csv",
        "own-trace",
        "own-trase",
        4,
        "'own-trase' is no known permission of reasons.csv; did you mean own-trace?",
    ),
    ("on-dossiers.csv", "own-trace", "masked", 4, "'masked' is no known permission of reasons.csv"),
    (
        "on-dossiers.csv",
        "journal:read",
        "document:read",
        4,
        "'document:read' is no known action; did you mean document:list?",
    ),
    ("on-dossiers.csv", "circumstances,", "circumstance,", 1, "the header must be circumstances,personas,rule,actions"),
    (
        "on-documents.csv",
        "ordinary,nurse,report",
        "ordinary,nurse,new-report",
        3,
        "'new-report' is no known document; did you mean report?",
    ),
    ("deposits.csv", "new-report", "report", 2, "'report' is no known document; did you mean new-report?"),
    ("refusals.csv", "masked,all", "holder,all", 5, "'holder' is no known refusal of reasons.csv"),
    ("refusals.csv", "masked,all", "cannot-judge,all", 5, "'cannot-judge' is no known refusal of reasons.csv"),
    ("refusals.csv", "all,all,-,", "all,all,masked,", 2, "none of these actions is tried with the document masked"),
    ("refusals.csv", "nurse,masked,", "nurse,-,", 5, "none of these actions is tried with the document -"),
    (
        "refusals.csv",
        "nurse,masked,document:read",
        "nurse,masked,document:list",
        5,
        "document:list is tried with none of these documents",
    ),
    (
        "obligations.csv",
        "own_entries_only",
        "own_entry_only",
        5,
        "'own_entry_only' is no known obligation; did you mean own_entries_only?",
    ),
    ("obligations.csv", "reading,first", "reading,once", 2, "'once' is no known history"),
    ("questions.csv", "no_document,", "normal,", 2, "normal is not told here"),
    ("questions.csv", "no_document,", "no_document no_message,", 2, "no_document no_message cannot hold together"),
    (
        "questions.csv",
        "no-document,",
        "no-dokument,",
        2,
        "'no-dokument' is no known refusal of reasons.csv; did you mean no-document?",
    ),
    (
        "examples.csv",
        "break-glass,",
        "break-glas,",
        2,
        "'break-glas' is no known circumstance; did you mean break-glass?",
    ),
    ("examples.csv", "nurse,", "nurze,", 2, "'nurze' is no known persona; did you mean nurse?"),
    (
        "examples.csv",
        "document:mask,",
        "document:masc,",
        2,
        "'document:masc' is no known action; did you mean document:mask?",
    ),
    (
        "examples.csv",
        "masked,document",
        "mask,document",
        2,
        "'mask' is no known document for document:mask; did you mean masked?",
    ),
    (
        "examples.csv",
        "emergency-scope masked",
        "masked emergency-scope",
        2,
        "masked emergency-scope is not in the order of reasons.csv",
    ),
]


@pytest.mark.parametrize("name, right, wrong, line, fault", FAULTS)
def test_a_mistake_is_refused(
    tmp_path: Path, rules: RuleSet, name: str, right: str, wrong: str, line: int, fault: str
) -> None:
    """With file and line, and the nearest word."""
    folder = little_cases(tmp_path)
    rewrite(folder / name, lambda text: text.replace(right, wrong, 1))
    with pytest.raises(PolicyFileError) as refused:
        read_matrices(folder, rules.register)
    assert str(refused.value) == f"{folder / name}:{line}: {fault}"


CONTRADICTIONS = [
    (
        "deposits.csv",
        "ordinary,hospital,new-report,depositor",
        3,
        "opens what deposits.csv, line 2 opens already: ordinary hospital new-report document:deposit first",
    ),
    (
        "refusals.csv",
        "blocked,all,nurse,-,message:send",
        7,
        "refuses what on-dossiers.csv, line 5 opens: ordinary nurse message:send first",
    ),
]


@pytest.mark.parametrize("name, row, line, fault", CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_refused(
    tmp_path: Path, rules: RuleSet, name: str, row: str, line: int, fault: str
) -> None:
    """What is open is open by one row, and no refusal may name it."""
    folder = little_cases(tmp_path)
    rewrite(folder / name, lambda text: f"{text}{row}\n")
    with pytest.raises(PolicyFileError) as refused:
        _ = read_matrices(folder, rules.register).expected
    assert str(refused.value) == f"{folder / name}:{line}: {fault}"


@pytest.mark.parametrize(
    "case, expected",
    [
        (("ordinary", "nurse", "masked", Action.DOCUMENT_MASK, "again"), (False, "masked", ())),
        (("break-glass", "nurse", "masked", Action.DOCUMENT_MASK, "first"), (False, "emergency-scope", ())),
        (("ordinary", "nurse", "report", Action.DOCUMENT_MASK, "first"), (False, "not-permitted", ())),
        (("ordinary", "nurse", "report", Action.DOCUMENT_READ, "again"), (True, "care-team", ("write_down",))),
        (
            ("ordinary", "nurse", "report", Action.DOCUMENT_READ, "first"),
            (True, "care-team", ("notify_patient", "write_down")),
        ),
        (("ordinary", "hospital", "-", Action.DOSSIER_EXISTS, "first"), (True, "exists", ())),
    ],
)
def test_every_case_has_one_expected_answer(
    tmp_path: Path, rules: RuleSet, case: tuple[str, str, str, Action, str], expected: tuple[object, ...]
) -> None:
    """Of refusals the first row counts, of obligations all; what nobody writes is not permitted."""
    found = read_matrices(little_cases(tmp_path), rules.register).expected[Case(*case)]
    assert (found.allowed, found.rule, found.obligations) == expected


def test_everything_is_combined(tmp_path: Path, rules: RuleSet) -> None:
    """Two circumstances; a nurse with two pasts, two others with one; 20 actions, 9 on 2 documents, one deposit."""
    matrices = read_matrices(little_cases(tmp_path), rules.register)
    assert len(matrices.expected) == len(set(matrices.expected)) == 2 * (2 + 2) * (20 + 9 * 2 + 1)


def test_every_row_of_the_packaged_matrices_says_something(matrices: Matrices) -> None:
    """Each refusal decides some case, and each obligation is owed by a case that is open."""
    deciding = {expected.entry for expected in matrices.expected.values()}
    opened = [case for case, expected in matrices.expected.items() if expected.allowed]
    silent = [entry.where for entry in (*matrices.opened, *matrices.refused) if entry not in deciding]
    owed = [entry.where for entry in matrices.owed if not any(entry.names(case) for case in opened)]
    assert (silent, owed) == ([], [])


def test_a_policy_without_cases_is_held_against_the_packaged_ones(tmp_path: Path) -> None:
    """One that has its own, against these."""
    without = cases_folder(tmp_path)
    assert (without, cases_folder(little_cases(tmp_path).parent)) == (PACKAGED / "cases", tmp_path / "cases")
