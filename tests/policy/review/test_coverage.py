"""Coverage: every row and every literal, by whether a case depends on it."""

import json
from dataclasses import replace
from pathlib import Path

from policy.review.bench import Bench
from policy.review.coverage import CoverageReport, Weight, cover, percentage
from policy.review.matrices import Matrices
from policy.ruleset import RuleSet
from tests.api.cli.shell import run
from tests.policy.folders import rewrite
from tests.policy.review.little import policy_with_little_cases
from tests.policy.review.shipped import shipped


def without(matrices: Matrices, *, persona: str = "", document: str = "") -> Matrices:
    """The same matrices, a persona or a document less."""
    cast = matrices.cast
    fewer = replace(
        cast,
        personas={name: each for name, each in cast.personas.items() if name != persona},
        documents={name: each for name, each in cast.documents.items() if name != document},
    )
    return replace(matrices, cast=fewer)


def missed(report: CoverageReport) -> set[str]:
    """The rows on which no case depends, and the literals."""
    rows = {each.row.id for each in report.rows if each.weight is Weight.MISSED}
    literals = {
        f"{each.row.id}: {literal}"
        for each in report.rows
        for literal, weight in each.literals
        if weight is Weight.MISSED
    }
    return rows | literals


def test_the_packaged_cases_depend_on_everything() -> None:
    """Every row weighs, and every literal that can."""
    status, data = shipped("coverage")
    assert (status, data["passed"], data["failing"]) == (0, True, 0)
    assert (data["rows"], data["literals"]) == ({"covered": 74, "total": 74}, {"covered": 98, "total": 98})


def test_what_the_other_rules_imply_is_told_apart(bench: Bench) -> None:
    """Of a person, who is one of three, and has as holder or representative whatever a caregiver has."""
    implied = [
        (each.row.id, literal)
        for each in cover(bench).rows
        for literal, weight in each.literals
        if weight is Weight.IMPLIED
    ]
    assert implied == [
        ("caregiver", "caregiver"),
        ("caregiver/deposit", "caregiver"),
        ("caregiver/deposit-expression", "caregiver"),
    ]


def test_coverage_falls_with_a_document(rules: RuleSet, little: Matrices) -> None:
    """Without masked documents, no case depends on the mask."""
    whole, fewer = (cover(Bench(rules, some)) for some in (little, without(little, document="masked")))
    assert missed(fewer) - missed(whole) == {"masked"}


def test_coverage_falls_with_a_persona(rules: RuleSet, little: Matrices) -> None:
    """Without the nurse, no case depends on the care team; the totals say so."""
    whole, fewer = (cover(Bench(rules, some)) for some in (little, without(little, persona="nurse")))
    assert "care-team" in missed(fewer) - missed(whole)
    assert [list(report.lines())[-2] for report in (whole, fewer)] == [
        "rows: cases depend on 18 of 74, 24.3 %",
        "rows: cases depend on 11 of 74, 14.8 %",
    ]


def test_nothing_is_measured_while_cases_fail(tmp_path: Path) -> None:
    """What they depend on cannot be told."""
    folder = policy_with_little_cases(tmp_path)
    rewrite(folder / "cases" / "refusals.csv", lambda text: text.replace("masked,all,nurse", "blocked,all,nurse"))
    result = run("policy", "coverage", str(folder))
    expected = "8 situations are answered otherwise than cases expect: see `dmp policy cases` first\n"
    assert (result.exit_code, result.stdout) == (1, expected)


def test_two_expectations_of_one_situation_cannot_both_be_met(tmp_path: Path) -> None:
    """A second nurse who is just like the first, but for what is expected."""
    folder = policy_with_little_cases(tmp_path)
    nurse = "other_health_professional,in_care_team care_team_consent strong_authentication,The same nurse"
    rewrite(folder / "cases" / "personas.csv", lambda text: f"{text}twin,{nurse}\n")
    report = cover(Bench.of(folder))
    assert (report.failures, report.rows) == (report.failures, ())
    assert report.failures > 0


def test_machines_are_told_each_row(tmp_path: Path) -> None:
    """By the command; a few cases leave much uncovered."""
    result = run("policy", "coverage", "--json", str(policy_with_little_cases(tmp_path)))
    data = json.loads(result.stdout)
    assert (result.exit_code, data["passed"], data["failing"]) == (1, False, 0)
    assert [row for row in data["by_row"] if row["row"] in {"masked", "no-dossier"}] == [
        {
            "row": "no-dossier",
            "file": "30-dossier.csv",
            "line": 4,
            "weight": "missed",
            "literals": {"no_dossier": "covered"},
        },
        {
            "row": "masked",
            "file": "40-documents.csv",
            "line": 13,
            "weight": "covered",
            "literals": {
                "!emergency_lifts_mask": "missed",
                "!treating_physician": "missed",
                "!author": "missed",
                "masked": "covered",
            },
        },
    ]


def test_a_hundred_percent_is_said_of_all_only() -> None:
    """Parts are rounded down."""
    assert [percentage(part, 3000) for part in (0, 1, 2999, 3000)] == ["0.0 %", "0.0 %", "99.9 %", "100 %"]
