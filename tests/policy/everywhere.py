"""Every situation at once: the rules worked out over the whole space, without Casbin.

For a role and an action, situations are numbered, and a column is an integer that has one bit for each of them: where a
fact holds, where a rule applies, where the answer is yes. Laws are then a few operations on integers, however many
millions of situations there are.
"""

from math import prod

from models.decisions import NOT_PERMITTED
from models.vocabulary import Action, Obligation
from policy.conditions import Condition
from policy.reasons import ALLOW, DENY
from policy.ruleset import Row, Rule, RuleSet
from policy.situation import Situation
from policy.space import dimensions
from policy.words import ANY_RULE, Fact, Role

MEETINGS = tuple((role, action) for role in Role for action in (None, *Action) if dimensions(role, action))
"""Every role with every action that it can ask for."""


class Plane:
    """All situations of one role and one action, as far as the facts that its rows ask for can tell them apart."""

    def __init__(self, rules: RuleSet, role: Role, action: Action | None) -> None:
        self.rules = rules
        self.role = role
        self.action = action
        self.rows: tuple[Row, ...] = tuple(
            row for row in (*rules.rules, *rules.duties) if rules.bears_on(row, role, action)
        )
        self.asked = frozenset[Fact]().union(*(row.condition.required | row.condition.forbidden for row in self.rows))
        self.dimensions = [
            tuple(dict.fromkeys(some & self.asked for some in dimension.alternatives))
            for dimension in dimensions(role, action)
            if dimension.facts & self.asked
        ]
        self.size = prod(map(len, self.dimensions))
        self.all = (1 << self.size) - 1
        self.columns = dict.fromkeys(Fact, 0)
        stride = 1
        self._strides = []
        for alternatives in self.dimensions:
            self._strides.append(stride)
            for place, some in enumerate(alternatives):
                column = self._column(alternatives, stride, place)
                for fact in some:
                    self.columns[fact] |= column
            stride *= len(alternatives)

    def where(self, condition: Condition) -> int:
        """Where the condition is met."""
        column = self.all
        for fact in condition.required:
            column &= self.columns[fact]
        for fact in condition.forbidden:
            column &= ~self.columns[fact]
        return column

    def by_rule(self, effect: str, without: Row | None = None) -> dict[str, int]:
        """Where each rule of one effect applies, in order of precedence; one row may be left out."""
        found: dict[str, int] = {}
        for row in self.rows:
            if isinstance(row, Rule) and row.effect == effect and row is not without:
                found[row.name] = found.get(row.name, 0) | self.where(row.condition)
        return {rule: found[rule] for rule in self.rules.register.in_order(set(found))}

    def allowed(self) -> int:
        """Where the answer is yes."""
        return _any(self.by_rule(ALLOW)) & ~_any(self.by_rule(DENY)) & self.all

    def deciding(self, without: Row | None = None) -> dict[str, int]:
        """Where each rule decides."""
        rest, found = self.all, {}
        for rule, column in (*self.by_rule(DENY, without).items(), *self.by_rule(ALLOW, without).items()):
            found[rule] = column & rest
            rest &= ~column
        found[NOT_PERMITTED] = rest
        return found

    def obliged(self, without: Row | None = None) -> dict[Obligation, int]:
        """Where each obligation is attached."""
        deciding = self.deciding()
        allowed = self.allowed()
        found = dict.fromkeys(Obligation, 0)
        for duty in self.rules.duties:
            if duty in self.rows and duty is not without:
                given = allowed if duty.given_by == ANY_RULE else deciding.get(duty.given_by, 0) & allowed
                found[duty.obligation] |= self.where(duty.condition) & given
        return found

    def opened_by(self, fact: Fact) -> int:
        """Where the answer is yes with the fact and no without it, all else being equal."""
        return self._turned(fact, self.allowed(), self.all & ~self.allowed())

    def closed_by(self, fact: Fact) -> int:
        """Where the answer is no with the fact and yes without it, all else being equal."""
        return self._turned(fact, self.all & ~self.allowed(), self.allowed())

    def _turned(self, fact: Fact, here: int, there: int) -> int:
        """Where `here` holds with the fact, and `there` in the same situation but for the fact."""
        found = 0
        for alternatives, stride in zip(self.dimensions, self._strides, strict=True):
            for place, some in enumerate(alternatives):
                if fact in some and some - {fact} in alternatives:
                    shift = (alternatives.index(some - {fact}) - place) * stride
                    moved = there >> shift if shift > 0 else there << -shift
                    found |= here & moved & self._column(alternatives, stride, place)
        return found

    def _column(self, alternatives: tuple[frozenset[Fact], ...], stride: int, place: int) -> int:
        """Where a dimension has the alternative of this place."""
        width = stride * len(alternatives)
        return _repeat(((1 << stride) - 1) << place * stride, width, self.size // width)

    def situation(self, number: int) -> Situation:
        """The situation of a bit."""
        facts = frozenset[Fact]()
        for alternatives in self.dimensions:
            number, place = divmod(number, len(alternatives))
            facts |= alternatives[place]
        return Situation.of(self.role, self.action, facts | self._untold(facts))

    def _untold(self, facts: frozenset[Fact]) -> frozenset[Fact]:
        """Facts that no row asks for and without which there is no such situation."""
        added = frozenset[Fact]()
        for dimension in dimensions(self.role, self.action):
            told = facts & dimension.facts
            added |= next(some for some in dimension.alternatives if some & self.asked == told) - told
        return added

    def first(self, column: int) -> str:
        """The first situation of a column, in words; empty where there is none."""
        if not column:
            return ""
        return " ".join(self.situation((column & -column).bit_length() - 1).words())


def planes(rules: RuleSet) -> tuple[Plane, ...]:
    """The whole space, one role and one action after the other."""
    return tuple(Plane(rules, role, action) for role, action in MEETINGS)


def _any(columns: dict[str, int]) -> int:
    union = 0
    for column in columns.values():
        union |= column
    return union


def _repeat(pattern: int, width: int, times: int) -> int:
    """The pattern, that many times beside itself."""
    if times == 1:
        return pattern
    half = _repeat(pattern, width, times // 2)
    whole = half | half << width * (times // 2)
    return whole if times % 2 == 0 else whole | pattern << width * (times - 1)
