"""The rules worked out over many situations at once, without Casbin; tests hold that Casbin answers the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from models.decisions import NOT_PERMITTED, Decision
from models.vocabulary import Action, Obligation
from policy.reasons import ALLOW, DENY, Register
from policy.review.planes import Plane, Sample, Situations
from policy.ruleset import Duty, Row, Rule, RuleSet
from policy.situation import Situation
from policy.words import ANY_RULE, Fact, Role

Key = TypeVar("Key")


@dataclass(frozen=True)
class Outcome:
    """What callers notice: where which rule decides, for yes or for no, and where which obligation is attached."""

    decided: dict[tuple[bool, str], int]
    obliged: dict[Obligation, int]

    def apart(self, other: "Outcome") -> int:
        """Where another outcome of the same situations is not the same."""
        return _apart(self.decided, other.decided) | _apart(self.obliged, other.obliged)


class Answers:
    """Rows held against situations. `rows` are those that bear on the role and the action."""

    def __init__(self, situations: Situations, rows: Iterable[Row], register: Register) -> None:
        self.situations = situations
        self.rows = tuple(rows)
        self._register = register
        self.applies = {row.id: situations.where(row.condition) for row in self.rows}

    def by_rule(self, effect: str) -> dict[str, int]:
        """Where each rule of one effect applies, in order of precedence."""
        found: dict[str, int] = {}
        for row in self.rows:
            if isinstance(row, Rule) and row.effect == effect:
                found[row.name] = found.get(row.name, 0) | self.applies[row.id]
        return {rule: found[rule] for rule in self._register.in_order(set(found))}

    @cached_property
    def refusing(self) -> dict[str, int]:
        """Where each rule refuses, in order of precedence."""
        return self.by_rule(DENY)

    @cached_property
    def giving(self) -> dict[str, int]:
        """Where each rule gives, in order of precedence, whatever refuses."""
        return self.by_rule(ALLOW)

    @cached_property
    def decided(self) -> dict[tuple[bool, str], int]:
        """Where each rule decides: for yes or for no, and by its id."""
        rest, found = self.situations.all, {}
        for allowed, rules in ((False, self.refusing), (True, self.giving)):
            for rule, column in rules.items():
                found[allowed, rule] = column & rest
                rest ^= column & rest
        found[False, NOT_PERMITTED] = rest
        return found

    @cached_property
    def allowed(self) -> int:
        """Where the answer is yes."""
        return union(column for (allowed, _), column in self.decided.items() if allowed)

    @cached_property
    def obliged(self) -> dict[Obligation, int]:
        """Where each obligation is attached."""
        found: dict[Obligation, int] = {}
        for row in self.rows:
            if isinstance(row, Duty):
                given = self.allowed if row.given_by == ANY_RULE else self.decided.get((True, row.given_by), 0)
                found[row.obligation] = found.get(row.obligation, 0) | self.applies[row.id] & given
        return found

    def decision(self, place: int) -> Decision:
        """The decision on one situation, by its place."""
        refused_by = _at(place, self.refusing)
        allowed_by = _at(place, self.giving)
        allowed = bool(allowed_by) and not refused_by
        rule = (*refused_by, *(allowed_by if allowed else ()), NOT_PERMITTED)[0]
        attached = _at(place, self.obliged)
        return Decision(allowed, rule, refused_by, allowed_by, tuple(each for each in Obligation if each in attached))

    @property
    def outcome(self) -> Outcome:
        """What callers notice; what is nowhere is left out, so that equal outcomes are equal values."""
        return Outcome(_somewhere(self.decided), _somewhere(self.obliged))


def answer(rules: RuleSet, situation: Situation) -> tuple[Decision, tuple[Row, ...]]:
    """The decision on a situation, and the rows that apply to it."""
    role, action = situation.role, situation.action
    answers = Answers(Sample(role, action, [situation]), bearing(rules, role, action), rules.register)
    return answers.decision(0), tuple(row for row in answers.rows if answers.applies[row.id])


def whole(rules: RuleSet, role: Role, action: Action | None) -> tuple[Plane, Answers]:
    """Everything that these rules answer to a role and an action."""
    rows = bearing(rules, role, action)
    plane = Plane(role, action, asked(rows))
    return plane, Answers(plane, rows, rules.register)


def bearing(rules: RuleSet, role: Role, action: Action | None) -> tuple[Row, ...]:
    """The rows that can apply to a role and an action."""
    rows: tuple[Row, ...] = (*rules.rules, *rules.duties)
    return tuple(row for row in rows if rules.bears_on(row, role, action))


def asked(rows: Iterable[Row]) -> frozenset[Fact]:
    """The facts that rows ask about."""
    return frozenset[Fact]().union(*(row.condition.facts for row in rows))


def union(columns: Iterable[int]) -> int:
    """Where any of the columns holds."""
    found = 0
    for column in columns:
        found |= column
    return found


def _apart(one: Mapping[Key, int], other: Mapping[Key, int]) -> int:
    return union(one.get(key, 0) ^ other.get(key, 0) for key in {*one, *other})


def _at(place: int, columns: Mapping[Key, int]) -> tuple[Key, ...]:
    return tuple(key for key, column in columns.items() if column >> place & 1)


def _somewhere(columns: dict[Key, int]) -> dict[Key, int]:
    return {key: column for key, column in columns.items() if column}
