"""Why the answer is what it is: what matched, what nearly did, and what it would take to change it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.decisions import Decision
from models.facts import Case
from policy.engine import Engine
from policy.reasons import ALLOW, Reason
from policy.review.answers import answer, whole
from policy.review.diagrams import Diagram
from policy.review.evidence import Told, evidence_of
from policy.review.telling import PHRASES, Verb, listed, tell
from policy.ruleset import Duty, Row, Rule, RuleSet
from policy.situation import Situation
from policy.space import Dimension
from policy.words import ANY_RULE, NO_ACTION, Fact

_MOST = 10
"""So many of the smallest sets are told; the rest are counted."""

_BROUGHT = frozenset(
    {
        Fact.STRONG_AUTHENTICATION,
        Fact.PATIENT_PRESENT,
        Fact.REASONED,
        Fact.NORMAL,
        Fact.BREAK_GLASS,
        Fact.CENTRE_15,
        Fact.FOR_SELF,
    }
)
"""What whoever asks can bring with the question; all else the patient decides, or the document or its asker is."""


@dataclass(frozen=True)
class NearMiss:
    """A row that one thing kept from the situation: a literal of its condition, or else its who or its action."""

    row: Rule
    missing: str
    fact: Fact | None = None

    @property
    def words(self) -> str:
        """How the row would have applied."""
        would = "would give" if self.row.effect == ALLOW else "would refuse"
        if self.fact is None:
            return f"{would} to the role {self.row.who}" if self.missing == "who" else f"{would} {self.row.action}"
        phrase = PHRASES[self.fact]
        if self.fact in self.row.condition.required:
            return f"{would}, were it so: {phrase.so} ({self.fact})"
        return f"{would}, were it so: {phrase.not_so} (!{self.fact})"


@dataclass(frozen=True)
class Change:
    """Facts that together turn the answer; `implied` ones of the lost go by themselves when others come."""

    gained: tuple[Fact, ...]
    lost: tuple[Fact, ...]
    implied: frozenset[Fact]
    decision: Decision

    def exceeds(self, other: "Change") -> bool:
        """Whether the other one does with a part of it."""
        return set(other.signs) < set(self.signs)

    @property
    def signs(self) -> tuple[str, ...]:
        """Each fact with a plus where it comes and a minus where it goes."""
        return (*(f"+{fact}" for fact in self.gained), *(f"-{fact}" for fact in self.lost))

    @property
    def words(self) -> str:
        """What would have to be so, what an asker can bring first."""
        gained = [PHRASES[fact].so for fact in self.gained]
        lost = [PHRASES[fact].not_so for fact in self.lost if fact not in self.implied]
        return f"{listed([*gained, *lost])} ({' '.join(self.signs)})"


@dataclass(frozen=True)
class Explanation:
    """The answer to one situation, and everything about it."""

    rules: RuleSet
    situation: Situation
    decision: Decision
    matched: tuple[Rule, ...]
    duties: tuple[Duty, ...]
    nearly: tuple[NearMiss, ...]
    changes: tuple[Change, ...]
    evidence: tuple[Told, ...] = ()

    @property
    def passed(self) -> bool:
        """Whatever the answer is, it is explained."""
        return True

    @property
    def reason(self) -> Reason:
        """The sentence of the deciding rule."""
        return self.rules.register.reasons[self.decision.rule]

    def lines(self) -> Iterator[str]:
        allowed = self.decision.allowed
        yield f"{'yes' if allowed else 'no'}, by {self.decision.rule}: {self.reason.en}"
        yield f"  {tell(self.situation, Verb.MAY if allowed else Verb.MAY_NOT)}"
        yield f"  situation: {' '.join(self.situation.words())}"
        for duty in self.duties:
            yield f"  asks in return: {duty.name} ({_place(duty)} {duty.id})"
        if self.evidence:
            yield from _section("made from what is stored and stated")
            yield from (f"  {what}: {told}" for what, told in self.evidence)
        yield from _section("rules that matched, the deciding one first", self.matched)
        for rule in self.matched:
            yield f"  {'gives' if rule.effect == ALLOW else 'refuses'}: {_place(rule)}  {', '.join(rule.cells[:4])}"
        for title, by_fact in (("rules that one fact kept from it", True), ("rules of another role or action", False)):
            misses = [each for each in self.nearly if (each.fact is not None) is by_fact]
            yield from _section(title, misses)
            yield from (f"  {_place(each.row)}  {each.row.id} {each.words}" for each in misses)
        yield from self._lines_of_changes()

    def _lines_of_changes(self) -> Iterator[str]:
        verb = "close" if self.decision.allowed else "open"
        if not self.changes:
            yield from _section(f"nothing that can be so for this role and action would {verb} it")
            return
        size = "one fact" if _size(self.changes[0]) == 1 else f"{_size(self.changes[0])} facts"
        yield from _section(f"what would {verb} it: {size}, in {_ways(len(self.changes))}")
        for change in self.changes[:_MOST]:
            answer = "yes" if change.decision.allowed else "no"
            yield f"  {change.words}: {answer}, by {change.decision.rule}"
        if len(self.changes) > _MOST:
            yield f"  and {len(self.changes) - _MOST} more of the same size"

    def data(self) -> dict[str, Any]:
        return {
            "allowed": self.decision.allowed,
            "rule": self.decision.rule,
            "reason": {"fr": self.reason.fr, "en": self.reason.en},
            "obligations": [{"obligation": duty.name, **_data(duty)} for duty in self.duties],
            "situation": list(self.situation.words()),
            "told": tell(self.situation, Verb.MAY if self.decision.allowed else Verb.MAY_NOT),
            "evidence": [{"about": what, "told": told} for what, told in self.evidence],
            "matched": [_rule_data(rule) for rule in self.matched],
            "nearly": [
                {**_rule_data(each.row), "missing": each.missing, "fact": each.fact, "words": each.words}
                for each in self.nearly
            ],
            "changes": [
                {
                    "gain": list(change.gained),
                    "lose": list(change.lost),
                    "words": change.words,
                    "allowed": change.decision.allowed,
                    "rule": change.decision.rule,
                }
                for change in self.changes[:_MOST]
            ],
            "changes_in_all": len(self.changes),
            "revision": self.rules.revision,
        }


def explain(engine: Engine, situation: Situation) -> Explanation:
    """The explanation of a situation under the rules of an engine."""
    rules = engine.rules
    decision = engine.judge(situation)
    _, rows = answer(rules, situation)
    return Explanation(
        rules,
        situation,
        decision,
        tuple(sorted((row for row in rows if isinstance(row, Rule)), key=_precedence(rules))),
        tuple(row for row in rows if isinstance(row, Duty) and _is_attached(row, decision)),
        tuple(sorted(_near_misses(rules, situation), key=lambda each: _precedence(rules)(each.row))),
        _changes(engine, situation, decision),
    )


def explain_case(engine: Engine, case: Case) -> Explanation:
    """The same for a case, with what it holds."""
    return replace(explain(engine, engine.situation_of(case)), evidence=evidence_of(case))


def _is_attached(duty: Duty, decision: Decision) -> bool:
    return decision.allowed and duty.given_by in {ANY_RULE, decision.rule}


def _near_misses(rules: RuleSet, situation: Situation) -> Iterator[NearMiss]:
    for row in rules.rules:
        who, action = _concerns(rules, row, situation)
        unmet = _unmet(row, situation)
        if who and action and len(unmet) == 1 and rules.bears_on(row, situation.role, situation.action):
            yield NearMiss(row, "fact", unmet[0])
        elif not unmet and who != action:
            yield NearMiss(row, "action" if who else "who")


def _concerns(rules: RuleSet, row: Row, situation: Situation) -> tuple[bool, bool]:
    """Whether the row is about the role, and about the action."""
    action = NO_ACTION if situation.action is None else situation.action.value
    return rules.roles.includes(row.who, situation.role.value), rules.actions.includes(row.action, action)


def _unmet(row: Row, situation: Situation) -> list[Fact]:
    """The facts by which the condition fails."""
    facts = situation.facts
    wrong = (row.condition.required - facts) | (row.condition.forbidden & facts)
    return [fact for fact in Fact if fact in wrong]


def _changes(engine: Engine, situation: Situation, decision: Decision) -> tuple[Change, ...]:
    """Every smallest set of facts that turns the answer, those first of which an asker can bring most."""
    plane, answers = whole(engine.rules, situation.role, situation.action)
    other = plane.all ^ answers.allowed if decision.allowed else answers.allowed
    diagram = Diagram(plane)
    told = frozenset[Fact]().union(*(each.facts for each in plane.dimensions))
    facts = situation.facts

    def cost(some: frozenset[Fact], dimension: Dimension) -> int:
        here = facts & dimension.facts
        return len(some - here) + len(here - some - _implied(some, dimension))

    changes = []
    for nearest in diagram.all_nearest(diagram.of(other), cost):
        changed = (facts - told) | nearest
        after = engine.judge(Situation.of(situation.role, situation.action, changed))
        implied = frozenset[Fact]().union(*(_implied(nearest & each.facts, each) for each in plane.dimensions))
        lost = facts - changed
        changes.append(Change(_in_order(changed - facts), _in_order(lost), lost & implied, after))
    return tuple(sorted((each for each in changes if not any(map(each.exceeds, changes))), key=_ease))


def _implied(some: frozenset[Fact], dimension: Dimension) -> frozenset[Fact]:
    """The facts of the dimension that cannot be so beside these: they go when these come."""
    beside = (each for each in dimension.alternatives if each >= some)
    return dimension.facts.difference(*beside)


def _in_order(facts: frozenset[Fact]) -> tuple[Fact, ...]:
    """What an asker can bring first, then in the order of the vocabulary."""
    return tuple(sorted(facts, key=lambda fact: (fact not in _BROUGHT, fact.bit)))


def _ease(change: Change) -> tuple[int, list[int]]:
    facts = [*change.gained, *(fact for fact in change.lost if fact not in change.implied)]
    return sum(fact not in _BROUGHT for fact in facts), [fact.bit for fact in facts]


def _size(change: Change) -> int:
    return len(change.gained) + len(set(change.lost) - change.implied)


def _precedence(rules: RuleSet) -> Callable[[Row], tuple[int, str, int]]:
    places = rules.register.places
    return lambda row: (places[row.name], row.file.name, row.line)


def _section(title: str, found: Sequence[object] = (0,)) -> Iterator[str]:
    yield ""
    yield title if found else f"{title}: none"


def _ways(count: int) -> str:
    return "one way" if count == 1 else f"{count} ways"


def _place(row: Row) -> str:
    return f"{row.file.parent.name}/{row.file.name}:{row.line}"


def _data(row: Row) -> dict[str, Any]:
    return {
        "row": row.id,
        "file": f"{row.file.parent.name}/{row.file.name}",
        "line": row.line,
        "who": row.who,
        "action": row.action,
        "condition": row.condition.text,
    }


def _rule_data(rule: Rule) -> dict[str, Any]:
    return {"rule": rule.name, "effect": rule.effect, **_data(rule)}
