"""Ids that mean something else than they did: journals, callers and reviewers' files go on naming them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from policy.reasons import HEADER
from policy.review.lint.findings import Finding, Severity
from policy.review.planes import MEETINGS
from policy.ruleset import Duty, Row, RuleSet
from policy.space import can_hold
from policy.text import read_table
from policy.words import ANY_RULE


def reused_ids(folder: Path, rules: RuleSet, before: RuleSet) -> Iterator[Finding]:
    """What changed under an id that stayed, and the ids that are gone."""
    yield from _reused_rules(folder / "reasons.csv", rules, before)
    now, then = _rows(rules), _rows(before)
    anew = set[str]()
    for row in now.values():
        if row.name not in anew and _has_nothing_in_common(row.name, rules, before):
            anew.add(row.name)
            sentence = f"{row.name} applies in no situation in which it applied before: give it another id"
            yield Finding(Severity.WARNING, row.file, row.line, "reused-rule", sentence)
        elif row.name not in anew and row.id in then and not _meet(row, rules, then[row.id], before):
            sentence = f"{row.id} applies in no situation in which it applied before: give it another id"
            yield Finding(Severity.WARNING, row.file, row.line, "reused-row", sentence)
    names = {row.name for row in now.values()}
    for row in then.values():
        if row.id not in now and row.name in names:
            yield _gone(folder / "rules", f"the row {row.id}", "gone-row")


def _reused_rules(register: Path, rules: RuleSet, before: RuleSet) -> Iterator[Finding]:
    lines = {cells[0]: line for line, cells in read_table(register, HEADER)}
    for rule, old in before.register.reasons.items():
        new = rules.register.reasons.get(rule)
        if new is None:
            yield _gone(register, f"the rule {rule}", "gone-rule")
            continue
        if new.effect != old.effect:
            sentence = f"{rule} was registered with the effect {old.effect}: give it another id"
            yield Finding(Severity.WARNING, register, lines[rule], "changed-effect", sentence)
        for language, then, now in (("French", old.fr, new.fr), ("English", old.en, new.en)):
            if then != now:
                sentence = f"{rule} was told in {language}: {then}"
                yield Finding(Severity.WARNING, register, lines[rule], "changed-sentence", sentence)


def _gone(place: Path, what: str, code: str) -> Finding:
    return Finding(Severity.INFORMATION, place, None, code, f"{what} is gone; its id is never used again")


def _rows(rules: RuleSet) -> Mapping[str, Row]:
    return {row.id: row for row in (*rules.rules, *rules.duties)}


def _has_nothing_in_common(name: str, rules: RuleSet, before: RuleSet) -> bool:
    """Whether a rule or an obligation had rows, and none of these meets one of its rows of now."""
    then = [row for row in _rows(before).values() if row.name == name]
    now = [row for row in _rows(rules).values() if row.name == name]
    return bool(then) and not any(_meet(row, rules, old, before) for row in now for old in then)


def _meet(row: Row, rules: RuleSet, old: Row, before: RuleSet) -> bool:
    """Whether there is a situation in which both apply; for obligations, to the same permission."""
    if isinstance(row, Duty) and isinstance(old, Duty):
        givers = {row.given_by, old.given_by}
        if len(givers) > 1 and ANY_RULE not in givers:
            return False
    needs = row.condition.needs | old.condition.needs
    bars = row.condition.bars | old.condition.bars
    return any(
        rules.bears_on(row, role, action) and before.bears_on(old, role, action) and can_hold(role, action, needs, bars)
        for role, action in MEETINGS
    )
