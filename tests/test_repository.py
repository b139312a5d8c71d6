"""What the repository as a whole promises, whoever changes it."""

import ast
import csv
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NOT_OURS = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()} | {".git"}
REGISTRIES: list[tuple[str, ...]] = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("proxy", "golang", "org"),
    ("sum", "golang", "org"),
    ("npmjs", "org"),
]
LOCKED = re.compile(r"^(?P<name>[a-z0-9-]+)(\[[a-z,-]+\])?==(?P<version>[^ ;\\]+)(?P<marker> ;[^\\]*)? \\$")
"""One locked package, with the line continued by its hashes."""


def _files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (Path(folder, name) for name in names if name not in NOT_OURS)


def _texts() -> Iterator[tuple[str, str]]:
    for path in _files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode()


def _places(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    """Where a line of ours matches, as `file:line`."""
    return [
        f"{name}:{number}"
        for name, text in _texts()
        if not suffixes or name.endswith(suffixes)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _modules(folder: str, pattern: str) -> Iterator[tuple[str, ast.AST]]:
    for path in sorted((ROOT / folder).rglob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            yield str(path.relative_to(ROOT)), node


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is settled by whoever installs them."""
    hosts = "|".join(re.escape(".".join(parts)) for parts in REGISTRIES)
    assert _places(re.compile(hosts)) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    """Paths are relative to the repository, or found where the program runs."""
    assert _places(re.compile(r"(?<![\w.}])/(home|root|Users|work|tmp)/\w")) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_file_pins_every_package_by_hash(lock: Path) -> None:
    """Nothing but exact versions, each with its hashes, and no address."""
    blocks = [block for block in re.split(r"\n(?! )", lock.read_text()) if block.strip() and not block.startswith("#")]
    loose = [block for block in blocks if not LOCKED.match(block.splitlines()[0]) or "--hash=sha256:" not in block]
    assert loose == []


def _locked(*groups: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        for line in (ROOT / "requirements" / f"{group}.txt").read_text().splitlines():
            if found := LOCKED.match(line):
                versions[found["name"]].add(found["version"])
    return versions


@pytest.mark.parametrize("group", ["run", *PROJECT["dependency-groups"]])
def test_a_lock_file_holds_what_the_project_asks_for(group: str) -> None:
    """Each dependency is locked, in a version that pyproject.toml allows."""
    wanted = PROJECT["project"]["dependencies"] if group == "run" else PROJECT["dependency-groups"][group]
    locked = _locked(group)
    requirements = [Requirement(text) for text in wanted]
    unmet = [
        str(requirement)
        for requirement in requirements
        if not any(requirement.specifier.contains(version) for version in locked[canonicalize_name(requirement.name)])
    ]
    assert unmet == []


def test_lock_files_agree() -> None:
    """One environment may hold all groups: no package is locked in versions that depend on the file."""
    everywhere = _locked(*(lock.stem for lock in LOCKS))
    disagreed = [
        (lock.stem, name)
        for lock in LOCKS
        for name, versions in _locked(lock.stem).items()
        if versions != everywhere[name]
    ]
    assert disagreed == []


def test_every_rule_of_style_that_is_ignored_says_why() -> None:
    """A reason stands beside each code that pyproject.toml tells ruff to ignore."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    codes = [line for line in lines if re.match(r' +"[A-Z]{1,4}\d*",', line)]
    assert [line for line in codes if not re.search(r", +# \w.{5,}", line)] == []


def test_every_exception_in_the_code_says_why() -> None:
    """What switches off a checker for a line names the code and the reason on that line."""
    silenced = re.compile(r"[#] noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* \W*\w.{5,})")
    untyped = re.compile(r"[#] type: ignore(?!\[[a-z, -]+\] \W*\w.{5,})")
    assert _places(silenced, ".py") + _places(untyped, ".py") == []


def test_every_test_says_what_it_proves() -> None:
    """A test's docstring is the sentence of behaviour."""
    silent = [
        f"{name}::{node.name}"
        for name, node in _modules("tests", "test_*.py")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_what_decides_asks_for_no_time() -> None:
    """The instant comes with the case, so that any decision can be replayed."""
    asking = [
        f"{name}:{node.lineno}"
        for name, node in _modules("policy", "*.py")
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}
    ]
    assert asking == []


def test_the_changelog_keeps_its_form() -> None:
    """Versions newest first, below each the kinds of change, below each its entries."""
    headings = re.findall(r"^#+ .*", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    kinds = "### (Added|Changed|Deprecated|Removed|Fixed|Security)"
    version = r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    assert re.fullmatch(
        rf"# Changelog\n## \[Unreleased\](\n{kinds})*(\n{version}(\n{kinds})+)*", "\n".join(headings)
    ), headings


def test_a_starred_entry_names_its_rules() -> None:
    """Who answers for access finds in the changelog which rules changed."""
    entries = re.split(r"\n(?=- |#)", (ROOT / "CHANGELOG.md").read_text())
    starred = [" ".join(entry.split()) for entry in entries if entry.startswith("- ★")]
    named = [re.search(r"\(rules: ([a-z0-9, -]+)\)$", entry) for entry in starred]
    with (ROOT / "policy" / "reasons.csv").open(encoding="utf-8") as file:
        known = {row["rule"] for row in csv.DictReader(file)}
    wrong = [
        entry
        for entry, rules in zip(starred, named, strict=True)
        if rules is None or not set(rules[1].split(", ")) <= known
    ]
    assert wrong == []


def test_ci_can_be_started() -> None:
    """The file that checks a change is a program."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
