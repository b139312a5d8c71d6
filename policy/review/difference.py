"""The difference of two rule sets as people and machines read it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from models.decisions import Decision
from models.vocabulary import Action
from policy.conditions import Condition
from policy.review.replay import Changes
from policy.review.telling import Verb, tell, tell_actions, tell_who
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.words import NO_ACTION, Role

OPENED, CLOSED, RENAMED, OBLIGED, RELEASED = "opened", "closed", "decided otherwise", "now owed", "no longer owed"
_KINDS = (OPENED, CLOSED, RENAMED, OBLIGED, RELEASED)
_VERBS = {OPENED: Verb.NOW, CLOSED: Verb.NO_LONGER}


@dataclass(frozen=True)
class Kind:
    """How an answer changes: `before` and `after` are the deciding rules, or `after` alone the obligation."""

    what: str
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """As the report's headings say it."""
        if self.before:
            return f"{self.what}: {self.after} (before: {self.before})"
        return f"{self.what}: {self.after}" if self.after else self.what


@dataclass(frozen=True)
class Change:
    """One condition under which answers change, for these roles and actions, and an example of it."""

    kind: Kind
    roles: frozenset[Role]
    actions: frozenset[Action | None]
    condition: Condition
    example: Situation
    before: Decision
    after: Decision


@dataclass(frozen=True)
class Opening:
    """Document types that the matrix opens to a profession, or no longer does."""

    what: str
    profession: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """All that changes (`policy.review.report.Report`); it passes if nothing does.

    `situations` counts those of each kind of change, by its text. Conditions of one kind may overlap. `accesses` counts
    recorded decisions, where a journal was at hand.
    """

    old: RuleSet = field(repr=False)
    new: RuleSet = field(repr=False)
    changes: tuple[Change, ...]
    situations: dict[str, int]
    matrix: tuple[Opening, ...]
    accesses: Changes | None = None

    @property
    def passed(self) -> bool:
        return not self.changes and not self.matrix

    def lines(self) -> Iterator[str]:
        yield f"from {self.old.revision}"
        yield f"to   {self.new.revision}"
        yield ""
        for kind, changes in _by_kind(self.changes).items():
            shared = _shared([change.condition for change in changes])
            where = f", all of them {shared.text}" if shared.facts else ""
            yield f"{kind.text}: {self.situations[kind.text]:,} situations{where}"
            for change in changes:
                yield from self._told(change, shared)
            yield ""
        for opening in self.matrix:
            yield f"{opening.what} by the matrix to {opening.profession}: {' '.join(opening.types)}"
        yield self._summary()
        if self.accesses is not None:
            yield str(self.accesses)

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "old": self.old.revision,
            "new": self.new.revision,
            "situations": self.situations,
            "changes": [_data(change) for change in self.changes],
            "matrix": [
                {"kind": opening.what, "profession": opening.profession, "types": list(opening.types)}
                for opening in self.matrix
            ],
            "accesses": None if self.accesses is None else asdict(self.accesses),
        }

    def _told(self, change: Change, shared: Condition) -> Iterator[str]:
        own = Condition(change.condition.required - shared.required, change.condition.forbidden - shared.forbidden)
        who, what = tell_who(change.roles, self.new), tell_actions(change.actions, self.new)
        yield f"    {who}, {what}{f', {own.text}' if own.facts else ''}"
        yield f"        e.g. {tell(change.example, _VERBS.get(change.kind.what, Verb.DOES))}:"
        yield f"        {_said(change.after)}; before: {_said(change.before)}"

    def _summary(self) -> str:
        if self.passed:
            return "no answer changes"
        opened, closed = self.situations.get(OPENED, 0), self.situations.get(CLOSED, 0)
        return f"{opened:,} situations opened, {closed:,} closed; {len(self.changes)} conditions"


def _by_kind(changes: Sequence[Change]) -> dict[Kind, list[Change]]:
    """The changes under their headings, what opens first."""
    found: dict[Kind, list[Change]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: _KINDS.index(change.kind.what)):
        found[change.kind].append(change)
    return found


def _shared(conditions: Sequence[Condition]) -> Condition:
    """What several conditions have in common; nothing if there is one only, which is told as it is."""
    if len(conditions) == 1:
        return Condition(frozenset(), frozenset())
    required = frozenset.intersection(*(condition.required for condition in conditions))
    return Condition(required, frozenset.intersection(*(condition.forbidden for condition in conditions)))


def _said(decision: Decision) -> str:
    owed = f" ({' '.join(decision.obligations)})" if decision.obligations else ""
    return f"{'yes' if decision.allowed else 'no'} by {decision.rule}{owed}"


def _data(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.what,
        "before": change.kind.before,
        "after": change.kind.after,
        "roles": [role.value for role in Role if role in change.roles],
        "actions": [
            NO_ACTION if action is None else action.value for action in (*Action, None) if action in change.actions
        ],
        "condition": change.condition.text,
        "example": list(change.example.words()),
        "told": tell(change.example),
        "answer_before": _answer(change.before),
        "answer_after": _answer(change.after),
    }


def _answer(decision: Decision) -> dict[str, Any]:
    return {"allowed": decision.allowed, "rule": decision.rule, "obligations": list(decision.obligations)}
