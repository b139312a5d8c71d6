"""The reviewers' guide says what is so: its examples are run, its lists compared."""

import re
from pathlib import Path

import pytest

from policy.engine import Engine
from policy.errors import PolicyFileError
from policy.loader import PACKAGED, load
from policy.situation import Situation
from policy.words import Fact, Role
from tests.policy.folders import copy_of_the_policy

TEXT = (PACKAGED / "README.md").read_text(encoding="utf-8")


def examples(language: str) -> list[tuple[str, str]]:
    """The pairs of lines of the block of this language: what is given, and, indented, what comes of it."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    lines = block.splitlines()
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    assert all(not given.startswith(" ") and result.startswith("    ") for given, result in pairs)
    return [(given, result.strip()) for given, result in pairs]


@pytest.mark.parametrize("words, expected", examples("situations"))
def test_situations_have_the_answers_that_are_shown(engine: Engine, words: str, expected: str) -> None:
    """Yes or no, by which rule, and what is asked in return."""
    decision = engine.judge(Situation.from_words(words.split()))
    answer = f"{'yes' if decision.allowed else 'no'} by {decision.rule}"
    assert ": ".join(filter(None, [answer, " ".join(decision.obligations)])) == expected


@pytest.mark.parametrize("row, expected", examples("refusals"))
def test_mistakes_are_told_as_shown(tmp_path: Path, row: str, expected: str) -> None:
    """With file and line."""
    folder = copy_of_the_policy(tmp_path)
    file = folder / "rules" / "99-example.csv"
    file.write_text(f"{row}\n", encoding="utf-8")
    with pytest.raises(PolicyFileError) as refused:
        load(folder)
    assert str(refused.value) == f"{file}:1: {expected}"


def test_the_row_that_is_read_aloud_is_in_force() -> None:
    """To the letter."""
    (row,) = re.findall(r"^```\n(p, .*)\n```$", TEXT, re.MULTILINE)
    assert row in (PACKAGED / "rules" / "40-documents.csv").read_text(encoding="utf-8").splitlines()


def test_the_list_of_facts_is_the_vocabulary() -> None:
    """Each with its meaning, in its order."""
    (table,) = re.findall(r"^\| fact \| means \|\n\|---\|---\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE)
    assert listed == [(fact.value, fact.meaning) for fact in Fact]


def test_every_role_is_named() -> None:
    """But for staff, which is named by its prefix."""
    assert [role.value for role in Role if f"`{role}`" not in TEXT and not role.startswith("staff_of_")] == []


def test_every_file_of_the_policy_is_named() -> None:
    """Chapters by their numbers."""
    data = [file.name for file in PACKAGED.iterdir() if file.suffix in {".csv", ".conf"}]
    assert [name for name in data if f"`{name}`" not in TEXT] == []


def test_every_code_of_the_check_is_told() -> None:
    """Those that its modules give, and no other."""
    modules = (PACKAGED / "review" / "lint").glob("*.py")
    given = {code for file in modules for code in re.findall(r'"([a-z]+-[a-z-]+)"', file.read_text(encoding="utf-8"))}
    (table,) = re.findall(r"^\| code \| severity \| means \|\n\|---\|---\|---\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    told = {code for line in table.splitlines() for code in re.findall(r"`([a-z]+-[a-z-]+)`", line.split("|")[1])}
    assert told == given
