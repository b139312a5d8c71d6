"""The judge: Casbin decides each situation once, and the decision is remembered as long as the engine lives.

An engine never changes: new rules make a new engine beside it. This is the only module that meets Casbin.

Casbin's verdict alone is not enough, because the answer names every rule that applies. So an effector that never stops
early makes it look at all rows, the matcher's last function notes the rows that match, and the verdict worked out from
these must be Casbin's own; otherwise nothing is given.
"""

import logging
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from threading import Lock
from typing import Any

import casbin
import structlog
from casbin.effect.default_effectors import AllowAndDenyEffector
from casbin.effect.effector import Effector

from models.decisions import NOT_PERMITTED, Decision
from models.facts import Case, Document
from models.vocabulary import Action, Obligation
from policy.errors import EvaluationError
from policy.loader import PACKAGED, load
from policy.reasons import ALLOW, CANNOT_JUDGE, Register
from policy.ruleset import Row, RuleSet
from policy.situation import Situation, scope_of, situation_of, situations_of
from policy.space import dimensions, is_consistent
from policy.words import NO_ACTION, Fact, Role

_logger = structlog.get_logger(__name__)

_FACT_BITS = len(Fact)
_MOST_REMEMBERED = 1_000_000
_OBLIGATION_CONTEXT = casbin.core_enforcer.EnforceContext("r2", "p2", "e", "m2")

_casbin_alone = Lock()
"""Casbin parses its matcher at each call and keeps state meanwhile: one thread at a time, whatever the engine."""

_silence = logging.Logger("silence", level=logging.CRITICAL + 1)  # noqa: LOG001  # one that getLogger cannot reach
"""Casbin logs denied requests with their arguments; a logger that no configuration can reach keeps it from that."""


class _Notes:
    """A situation on its way through Casbin, and the rows that matched it."""

    __slots__ = ("bits", "matched")

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.matched: list[str] = []


class _WholeEffector(AllowAndDenyEffector):  # type: ignore[misc]  # casbin is published without types
    """Allow and not deny, after a look at every row."""

    def intermediate_effect(self, _effects: Any) -> int:
        return int(Effector.INDETERMINATE)


class Engine:
    """An immutable rule set that answers. Safe to use from any number of threads."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.revision = rules.revision
        self._decisions: dict[int, Decision] = {}
        bearing = _bearing(rules)
        self._masks = {scope_of(role, action): _mask(rows) for (role, action), rows in bearing.items()}
        self._effects = {rule.id: rule.effect for rule in rules.rules}
        self._names = {row.id: row.name for row in (*rules.rules, *rules.duties)}
        self._enforcers = _enforcers(rules, bearing)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Engine":
        """The engine of a policy folder, the packaged one by default. Raises PolicyFileError."""
        return cls(load(PACKAGED if folder is None else folder))

    @property
    def register(self) -> Register:
        """Every rule in order of precedence, with its sentences."""
        return self.rules.register

    def situation_of(self, case: Case) -> Situation:
        """The situation that a case is, by the habilitation matrix of these rules."""
        return situation_of(case, self.rules.habilitations)

    def situations_of(self, case: Case, documents: Sequence[Document]) -> list[Situation]:
        """The situations that a case is about each of these documents."""
        return situations_of(case, documents, self.rules.habilitations)

    def judge(self, situation: Situation) -> Decision:
        """The decision, the same for ever; what cannot be judged is denied by `cannot-judge` and logged."""
        code = situation.code
        try:
            return self._decisions[code & self._masks[code >> _FACT_BITS]]
        except LookupError:
            return self._judge_anew(situation)

    def _judge_anew(self, situation: Situation) -> Decision:
        try:
            if not is_consistent(situation.role, situation.action, situation.bits):
                raise EvaluationError("there is no such situation")
            decision = self._ask_casbin(situation)
        except Exception:  # whatever happens in a judge, nothing may be opened by it
            _logger.exception("situation_not_judged", situation=situation.code)
            return Decision(allowed=False, rule=CANNOT_JUDGE)
        if len(self._decisions) < _MOST_REMEMBERED:
            self._decisions[situation.code & self._masks[situation.scope]] = decision
        return decision

    def _ask_casbin(self, situation: Situation) -> Decision:
        role, action = situation.role, situation.action
        word = NO_ACTION if action is None else action.value
        enforcer = self._enforcers[action]
        notes = _Notes(situation.bits)
        with _casbin_alone:
            verdict = enforcer.enforce(role.value, word, notes)
        refused_by = self._rules(notes, ALLOW.__ne__)
        allowed_by = self._rules(notes, ALLOW.__eq__)
        allowed = bool(allowed_by) and not refused_by
        if verdict is not allowed:
            raise EvaluationError("Casbin's verdict is not that of the rows that it matched")
        if not allowed:
            return Decision(False, (*refused_by, NOT_PERMITTED)[0], refused_by, allowed_by)
        duties = _Notes(situation.bits)
        with _casbin_alone:
            enforcer.enforce(_OBLIGATION_CONTEXT, role.value, word, duties, allowed_by[0])
        attached = {self._names[row] for row in duties.matched}
        obligations = tuple(each for each in Obligation if each in attached)
        return Decision(True, allowed_by[0], refused_by, allowed_by, obligations)

    def _rules(self, notes: _Notes, has_effect: Callable[[str], bool]) -> tuple[str, ...]:
        """The rules of one effect among the matched rows, in order of precedence."""
        return self.register.in_order({self._names[row] for row in notes.matched if has_effect(self._effects[row])})


_Bearing = dict[tuple[Role, Action | None], tuple[Row, ...]]


def _bearing(rules: RuleSet) -> _Bearing:
    """For each role and action that meet, the rows that can apply to them."""
    rows: tuple[Row, ...] = (*rules.rules, *rules.duties)
    return {
        (role, action): tuple(row for row in rows if rules.bears_on(row, role, action))
        for role in Role
        for action in (None, *Action)
        if dimensions(role, action)
    }


def _mask(rows: tuple[Row, ...]) -> int:
    """The bits of a situation that decide: facts for which no row asks count for nothing."""
    return reduce(or_, (row.condition.needs | row.condition.bars for row in rows), -1 << _FACT_BITS)


def _enforcers(rules: RuleSet, bearing: _Bearing) -> dict[Action | None, Any]:
    """Casbin for each action with the rows that can apply to it, handed over in memory."""
    conditions = {row.id: row.condition for row in (*rules.rules, *rules.duties)}

    def holds(notes: _Notes, row: str, _condition: str) -> bool:
        if not conditions[row].is_met(notes.bits):
            return False
        notes.matched.append(row)
        return True

    def enforcer(action: Action | None) -> Any:
        rows = {row.id for (_, what), some in bearing.items() if what is action for row in some}
        model = casbin.Enforcer.new_model(text=rules.model)
        model["p"]["p"].policy = [list(row.cells) for row in rules.rules if row.id in rows]
        model["p"]["p2"].policy = [list(row.cells) for row in rules.duties if row.id in rows]
        model["g"]["g"].policy = [list(edge) for edge in rules.roles.edges]
        model["g"]["g2"].policy = [list(edge) for edge in rules.actions.edges]
        made = casbin.Enforcer(model)
        made.logger = _silence
        made.set_effector(_WholeEffector())
        made.build_role_links()
        made.add_function("holds", holds)
        return made

    enforcers = {}
    for action in (None, *Action):
        with _casbin_alone:  # one at a time, so that an engine in service does not wait for a whole new one
            enforcers[action] = enforcer(action)
    return enforcers
