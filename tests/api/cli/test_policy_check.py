"""`dmp policy check`, as a reviewer types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.main import dmp
from policy.loader import PACKAGED, load
from tests.api.cli.shell import run
from tests.policy.faulty import TYPO, USELESS
from tests.policy.folders import copy_of_the_policy, rewrite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    return copy_of_the_policy(tmp_path)


def test_the_packaged_policy_passes() -> None:
    """In strict form too, so that `make lint` may ask for it; what is good to know is shown."""
    result = run("policy", "check", "--strict")
    *findings, summary = result.output.splitlines()
    assert result.exit_code == 0
    assert summary == f"accepted: revision {load().revision} (error: 0, warning: 0, information: {len(findings)})"
    assert {finding.split(": ")[1] for finding in findings} == {"information"}


def test_a_fault_fails(tmp_path: Path) -> None:
    """With its place first, as compilers tell it."""
    result = run("policy", "check", str(TYPO.write(tmp_path)))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "rules/20-parties.csv:10: error: 'denny' is no known effect; did you mean deny?  [refused]",
        "refused (error: 1, warning: 0, information: 0)",
    ]


@pytest.mark.parametrize("words, status, verdict", [([], 0, "accepted"), (["--strict"], 1, "not good enough")])
def test_a_warning_fails_where_it_is_asked_for(tmp_path: Path, words: list[str], status: int, verdict: str) -> None:
    """The useless row of the faulty policy is found, with what makes it useless."""
    folder = USELESS.write(tmp_path)
    result = run("policy", "check", str(folder), *words)
    *findings, summary = result.output.splitlines()
    assert result.exit_code == status
    assert [finding for finding in findings if ": warning: " in finding] == [
        (
            "rules/40-documents.csv:14: warning: masked/at-night changes nothing: where it would count, masked does "
            "already  [useless-row]"
        )
    ]
    assert summary.startswith(f"{verdict}: revision {load(folder).revision} (error: 0, warning: 1, ")


def test_json_says_the_same(tmp_path: Path) -> None:
    """With names that stay."""
    folder = TYPO.write(tmp_path)
    result = run("policy", "check", str(folder), "--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "passed": False,
        "revision": None,
        "counts": {"error": 1, "warning": 0, "information": 0},
        "findings": [
            {
                "severity": "error",
                "file": "rules/20-parties.csv",
                "line": 10,
                "code": "refused",
                "sentence": "'denny' is no known effect; did you mean deny?",
            }
        ],
    }


@pytest.mark.parametrize("words, count", [([], 1), (["--against", "old"], 0), (["--against", str(PACKAGED)], 1)])
def test_ids_are_held_against_the_rules_before(folder: Path, words: list[str], count: int) -> None:
    """The packaged ones unless others are named."""
    rewrite(folder / "reasons.csv", lambda text: text.replace("There is no dossier.", "No dossier."))
    (folder / "old").mkdir()
    copy_of_the_policy(folder / "old")
    rewrite(folder / "old" / "reasons.csv", lambda text: text.replace("There is no dossier.", "No dossier."))
    given = [str(folder / "old") if word == "old" else word for word in words]
    result = run("policy", "check", str(folder), *given)
    assert (result.exit_code, result.output.count("[changed-sentence]")) == (0, count)


def test_the_folder_in_force_is_checked(folder: Path) -> None:
    """Without an argument it is that of the settings."""
    rewrite(folder / "reasons.csv", lambda text: text.replace("There is no dossier.", "No dossier."))
    result = CliRunner().invoke(dmp, ["policy", "check"], env={"DMP_POLICY_DIR": str(folder)})
    assert "reasons.csv:4: warning: no-dossier was told in English: There is no dossier." in result.output
