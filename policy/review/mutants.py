"""Every small change of one row, as the rule set that it makes for a role and an action."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property

from models.vocabulary import Action
from policy.conditions import Condition
from policy.reasons import ALLOW, DENY
from policy.review.planes import MEETINGS
from policy.ruleset import Duty, Row, Rule, RuleSet
from policy.space import can_hold
from policy.words import ACTION_WORDS, ANY_RULE, NO_ACTION, Fact, Role

Meeting = tuple[Role, Action | None]

_PLACES = {meeting: place for place, meeting in enumerate(MEETINGS)}


class Kind(StrEnum):
    """What is changed."""

    ROW = "row removed"
    DROPPED = "literal dropped"
    NEGATED = "literal negated"
    EFFECT = "effect flipped"
    GIVEN_BY = "permission exchanged"
    ROLE = "role added or removed"
    WHO = "another who"
    ACTION = "action added or removed"
    WHAT = "another action cell"


@dataclass(frozen=True)
class Bearing:
    """A row with the roles and the actions that it bears on; none of it is there where a row is removed."""

    row: Row
    roles: frozenset[Role]
    actions: frozenset[Action | None]

    @cached_property
    def meetings(self) -> frozenset[Meeting]:
        """Where it can apply."""
        possible = _possible(self.row.condition)
        return frozenset(each for each in possible if each[0] in self.roles and each[1] in self.actions)


@cache
def _possible(condition: Condition) -> tuple[Meeting, ...]:
    """Where a condition can be met."""
    return tuple(meeting for meeting in MEETINGS if can_hold(*meeting, condition.needs, condition.bars))


@dataclass(frozen=True)
class Mutant:
    """One change of a row: what it is, in words, and the row as it was and as it would be."""

    kind: Kind
    change: str
    before: Bearing
    after: Bearing

    @property
    def row(self) -> Row:
        return self.before.row

    @cached_property
    def meetings(self) -> tuple[Meeting, ...]:
        """Where an answer may change: where the row bears only before or only after, or differently."""
        if self.row == self.after.row:
            changed = self.before.meetings ^ self.after.meetings
        else:
            changed = self.before.meetings | self.after.meetings
        return tuple(sorted(changed, key=_PLACES.__getitem__))

    def rows(self, rows: Iterable[Row], meeting: Meeting) -> tuple[Row, ...]:
        """The rows that bear on a role and an action, with the change."""
        others = tuple(row for row in rows if row is not self.row)
        return (*others, self.after.row) if meeting in self.after.meetings else others


def bearings(rules: RuleSet) -> tuple[Bearing, ...]:
    """All rows, with what they bear on."""
    rows: tuple[Row, ...] = (*rules.rules, *rules.duties)
    return tuple(Bearing(row, _roles(rules, row.who), _actions(rules, row.action)) for row in rows)


def removed(bearing: Bearing) -> Mutant:
    """Without the row."""
    return Mutant(Kind.ROW, "without the row", bearing, replace(bearing, roles=frozenset()))


def dropped(bearing: Bearing) -> Iterator[tuple[str, Mutant]]:
    """Without one literal, each with its literal."""
    condition = bearing.row.condition
    for fact in _in_order(condition.facts):
        fewer = Condition(condition.required - {fact}, condition.forbidden - {fact})
        literal = _literal(condition, fact)
        yield literal, Mutant(Kind.DROPPED, f"without {literal}", bearing, _when(bearing, fewer))


def mutants(rules: RuleSet) -> Iterator[Mutant]:
    """Every one of the changes that this page knows, of every row, but the removal of whole rows."""
    giving = [rule for rule, reason in rules.register.reasons.items() if reason.effect == ALLOW]
    whos = {word: _roles(rules, word) for word in (*Role, *rules.roles.members)}
    whats = {word: _actions(rules, word) for word in (*ACTION_WORDS, *rules.actions.members)}
    for bearing in bearings(rules):
        yield from (mutant for _, mutant in dropped(bearing))
        yield from _negated(bearing)
        yield from _flipped(bearing)
        yield from _given_by(bearing, (ANY_RULE, *giving))
        yield from _roles_turned(bearing)
        yield from _for_others(bearing, whos)
        yield from _actions_turned(bearing)
        yield from _for_other_actions(bearing, whats)


def _negated(bearing: Bearing) -> Iterator[Mutant]:
    condition = bearing.row.condition
    for fact in _in_order(condition.facts):
        turned = Condition(condition.required ^ {fact}, condition.forbidden ^ {fact})
        change = f"{_literal(turned, fact)} instead of {_literal(condition, fact)}"
        yield Mutant(Kind.NEGATED, change, bearing, _when(bearing, turned))


def _flipped(bearing: Bearing) -> Iterator[Mutant]:
    if isinstance(bearing.row, Rule):
        effect = DENY if bearing.row.effect == ALLOW else ALLOW
        change = f"{effect} instead of {bearing.row.effect}"
        yield Mutant(Kind.EFFECT, change, bearing, replace(bearing, row=replace(bearing.row, effect=effect)))


def _given_by(bearing: Bearing, rules: Iterable[str]) -> Iterator[Mutant]:
    if isinstance(bearing.row, Duty):
        for rule in rules:
            if rule != bearing.row.given_by:
                change = f"{rule} instead of {bearing.row.given_by}"
                yield Mutant(Kind.GIVEN_BY, change, bearing, replace(bearing, row=replace(bearing.row, given_by=rule)))


def _roles_turned(bearing: Bearing) -> Iterator[Mutant]:
    for role in Role:
        change = f"{'without' if role in bearing.roles else 'with'} {role}"
        yield Mutant(Kind.ROLE, change, bearing, replace(bearing, roles=bearing.roles ^ {role}))


def _for_others(bearing: Bearing, words: Mapping[str, frozenset[Role]]) -> Iterator[Mutant]:
    for word, roles in words.items():
        if word != bearing.row.who:
            yield Mutant(Kind.WHO, f"{word} instead of {bearing.row.who}", bearing, replace(bearing, roles=roles))


def _actions_turned(bearing: Bearing) -> Iterator[Mutant]:
    for word in ACTION_WORDS:
        action = _action(word)
        change = f"{'without' if action in bearing.actions else 'with'} {word}"
        yield Mutant(Kind.ACTION, change, bearing, replace(bearing, actions=bearing.actions ^ {action}))


def _for_other_actions(bearing: Bearing, words: Mapping[str, frozenset[Action | None]]) -> Iterator[Mutant]:
    for word, actions in words.items():
        if word != bearing.row.action:
            change = f"{word} instead of {bearing.row.action}"
            yield Mutant(Kind.WHAT, change, bearing, replace(bearing, actions=actions))


def _roles(rules: RuleSet, word: str) -> frozenset[Role]:
    return frozenset(role for role in Role if rules.roles.includes(word, role.value))


def _actions(rules: RuleSet, word: str) -> frozenset[Action | None]:
    return frozenset(_action(each) for each in ACTION_WORDS if rules.actions.includes(word, each))


def _when(bearing: Bearing, condition: Condition) -> Bearing:
    return replace(bearing, row=replace(bearing.row, condition=condition))


def _action(word: str) -> Action | None:
    return None if word == NO_ACTION else Action(word)


def _literal(condition: Condition, fact: Fact) -> str:
    return f"!{fact}" if fact in condition.forbidden else fact.value


def _in_order(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: fact.bit)
