"""`dmp policy matrix`: one table in the terminal, as CSV, as JSON, as a page."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli.main import dmp
from policy.engine import Engine
from policy.review.matrix.report import Matrix, matrix_of
from tests.policy.folders import copy_of_the_policy, rewrite

_TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": ""}


@pytest.fixture(scope="module")
def expected() -> Matrix:
    """The matrix of the packaged rules."""
    return matrix_of(Engine.load())


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(dmp, ["policy", "matrix", *arguments], env=environment)


def test_without_options_it_is_a_table(expected: Matrix) -> None:
    """Every line of the report, as it is."""
    result = run()
    assert (result.exit_code, result.output) == (0, "\n".join([*expected.lines(), ""]))


def test_csv_is_printed(expected: Matrix) -> None:
    """Alone."""
    result = run("--csv")
    assert (result.exit_code, result.output) == (0, expected.csv())


def test_json_is_printed(expected: Matrix) -> None:
    """Alone."""
    result = run("--json")
    assert (result.exit_code, json.loads(result.output)) == (0, expected.data())


def test_the_page_is_written(expected: Matrix, tmp_path: Path) -> None:
    """To the file that is named."""
    file = tmp_path / "matrix.html"
    result = run("--html", str(file))
    assert (result.exit_code, result.output) == (0, f"written: {file}\n")
    assert file.read_text(encoding="utf-8") == expected.html()


def test_the_page_is_printed(expected: Matrix) -> None:
    """Where a dash stands for the file."""
    result = run("--html", "-")
    assert (result.exit_code, result.output) == (0, expected.html())


def test_one_mode_and_another_action_can_be_asked_for() -> None:
    """With their words."""
    data = json.loads(run("--mode", "normal", "--action", "document:mask", "--json").output)
    assert (data["action"], {cell["mode"] for cell in data["cells"]}) == ("document:mask", {"normal"})


def test_a_folder_can_be_named(tmp_path: Path) -> None:
    """Also by the setting that says which policy is in force; an argument comes first."""
    folder, other = tmp_path / "folder", tmp_path / "other"
    for each in (folder, other):
        each.mkdir()
        copy_of_the_policy(each)
    rewrite(folder / "reasons.csv", lambda text: text.replace("The dossier is yours.", "It is yours."))
    revision = Engine.load(folder).revision
    assert json.loads(run("--json", str(folder), DMP_POLICY_DIR=str(other)).output)["revision"] == revision
    assert json.loads(run("--json", DMP_POLICY_DIR=str(folder)).output)["revision"] == revision


def test_colours_are_for_terminals() -> None:
    """Signs with the rule beside them, and headings."""
    output = run("--mode", "centre_15", **_TERMINAL).output
    assert "\x1b[32m✓ centre-15\x1b[0m   \x1b[31m✗ not-habilitated\x1b[0m" in output
    assert "\x1b[33m◐11\x1b[0m" in output
    assert "\x1b[1mMODE CENTRE 15 " in output


def test_colours_can_be_declined(expected: Matrix) -> None:
    """By the variable that everybody knows."""
    assert "\x1b[3" not in run(**_TERMINAL | {"NO_COLOR": "1"}).output


@pytest.mark.parametrize(
    "arguments, fault",
    [
        (["--json", "--csv"], "Error: --json, --csv and --html exclude each other."),
        (["--csv", "--html", "-"], "Error: --json, --csv and --html exclude each other."),
        (["--mode", "urgent"], "'urgent' is not one of 'normal', 'break_glass', 'centre_15'."),
        (["--action", "dossier:open"], "'dossier:open' is not one of 'document:archive',"),
        (["nowhere"], "Directory 'nowhere' does not exist."),
    ],
)
def test_bad_input_is_refused(arguments: list[str], fault: str) -> None:
    """In one sentence."""
    result = run(*arguments)
    assert (result.exit_code, fault in result.output) == (2, True)
