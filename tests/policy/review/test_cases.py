"""The expected answers, held against Casbin: what is written is answered, and everything else is closed."""

import json
from pathlib import Path

import pytest

from policy.engine import Engine
from policy.review.cases import CasesReport, hold
from policy.review.matrices import Matrices, read_matrices
from policy.ruleset import RuleSet
from tests.api.cli.shell import run
from tests.policy.folders import rewrite
from tests.policy.review.little import little_cases, policy_with_little_cases
from tests.policy.review.shipped import shipped


@pytest.mark.no_cover
def test_the_packaged_rules_answer_as_expected() -> None:
    """In every case, by the very rule that is expected, with just the obligations that are expected."""
    assert shipped("cases") == (
        0,
        {
            "cases": 167_200,
            "situations": 128_227,
            "open": 3_954,
            "examples": 17,
            "failures": 0,
            "mistold": 0,
            "passed": True,
            "failed": [],
            "told_otherwise": [],
        },
    )


@pytest.mark.no_cover
def test_every_rule_decides_some_case(matrices: Matrices, rules: RuleSet) -> None:
    """So that none is without an example; `cannot-judge` is of situations that there are not."""
    deciding = {expected.rule for expected in matrices.expected.values()}
    deciding |= {question.refused_by[0] for question in matrices.questions}
    assert rules.register.reasons.keys() - deciding == {"cannot-judge"}


def held(folder: Path, engine: Engine) -> CasesReport:
    """The packaged rules held against other cases."""
    return hold(read_matrices(folder, engine.register), engine)


def test_the_little_cases_are_right(tmp_path: Path, engine: Engine) -> None:
    """Before the tests below change them."""
    assert held(little_cases(tmp_path), engine).passed


def test_a_wrong_expectation_is_found(tmp_path: Path, engine: Engine) -> None:
    """With persona, circumstance, document and action, the row that expects it, and both answers."""
    folder = little_cases(tmp_path)
    rewrite(folder / "refusals.csv", lambda text: text.replace("masked,all,nurse", "blocked,all,nurse"))
    report = held(folder, engine)
    assert not report.passed
    assert list(report.lines()) == [
        "8 cases: expected no by blocked (refusals.csv, line 5)",
        "    answered      no by masked",
        "    circumstances ordinary",
        "    personas      nurse",
        "    documents     masked",
        "    actions       document:read document:mask document:reveal",
        "    history       all",
        "    circumstances break-glass",
        "    personas      nurse",
        "    documents     masked",
        "    actions       document:read",
        "    history       all",
        "    for example   A nurse of the care team: document:read (a masked report). The dossier is open.",
        "312 cases in 312 situations, 45 of them open: 8 answered otherwise than expected",
        "2 refusals with all their rules: none with others",
    ]


def test_what_is_open_without_being_written_is_found(tmp_path: Path, engine: Engine) -> None:
    """Silence means closed."""
    folder = little_cases(tmp_path)
    rewrite(folder / "on-dossiers.csv", lambda text: text.replace("document:list message:send", "document:list"))
    failures = [(*failure.case, failure.expected.where) for failure in held(folder, engine).failures]
    assert failures == [
        ("ordinary", "nurse", "-", "message:send", history, "what is not written is closed")
        for history in ("first", "again")
    ]


@pytest.mark.parametrize(
    "right, wrong, expected",
    [
        ("reading,first", "reading,all", [("document:list", "again"), ("document:read", "again")]),
        (
            "carers,-,journal:read,all",
            "hospital,-,journal:read,all",
            [("journal:read", "first"), ("journal:read", "again")],
        ),
    ],
)
def test_an_obligation_too_many_or_too_few_is_found(
    tmp_path: Path, engine: Engine, right: str, wrong: str, expected: list[tuple[str, str]]
) -> None:
    """First readings and others apart."""
    folder = little_cases(tmp_path)
    rewrite(folder / "obligations.csv", lambda text: text.replace(right, wrong))
    assert [(failure.case.action, failure.case.history) for failure in held(folder, engine).failures] == expected


