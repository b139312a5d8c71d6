"""What the law sees of a case: a kind of subject, an action and facts, without names or dates.

`situation_of` turns a case into its situation; it is pure, so the same case gives the same situation for ever.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from models import reference
from models.facts import Case, Document, Dossier, Organization, Person, Professional, Staff, Subject
from models.vocabulary import (
    ACTIONS_ON,
    Action,
    DossierState,
    Mode,
    ProfessionKind,
    ResourceType,
)
from policy.documents import DOCUMENT_BITS, deposit_facts, document_facts
from policy.errors import SituationError
from policy.habilitations import Habilitations
from policy.space import is_consistent
from policy.ties import person_ties, professional_ties
from policy.words import FACTS, NO_ACTION, ORGANIZATION_ROLES, STAFF_ROLES, Fact, Role

_SHORTEST_REASON = 10

_FACT_BITS = len(Fact)
_ACTION_BITS = 6
_ROLES = tuple(Role)
_ACTIONS: tuple[Action | None, ...] = (None, *Action)
_FACTS = tuple(Fact)
_BASE = {
    (role, action): (which << _ACTION_BITS | what) << _FACT_BITS
    for which, role in enumerate(_ROLES)
    for what, action in enumerate(_ACTIONS)
}

_KNOWN_ACTIONS = {
    (kind.value, action.value): action for kind, actions in ACTIONS_ON.items() for action in sorted(actions)
}
_MODES = {mode.value: mode for mode in Mode}
_MOST_TOLD = 65_536
_STATES = {
    DossierState.NONE: Fact.NO_DOSSIER.bit,
    DossierState.OPEN: 0,
    DossierState.CLOSED: Fact.CLOSED.bit,
    DossierState.SUSPENDED: Fact.SUSPENDED.bit,
}

# Of every question judged: a member of an Enum is slow to reach.
_DOCUMENT, _MESSAGE, _DEPOSIT = ResourceType.DOCUMENT.value, ResourceType.MESSAGE.value, Action.DOCUMENT_DEPOSIT
_UNKNOWN, _PERSON, _NO_DOSSIER = Role.UNKNOWN, Role.PERSON, DossierState.NONE
_NORMAL, _IS_NORMAL = Mode.NORMAL, Fact.NORMAL.bit

PROFESSION_ROLES = {
    key: Role.SOCIAL_PROFESSIONAL if profession.kind is ProfessionKind.SOCIAL else Role.OTHER_HEALTH_PROFESSIONAL
    for key, profession in reference.PROFESSIONS.items()
} | {"physician": Role.PHYSICIAN}


class Situation(Struct, frozen=True):
    """Who (what kind of subject) asks for what, and what is so: all that rules may look at.

    All of it is packed in one number, `code`, by which decisions are remembered: from the lowest bit, one bit for
    each fact, then the action, then the role. Numbers mean nothing from one version of the vocabulary to the next:
    what is kept is kept in words.
    """

    code: int

    @classmethod
    def of(cls, role: Role, action: Action | None, facts: Iterable[Fact]) -> "Situation":
        """The situation of these facts. Raises SituationError where they cannot hold together."""
        situation = cls(_BASE[role, action] | sum(fact.bit for fact in frozenset(facts)))
        if not is_consistent(role, action, situation.bits):
            msg = f"there is no such situation: {' '.join(situation.words())}"
            raise SituationError(msg)
        return situation

    @property
    def role(self) -> Role:
        return _ROLES[self.code >> _FACT_BITS + _ACTION_BITS]

    @property
    def action(self) -> Action | None:
        """What is asked, or None when the question cannot be put."""
        return _ACTIONS[self.code >> _FACT_BITS & (1 << _ACTION_BITS) - 1]

    @property
    def facts(self) -> frozenset[Fact]:
        return frozenset(fact for fact in _FACTS if self.code & fact.bit)

    @property
    def bits(self) -> int:
        """The facts, as the sum of their bits."""
        return self.code & (1 << _FACT_BITS) - 1

    @property
    def scope(self) -> int:
        """Role and action, as a small number; `scope_of` gives the same."""
        return self.code >> _FACT_BITS

    def words(self) -> tuple[str, ...]:
        """Role, action (or `none`) and facts in the order of the vocabulary; `from_words` reads them back."""
        return _words(self)

    @classmethod
    def from_words(cls, words: Iterable[str]) -> "Situation":
        """The situation of a role, an action and facts in any order. Raises SituationError on anything else."""
        given = tuple(words)
        try:
            role, action = Role(given[0]), None if given[1] == NO_ACTION else Action(given[1])
            facts = tuple(FACTS[word] for word in given[2:])
        except (LookupError, ValueError):
            msg = f"not a role, an action and facts: {' '.join(given)}"
            raise SituationError(msg) from None
        if len(set(facts)) < len(facts):
            msg = f"a fact is told twice: {' '.join(given)}"
            raise SituationError(msg)
        return cls.of(role, action, facts)


@lru_cache(maxsize=_MOST_TOLD)
def _words(situation: Situation) -> tuple[str, ...]:
    action = situation.action
    told = (fact.value for fact in _FACTS if situation.code & fact.bit)
    return (situation.role.value, NO_ACTION if action is None else action.value, *told)


def scope_of(role: Role, action: Action | None) -> int:
    """The number that `Situation.scope` has for this role and action."""
    return _BASE[role, action] >> _FACT_BITS


def situation_of(case: Case, habilitations: Habilitations) -> Situation:
    """The situation that a case is.

    The matrix belongs to the rules in force, so the usual way here is `Engine.situation_of`.
    """
    question = case.question
    action = _KNOWN_ACTIONS.get((question.resource.type, question.action))
    mode = _MODES.get(question.context.mode)
    if action is None or mode is None:
        return _unanswerable(
            (0 if action is not None else Fact.UNKNOWN_ACTION.bit) | (0 if mode is not None else Fact.UNKNOWN_MODE.bit)
        )
    if question.resource.type == _DOCUMENT and case.document is None:
        return _unanswerable(Fact.NO_DOCUMENT.bit)
    if question.resource.type == _MESSAGE and case.message is None:
        return _unanswerable(Fact.NO_MESSAGE.bit)
    role = _role(case.subject)
    ties = _ties(case, role, action)
    if role is _UNKNOWN or (role is _PERSON and not ties):
        return _unanswerable(Fact.UNKNOWN_SUBJECT.bit)
    bits = ties | _mode(case, mode) | _STATES[case.dossier.state if case.dossier else _NO_DOSSIER]
    if case.document is not None and question.resource.type == _DOCUMENT:
        bits |= document_facts(case.document, case.subject, question.at, habilitations)
    elif action is _DEPOSIT:
        bits |= deposit_facts(question.particulars)
    return Situation(_BASE[role, action] | bits)


def situations_of(case: Case, documents: Sequence[Document], habilitations: Habilitations) -> list[Situation]:
    """The situations that a case is about each of these documents: all else is so about each, and looked at once.

    Its question is about a document; the ids of these are not looked at.
    """
    if not documents:
        return []
    first = situation_of(replace(case, document=documents[0]), habilitations)
    if first.action is None:
        return [first] * len(documents)
    shared, at = first.code & ~DOCUMENT_BITS, case.question.at
    return [Situation(shared | document_facts(each, case.subject, at, habilitations)) for each in documents]


def _unanswerable(bits: int) -> Situation:
    return Situation(_BASE[Role.UNKNOWN, None] | bits)


def _role(subject: Subject | None) -> Role:
    """The kind of subject; a profession that the reference data do not name is nobody's."""
    if isinstance(subject, Professional):
        return PROFESSION_ROLES.get(subject.profession, _UNKNOWN)
    if isinstance(subject, Person):
        return _PERSON
    if isinstance(subject, Organization):
        return ORGANIZATION_ROLES[subject.kind]
    if isinstance(subject, Staff):
        return STAFF_ROLES[subject.organization.kind]
    return _UNKNOWN


