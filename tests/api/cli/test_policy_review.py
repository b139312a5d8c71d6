"""`dmp policy check`, `prove` and `diff` as a reviewer types them, on the packaged rules and on faulty ones."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from api.errors import SettingsError
from policy.loader import PACKAGED
from tests.api.cli.shell import run
from tests.policy.faulty import LEAK, TYPO, USELESS


def git(repository: Path, *words: str) -> None:
    """Run git in a repository of the test's own."""
    identity = ("-c", "user.name=A reviewer", "-c", "user.email=reviewer@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(repository), *identity, *words], check=True, capture_output=True)  # noqa: S603, S607 - a repository of the test's own


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with the packaged policy in its first commit and the leak in its second; one works in it."""
    root = tmp_path / "repository"
    (root / "rules-of-the-house").mkdir(parents=True)
    git(root, "init", "--quiet")
    for commit in (None, LEAK):
        folder = root / "rules-of-the-house"
        shutil.rmtree(folder)
        folder.mkdir()
        if commit is None:
            shutil.copytree(PACKAGED, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        else:
            commit.write(folder)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "rules")
    monkeypatch.chdir(root)
    return root


def test_the_packaged_rules_pass() -> None:
    """Both commands say so by their status."""
    assert [run("policy", command).exit_code for command in ("check", "prove")] == [0, 0]


def test_a_leak_is_found_by_proof(tmp_path: Path) -> None:
    """Status 1; the law and the rule responsible are named."""
    found = run("policy", "prove", str(LEAK.write(tmp_path)))
    assert found.exit_code == 1
    assert "broken: masks-keep-professionals-out" in found.stdout
    assert "p, break-glass, health_professional, reading, break_glass, allow" in found.stdout


def test_a_leak_is_shown_by_the_difference(tmp_path: Path) -> None:
    """What it opens, from the packaged rules to it."""
    shown = run("policy", "diff", str(PACKAGED), str(LEAK.write(tmp_path)))
    assert (shown.exit_code, "opened: 1,920 situations" in shown.stdout) == (1, True)


def test_a_typo_is_found_by_the_check(tmp_path: Path) -> None:
    """With file, line and the nearest word."""
    found = run("policy", "check", str(TYPO.write(tmp_path)))
    assert found.exit_code == 1
    assert "20-parties.csv:" in found.output
    assert "'denny' is no known effect; did you mean deny?" in found.output


def test_a_useless_row_is_found_by_the_check(tmp_path: Path) -> None:
    """By its id; and it makes no difference."""
    folder = str(USELESS.write(tmp_path))
    found = run("policy", "check", "--strict", folder)
    assert (found.exit_code, "masked/at-night" in found.stdout) == (1, True)
    assert run("policy", "diff", str(PACKAGED), folder).exit_code == 0


def test_revisions_of_a_repository_are_compared(repository: Path) -> None:
    """REVISION:PATH on either side, from anywhere inside."""
    assert repository.is_dir()
    shown = run("policy", "diff", "HEAD~1:rules-of-the-house", "HEAD:rules-of-the-house")
    assert (shown.exit_code, "opened: 1,920 situations" in shown.stdout) == (1, True)
    assert run("policy", "diff", "HEAD:rules-of-the-house", "rules-of-the-house").exit_code == 0


@pytest.mark.parametrize(
    "word, fault",
    [
        ("HEAD~9:rules-of-the-house", "'HEAD~9:rules-of-the-house' is no folder, nor a git revision that has a folder"),
        ("HEAD:policies", "'HEAD:policies' is no folder, nor a git revision that has a folder policies"),
        ("--output=/x", "'--output=/x' is no folder, nor a git revision that has a folder policy"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_is_neither_folder_nor_revision_is_refused(word: str, fault: str) -> None:
    """In one sentence; no word becomes an option of git."""
    refused = run("policy", "diff", "--", word, str(PACKAGED))
    assert refused.exit_code == 1
    assert fault in str(refused.exception)


def test_machines_read_json(tmp_path: Path) -> None:
    """From every command."""
    folder = str(LEAK.write(tmp_path))
    proof = json.loads(run("policy", "prove", folder, "--json").stdout)
    difference = json.loads(run("policy", "diff", str(PACKAGED), folder, "--json").stdout)
    assert (proof["passed"], difference["passed"]) == (False, False)
    assert proof["broken"][0]["law"] == "masks-keep-professionals-out"
    assert difference["situations"]["opened"] == 1_920


def test_a_signed_bundle_in_force_has_no_folder(tmp_path: Path) -> None:
    """Where rules are signed, the packaged ones are not those in force: a folder must be named."""
    trust = tmp_path / "trust.csv"
    trust.touch()
    refused = run("policy", "prove", trust=trust)
    assert isinstance(refused.exception, SettingsError)
    assert "name its folder" in str(refused.exception)
    assert run("policy", "prove", str(PACKAGED), trust=trust).exit_code == 0
