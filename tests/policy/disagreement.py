"""How a case on which two judges disagree is told: made as plain as it can be, and without its ordinary facts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from models.decisions import Decision
from models.facts import Case

Judge = Callable[[Case], Decision]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One case, and what the policy and the oracle say of it."""

    case: Case
    policy: Decision
    oracle: Decision

    def __str__(self) -> str:
        return f"{describe(self.case)}\n  policy {describe(self.policy)}\n  oracle {describe(self.oracle)}"


def plainest(case: Case, policy: Judge, oracle: Judge) -> Disagreement:
    """The same disagreement, or one near it, with every fact at its default that need not be otherwise."""
    found = True
    while found:
        found = False
        for plainer in _plainer(case):
            if policy(plainer) != oracle(plainer):
                case, found = plainer, True
                break
    return Disagreement(case, policy(case), oracle(case))


def describe(value: Any) -> str:
    """A value with only those fields that are not at their default."""
    if isinstance(value, Struct):
        told = (
            f"{field.name}={describe(getattr(value, field.name))}"
            for field in fields(value)
            if getattr(value, field.name) != field.default
        )
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return f"[{', '.join(describe(entry) for entry in value)}]"
    return str(value)


def _plainer(value: Any) -> Iterator[Any]:
    """Every way to put one field to its default or to leave out one entry, inner values included."""
    for field in fields(value):
        current = getattr(value, field.name)
        if field.default is not NODEFAULT and current != field.default:
            yield replace(value, **{field.name: field.default})
        if isinstance(current, Struct):
            yield from (replace(value, **{field.name: inner}) for inner in _plainer(current))
        if isinstance(current, tuple):
            for index, entry in enumerate(current):
                before, after = current[:index], current[index + 1 :]
                yield replace(value, **{field.name: before + after})
                if isinstance(entry, Struct):
                    inners = _plainer(entry)
                    yield from (replace(value, **{field.name: (*before, inner, *after)}) for inner in inners)
