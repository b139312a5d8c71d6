"""The whole check of a policy folder."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from policy.errors import PolicyFileError
from policy.loader import PACKAGED, load
from policy.review.laws import laws_folder, read_laws, read_words
from policy.review.lint.chapters import Written, written
from policy.review.lint.faults import fault, faults
from policy.review.lint.findings import Checked, Finding, Severity
from policy.review.lint.grounds import check_grounds, read_grounds
from policy.review.lint.habilitations import check_habilitations
from policy.review.lint.history import reused_ids
from policy.review.lint.useless import unused_words, useless_groups, useless_rows
from policy.review.lint.weights import regions
from policy.review.matrices import cases_folder, read_matrices
from policy.ruleset import RuleSet

_RANKS = {Severity.INFORMATION: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def check(folder: Path, against: RuleSet | None = None, *, strict: bool = False) -> Checked:
    """Everything there is to say of a policy folder; its ids are held against the rules before, if any are given."""
    try:
        rules = load(folder)
    except PolicyFileError:
        return Checked(None, _in_order(folder, faults(folder)), strict)
    return Checked(rules.revision, _in_order(folder, _findings(folder, rules, against)), strict)


def _findings(folder: Path, rules: RuleSet, against: RuleSet | None) -> Iterator[Finding]:
    rows = written(folder)
    space = regions(rules)
    yield from useless_rows(rules, space)
    yield from useless_groups(rules, space, rows)
    yield from unused_words(folder, rules, space)
    yield from check_habilitations(folder)
    yield from _unless_refused(lambda: check_grounds(rules, rows, read_grounds(folder)))
    yield from _unless_refused(lambda: _check_laws(folder, rules, rows))
    yield from _unless_refused(lambda: _check_cases(folder, rules))
    if against is not None:
        yield from reused_ids(folder, rules, against)


def _unless_refused(checking: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What is found with a file that reviews need and the service does not, or its fault."""
    try:
        return list(checking())
    except PolicyFileError as error:
        return [fault(error, "unreadable")]


def _check_laws(folder: Path, rules: RuleSet, rows: Iterable[Written]) -> Iterator[Finding]:
    """Groups that mean something else in the laws, for which their readers will take them."""
    laws = laws_folder(folder)
    read_laws(laws, rules.register)
    roles, actions = read_words(laws)
    first = {(row.kind, row.cells[-1]): row for row in reversed(tuple(rows))}
    for kind, ours, theirs in (("g", rules.roles, roles), ("g2", rules.actions, actions)):
        for group in ours.members.keys() & theirs.members.keys():
            row = first[kind, group]
            only_here = sorted(ours.members[group] - theirs.members[group])
            only_there = sorted(theirs.members[group] - ours.members[group])
            if only_here or only_there:
                here = f"here with {', '.join(only_here)}" if only_here else ""
                there = f"there with {', '.join(only_there)}" if only_there else ""
                told = " and ".join(filter(None, (here, there)))
                sentence = f"{group} is another group in the laws: {told}"
                yield Finding(Severity.WARNING, row.file, row.line, "other-in-laws", sentence)


def _check_cases(folder: Path, rules: RuleSet) -> Iterator[Finding]:
    """Nothing but whether the cases can be read: `dmp policy cases` runs them."""
    read_matrices(cases_folder(folder), rules.register)
    yield from ()


def _in_order(folder: Path, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What weighs most last, where eyes are; then by place. Files are named from the policy folder that holds them."""
    named = (replace(each, file=_from(folder, each.file)) for each in findings)
    return tuple(sorted(named, key=lambda each: (_RANKS[each.severity], each.file, each.line or 0, each.sentence)))


def _from(folder: Path, file: Path) -> Path:
    """A folder without sources or laws of its own is held against the packaged ones."""
    return file.relative_to(folder if file.is_relative_to(folder) else PACKAGED)
