"""`--record`: the rows that would expect what is answered, which only a reviewer's hand can bring into the files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from policy.engine import Engine
from policy.loader import load
from policy.review.cases import hold
from policy.review.matrices import read_matrices
from policy.review.recording import Change, Recording, record
from tests.api.cli.shell import run
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.little import little_cases, policy_with_little_cases

WRONG = {
    "on-dossiers.csv": ("ordinary,carers,own-trace", "ordinary,carers,depositor"),
    "on-documents.csv": ("ordinary,holder,all,", "ordinary,holder,masked,"),
    "deposits.csv": ("carers,new-report,depositor", "holder,new-report,holder"),
    "refusals.csv": ("masked,all,nurse,masked", "blocked,ordinary,nurse hospital,masked"),
    "obligations.csv": ("notify_treating_physicians,break-glass", "alert_withheld,ordinary"),
}
"""A wrong expectation in each file."""


def recorded(folder: Path, engine: Engine) -> Recording:
    """What the packaged rules would have written."""
    return record(hold(read_matrices(folder, engine.register), engine))


def contents(folder: Path) -> Mapping[str, tuple[bytes, int]]:
    """Every file of a folder, with when it was written last."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def copied_by_hand(folder: Path, changes: tuple[Change, ...]) -> None:
    """What a reviewer does who believes everything: each row where it is said to belong, from the last line upwards."""
    for change in sorted(changes, key=lambda change: change.line or 1, reverse=True):
        file = folder / change.file
        lines = file.read_text(encoding="utf-8").splitlines()
        at = slice(1, 1) if change.line is None else slice(change.line - 1, change.line)
        lines[at] = change.rows
        file.write_text("\n".join((*lines, "")), encoding="utf-8")


@pytest.mark.parametrize("names", [*([name] for name in WRONG), list(WRONG)])
def test_rows_copied_by_hand_make_the_cases_pass(tmp_path: Path, engine: Engine, names: list[str]) -> None:
    """Whichever file expected something else."""
    folder = little_cases(tmp_path)
    for name in names:
        rewrite(folder / name, lambda text, name=name: text.replace(*WRONG[name]))  # type: ignore[misc]  # the name as it is now
    before = recorded(folder, engine)
    copied_by_hand(folder, before.changes)
    assert (before.passed, recorded(folder, engine)) == (False, Recording((), (), 0))


def test_rows_are_shown_with_their_places(tmp_path: Path, engine: Engine) -> None:
    """Instead of a line, or above all others of a file."""
    folder = little_cases(tmp_path)
    for name in ("deposits.csv", "refusals.csv"):
        rewrite(folder / name, lambda text, name=name: text.replace(*WRONG[name]))  # type: ignore[misc]  # the name as it is now
    assert list(recorded(folder, engine).lines()) == [
        "# deposits.csv, instead of line 2:",
        "# (nothing)",
        "# deposits.csv, above all other rows:",
        "ordinary,carers,new-report,depositor",
        "# refusals.csv, above all other rows:",
        "masked,ordinary,nurse,masked,document:read document:mask document:reveal",
        "masked,break-glass,nurse,masked,document:read",
        "not-permitted,ordinary,hospital,masked,document:read document:mask document:reveal",
    ]


def test_nothing_is_ever_written(tmp_path: Path) -> None:
    """The command prints, and leaves every file as it was."""
    folder = policy_with_little_cases(tmp_path)
    rewrite(folder / "cases" / "deposits.csv", lambda text: text.replace(*WRONG["deposits.csv"]))
    before = contents(folder)
    result = run("policy", "cases", "--record", str(folder))
    assert (result.exit_code, contents(folder)) == (1, before)
    assert result.stdout.splitlines()[-1] == "ordinary,carers,new-report,depositor"


def test_machines_are_told_the_same(tmp_path: Path) -> None:
    """With the file and the line, which is null for new rows."""
    folder = policy_with_little_cases(tmp_path)
    rewrite(folder / "cases" / "deposits.csv", lambda text: text.replace(*WRONG["deposits.csv"]))
    result = run("policy", "cases", "--record", "--json", str(folder))
    assert json.loads(result.stdout) == {
        "passed": False,
        "changes": [
            {"file": "deposits.csv", "line": 2, "rows": []},
            {"file": "deposits.csv", "line": None, "rows": ["ordinary,carers,new-report,depositor"]},
        ],
        "unwritable": [],
        "told_otherwise": 0,
    }


def test_there_is_nothing_to_write_where_all_is_as_expected(tmp_path: Path) -> None:
    """And the command passes."""
    result = run("policy", "cases", "--record", str(policy_with_little_cases(tmp_path)))
    expected = "# nothing to write: every case has the answer that is expected\n"
    assert (result.exit_code, result.stdout) == (0, expected)


def test_refusals_by_other_rules_are_pointed_at(tmp_path: Path, engine: Engine) -> None:
    """They are rewritten from what the command without `--record` shows."""
    folder = little_cases(tmp_path)
    rewrite(folder / "examples.csv", lambda text: text.replace("emergency-scope masked", "masked"))
    recording = recorded(folder, engine)
    assert (recording.passed, list(recording.lines())) == (
        False,
        ["# questions.csv and examples.csv: `dmp policy cases` shows which rules they name otherwise"],
    )


def test_an_answer_that_depends_on_the_past_cannot_be_written(tmp_path: Path) -> None:
    """No matrix of permissions tells who has read before, because no rule may ask it."""
    policy = copy_of_the_policy(tmp_path)
    rewrite(
        policy / "rules" / "70-care.csv",
        lambda text: text.replace("normal & in_care_team", "normal & has_read & in_care_team"),
    )
    recording = recorded(little_cases(tmp_path), Engine(load(policy)))
    assert (recording.changes, recording.unwritable[0]) == (
        (),
        "A nurse of the care team: document:list. The dossier is open.",
    )
    assert next(recording.lines()) == (
        "# cannot be written, the answer depends on what was read before: "
        "A nurse of the care team: document:list. The dossier is open."
    )