def test_what_the_rules_open_is_told_first(tmp_path: Path, engine: Engine) -> None:
    """Then what they close, then what they name otherwise."""
    folder = little_cases(tmp_path)
    rewrite(folder / "on-dossiers.csv", lambda text: text.replace("care-team,document:list", "care-team,access:list"))
    rewrite(folder / "refusals.csv", lambda text: text.replace("masked,all,nurse", "blocked,all,nurse"))
    lines = list(held(folder, engine).lines())
    assert [line for line in lines if line.startswith(("1 case:", "2 cases:")) or "answered  " in line][:6] == [
        "1 case: expected no by not-permitted (what is not written is closed)",
        "    answered      yes by care-team, which asks notify_patient write_down",
        "1 case: expected no by not-permitted (what is not written is closed)",
        "    answered      yes by care-team, which asks write_down",
        "2 cases: expected yes by care-team, which asks write_down (on-dossiers.csv, line 5)",
        "    answered      no by not-permitted",
    ]


@pytest.mark.parametrize(
    "name, right, wrong, lines",
    [
        (
            "examples.csv",
            "emergency-scope masked",
            "emergency-scope",
            [
                (
                    "A nurse of the care team: document:mask (a masked report). A professional breaks the glass."
                    " (examples.csv, line 2)"
                ),
                "    expected      emergency-scope",
                "    refused by    emergency-scope masked",
            ],
        ),
        (
            "questions.csv",
            "no-document,",
            "no-message,",
            [
                "A document that does not exist (questions.csv, line 2)",
                "    expected      no-message",
                "    refused by    no-document",
            ],
        ),
        (
            "examples.csv",
            "break-glass,nurse,masked,document:mask,",
            "ordinary,nurse,report,document:read,",
            [
                "A nurse of the care team: document:read (a report). The dossier is open. (examples.csv, line 2)",
                "    expected      emergency-scope masked",
                "    refused by    nothing",
            ],
        ),
    ],
)
def test_a_refusal_by_other_rules_is_found(
    tmp_path: Path, engine: Engine, name: str, right: str, wrong: str, lines: list[str]
) -> None:
    """Also where the deciding one is as expected."""
    folder = little_cases(tmp_path)
    rewrite(folder / name, lambda text: text.replace(right, wrong))
    report = held(folder, engine)
    assert (report.passed, list(report.lines())[:3]) == (False, lines)


def test_machines_are_told_each_case(tmp_path: Path) -> None:
    """By the command, whose exit status says that it fails."""
    folder = policy_with_little_cases(tmp_path)
    rewrite(folder / "cases" / "deposits.csv", lambda text: text.replace("carers", "nurse"))
    rewrite(folder / "cases" / "examples.csv", lambda text: text.replace("emergency-scope masked", "masked"))
    result = run("policy", "cases", "--json", str(folder))
    data = json.loads(result.stdout)
    assert (result.exit_code, data["passed"], data["failures"], data["mistold"]) == (1, False, 1, 1)
    assert data["failed"] == [
        {
            "circumstance": "ordinary",
            "persona": "hospital",
            "document": "new-report",
            "action": "document:deposit",
            "has_read": False,
            "situation": ["health_facility", "document:deposit", "normal", "known_document_type"],
            "expected": {
                "allowed": False,
                "rule": "not-permitted",
                "obligations": [],
                "written": "what is not written is closed",
            },
            "answered": {"allowed": True, "rule": "depositor", "obligations": ["write_down"]},
        }
    ]
    assert data["told_otherwise"] == [
        {
            "situation": [
                "other_health_professional",
                "document:mask",
                "break_glass",
                "reasoned",
                "in_care_team",
                "care_team_consent",
                "strong_authentication",
                "habilitated",
                "masked",
            ],
            "expected": ["masked"],
            "answered": ["emergency-scope", "masked"],
        }
    ]


def test_the_command_passes_where_every_answer_is_as_expected(tmp_path: Path) -> None:
    """With the totals."""
    result = run("policy", "cases", str(policy_with_little_cases(tmp_path)))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "312 cases in 312 situations, 45 of them open: none answered otherwise than expected",
    )