def _ties(case: Case, role: Role, action: Action) -> int:
    """What ties a person or a professional to the dossier, and what a professional brings with the question."""
    if isinstance(case.subject, Person):
        return person_ties(case, case.subject)
    if isinstance(case.subject, Professional):
        return professional_ties(case, case.subject, role, action)
    return 0


def _mode(case: Case, mode: Mode) -> int:
    """The mode, with what counts in it."""
    dossier = case.dossier
    if mode is _NORMAL:
        return _IS_NORMAL
    lifted = Fact.EMERGENCY_LIFTS_MASK.bit if dossier is not None and _shows_masked(dossier) else 0
    if mode is Mode.CENTRE_15:
        refused = Fact.CENTRE_15_REFUSED.bit if dossier is not None and dossier.refuses_centre_15 else 0
        return Fact.CENTRE_15.bit | lifted | refused
    refused = Fact.BREAK_GLASS_REFUSED.bit if dossier is not None and dossier.refuses_break_glass else 0
    reasoned = Fact.REASONED.bit if len(case.question.context.reason.strip()) >= _SHORTEST_REASON else 0
    return Fact.BREAK_GLASS.bit | lifted | refused | reasoned


def _shows_masked(dossier: Dossier) -> bool:
    """Whether emergencies lift masks: never when the patient refuses both emergency modes."""
    return dossier.masked_in_emergency and not (dossier.refuses_break_glass and dossier.refuses_centre_15)
