"""Whether rows, literals of their conditions and members of groups weigh anything, in any situation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.decisions import NOT_PERMITTED
from models.vocabulary import Action
from policy.conditions import Condition
from policy.reasons import ALLOW
from policy.review.answers import Answers, asked, union
from policy.review.planes import MEETINGS, Plane
from policy.ruleset import Duty, Row, Rule, RuleSet
from policy.space import can_hold
from policy.words import ANY_RULE, NO_ACTION, Fact, Role


@dataclass(frozen=True)
class Region:
    """Every situation of a role and an action, answered.

    `rows` are all that name them, also those whose condition no such situation meets: without one of its literals it
    might.
    """

    rules: RuleSet
    role: Role
    action: Action | None
    rows: tuple[Row, ...]
    answers: Answers

    @cached_property
    def told(self) -> dict[str, int]:
        """Where each rule applies, whether it decides or not: what answers name."""
        return _somewhere({**self.answers.refusing, **self.answers.giving})

    @cached_property
    def _alike(self) -> Mapping[str, Sequence[Row]]:
        """The rows of each rule and of each obligation."""
        found = defaultdict[str, list[Row]](list)
        for row in self.rows:
            found[row.name].append(row)
        return found

    def reach(self, row: Row) -> int:
        """Where a row counts: it applies, and its rule decides or its obligation is attached."""
        return self.where([row]) & self._counts(row)

    def weight(self, row: Row) -> int:
        """Where something would change without the row."""
        own = self.reach(row)
        return own & ~union(self.reach(other) for other in self._alike[row.name] if other.id != row.id) if own else 0

    def where(self, rows: Iterable[Row]) -> int:
        """Where one of the rows applies."""
        return union(self.answers.applies.get(row.id, 0) for row in rows)

    def wanted(self, rows: Sequence[Row]) -> int:
        """Where rows of one rule or obligation would count if no other row of its kind did."""
        if isinstance(rows[0], Rule):
            refused = union(self.answers.refusing.values()) if rows[0].effect == ALLOW else 0
            return self.where(rows) & ~refused
        return union(map(self.reach, rows))

    def instead(self, rows: Sequence[Row]) -> dict[str, int]:
        """Where rules that precede, and other rows of the same rule or obligation, count instead of these rows."""
        first = rows[0]
        others = [other for other in self._alike.get(first.name, ()) if other not in rows]
        if not isinstance(first, Rule):
            return {other.id: self.reach(other) for other in others}
        places = self.rules.register.places
        alike = self.answers.giving if first.effect == ALLOW else self.answers.refusing
        before = {rule: column for rule, column in alike.items() if places[rule] < places[first.name]}
        return before | {other.id: self.where([other]) for other in others}

    def gained(self, row: Row, condition: Condition) -> tuple[int, int]:
        """Where answers would change under a wider condition, and where answers would name the row's rule besides."""
        if not can_hold(self.role, self.action, condition.needs, condition.bars):
            return 0, 0
        wider = self.answers.situations.where(condition)
        if isinstance(row, Rule):
            return wider & ~self._settled(row), wider & ~self.told.get(row.name, 0)
        already = union(map(self.reach, self._alike[row.name]))
        changed = wider & self._counts(row) & ~already
        return changed, changed

    def without(self, gone: Collection[str]) -> "Region":
        """The same situations, answered without some rows, which are given by their ids."""
        kept = tuple(row for row in self.answers.rows if row.id not in gone)
        answers = Answers(self.answers.situations, kept, self.rules.register)
        return Region(self.rules, self.role, self.action, kept, answers)

    def _counts(self, row: Row) -> int:
        decided = self.answers.decided
        if isinstance(row, Rule):
            return decided.get((row.effect == ALLOW, row.name), 0)
        if isinstance(row, Duty) and row.given_by != ANY_RULE:
            return decided.get((True, row.given_by), 0)
        return self.answers.allowed

    def _settled(self, row: Rule) -> int:
        """Where the row's rule decides, or one that precedes it."""
        places = self.rules.register.places
        own = (row.effect == ALLOW, places[row.name])
        return union(
            column
            for (allowed, rule), column in self.answers.decided.items()
            if rule != NOT_PERMITTED and (allowed, places[rule]) <= own
        )


def regions(rules: RuleSet) -> tuple[Region, ...]:
    """The whole space, one role and one action after the other."""
    return tuple(_region(rules, role, action) for role, action in MEETINGS)


def _region(rules: RuleSet, role: Role, action: Action | None) -> Region:
    word = NO_ACTION if action is None else action.value
    rows: tuple[Row, ...] = tuple(
        row
        for row in (*rules.rules, *rules.duties)
        if rules.roles.includes(row.who, role.value) and rules.actions.includes(row.action, word)
    )
    plane = Plane(role, action, asked(rows))
    applying = (row for row in rows if can_hold(role, action, row.condition.needs, row.condition.bars))
    return Region(rules, role, action, rows, Answers(plane, applying, rules.register))


def without_fact(condition: Condition, fact: Fact) -> Condition:
    """The condition without one of its literals."""
    return Condition(condition.required - {fact}, condition.forbidden - {fact})


def _somewhere(columns: Mapping[str, int]) -> dict[str, int]:
    return {key: column for key, column in columns.items() if column}
