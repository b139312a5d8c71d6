"""What the law sees of a case: a kind of subject, an action and facts, without names or dates.

`situation_of` turns a case into its situation; it is pure, so the same case gives the same situation for ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from models import reference
from models.facts import Case, Document, Dossier, Organization, Person, Professional, Relation, Staff, Subject
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.vocabulary import (
    ACTIONS_ON,
    Action,
    Authentication,
    Category,
    DocumentStatus,
    DossierState,
    Mode,
    ProfessionKind,
    RelationKind,
    RepresentationKind,
    ResourceType,
    SubjectType,
)
from policy.errors import SituationError
from policy.habilitations import Habilitations
from policy.space import is_consistent
from policy.words import FACTS, NO_ACTION, ORGANIZATION_ROLES, STAFF_ROLES, Fact, Role

_PARIS = ZoneInfo("Europe/Paris")
_MAJORITY = 18
_SHORTEST_REASON = 10
_REIMBURSEMENT_YEARS = 2

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
_STRONG = frozenset(authentication.value for authentication in Authentication)
_STATES = {
    DossierState.NONE: Fact.NO_DOSSIER.bit,
    DossierState.OPEN: 0,
    DossierState.CLOSED: Fact.CLOSED.bit,
    DossierState.SUSPENDED: Fact.SUSPENDED.bit,
}
_STATUSES = {
    DocumentStatus.CURRENT: 0,
    DocumentStatus.SUPERSEDED: Fact.SUPERSEDED.bit,
    DocumentStatus.ARCHIVED: Fact.ARCHIVED.bit,
    DocumentStatus.DELETED: Fact.DELETED.bit,
}
_PROFESSION_ROLES = {
    key: Role.SOCIAL_PROFESSIONAL if profession.kind is ProfessionKind.SOCIAL else Role.OTHER_HEALTH_PROFESSIONAL
    for key, profession in reference.PROFESSIONS.items()
} | {"physician": Role.PHYSICIAN}
_FOR_SOMEBODY = frozenset({Action.ACCESS_GRANT, Action.TREATING_PHYSICIAN_DECLARE})


@dataclass(frozen=True, slots=True)
class Situation:
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
        action = self.action
        told = (fact.value for fact in _FACTS if self.code & fact.bit)
        return (self.role.value, NO_ACTION if action is None else action.value, *told)

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
    if question.resource.type == ResourceType.DOCUMENT and case.document is None:
        return _unanswerable(Fact.NO_DOCUMENT.bit)
    if question.resource.type == ResourceType.MESSAGE and case.message is None:
        return _unanswerable(Fact.NO_MESSAGE.bit)
    role = _role(case.subject)
    ties = _ties(case, role, action)
    if role is Role.UNKNOWN or (role is Role.PERSON and not ties):
        return _unanswerable(Fact.UNKNOWN_SUBJECT.bit)
    bits = ties | _mode(case, mode) | _STATES[case.dossier.state if case.dossier else DossierState.NONE]
    if question.resource.type == ResourceType.DOCUMENT and case.document is not None:
        bits |= _document(case.document, case.subject, question.at, habilitations)
    elif action is Action.DOCUMENT_DEPOSIT:
        bits |= _deposit(case)
    return Situation(_BASE[role, action] | bits)


def _unanswerable(bits: int) -> Situation:
    return Situation(_BASE[Role.UNKNOWN, None] | bits)


def _role(subject: Subject | None) -> Role:
    """The kind of subject; a profession that the reference data do not name is nobody's."""
    if isinstance(subject, Professional):
        return _PROFESSION_ROLES.get(subject.profession, Role.UNKNOWN)
    if isinstance(subject, Person):
        return Role.PERSON
    if isinstance(subject, Organization):
        return ORGANIZATION_ROLES[subject.kind]
    if isinstance(subject, Staff):
        return STAFF_ROLES[subject.organization.kind]
    return Role.UNKNOWN


def _asked_dossier(case: Case) -> UUID | None:
    """Whose dossier the question is about, opened or not; None where the name is nobody's."""
    if case.dossier is not None:
        return case.dossier.id
    if case.question.resource.type != ResourceType.DOSSIER:
        return None
    try:
        return parse_pseudonym(case.question.resource.id)
    except InvalidIdentifierError:
        return None


def _ties(case: Case, role: Role, action: Action) -> int:
    """What ties a person or a professional to the dossier, and what a professional brings with the question."""
    if isinstance(case.subject, Person):
        return _person(case, case.subject)
    if isinstance(case.subject, Professional):
        return _professional(case, case.subject, role, action)
    return 0


def _person(case: Case, person: Person) -> int:
    bits = Fact.HOLDER.bit if person.id == _asked_dossier(case) else 0
    at = case.question.at
    for representation in case.representations:
        if representation.person != person.id or not (representation.until is None or at < representation.until):
            continue
        if representation.kind is RepresentationKind.CAREGIVER:
            bits |= Fact.CAREGIVER.bit
        elif case.dossier is not None and (case.dossier.protected or _is_minor(case.dossier.born, at)):
            bits |= Fact.LEGAL_REPRESENTATIVE.bit
    return bits


def _is_minor(born: date | None, at: datetime) -> bool:
    """Under 18 on the day in France; the eighteenth birthday ends minority."""
    if born is None:
        return False
    today = at.astimezone(_PARIS).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age < _MAJORITY


def _professional(case: Case, professional: Professional, role: Role, action: Action) -> int:
    question, context, particulars = case.question, case.question.context, case.question.particulars
    bits = _relations(case.relations, professional, question.at)
    if role is not Role.PHYSICIAN:
        bits &= ~Fact.TREATING_PHYSICIAN.bit
    if case.dossier is not None and case.dossier.care_team_consent:
        bits |= Fact.CARE_TEAM_CONSENT.bit
    if professional.person is not None and professional.person == _asked_dossier(case):
        bits |= Fact.OWN_DOSSIER.bit
    if professional.samu_regulator:
        bits |= Fact.SAMU_REGULATOR.bit
    if context.authentication in _STRONG:
        bits |= Fact.STRONG_AUTHENTICATION.bit
    if context.patient_present:
        bits |= Fact.PATIENT_PRESENT.bit
    if case.has_read:
        bits |= Fact.HAS_READ.bit
    if action in _FOR_SOMEBODY and particulars.professional == professional.rpps and particulars.organization is None:
        bits |= Fact.FOR_SELF.bit
    if action is Action.MESSAGE_READ and case.message is not None:
        message = case.message
        bits |= Fact.CORRESPONDENT.bit if professional.rpps in {message.sender, message.addressee} else 0
    return bits


def _relations(relations: tuple[Relation, ...], professional: Professional, at: datetime) -> int:
    """Relations in force: his own, and the care team and consents of organizations that are not themselves blocked."""
    own: set[RelationKind] = set()
    through: dict[str, set[RelationKind]] = {}
    for relation in relations:
        if (relation.since is not None and at < relation.since) or not (relation.until is None or at < relation.until):
            continue
        party = relation.party
        if party.type == SubjectType.PROFESSIONAL and party.id == professional.rpps:
            own.add(relation.kind)
        elif party.type == SubjectType.ORGANIZATION and party.id in professional.organizations:
            through.setdefault(party.id, set()).add(relation.kind)
    serving = [kinds for kinds in through.values() if RelationKind.BLOCKED not in kinds]
    blocked_organizations = len(through) - len(serving)
    bits = 0
    if RelationKind.TREATING_PHYSICIAN in own:
        bits |= Fact.TREATING_PHYSICIAN.bit
    if any(RelationKind.CARE_TEAM in kinds for kinds in (own, *serving)):
        bits |= Fact.IN_CARE_TEAM.bit
    if any(RelationKind.GRANTED in kinds for kinds in (own, *serving)):
        bits |= Fact.GRANTED.bit
    if RelationKind.BLOCKED in own or 0 < len(professional.organizations) == blocked_organizations:
        bits |= Fact.BLOCKED.bit
    return bits


def _mode(case: Case, mode: Mode) -> int:
    """The mode, with what counts in it."""
    dossier = case.dossier
    if mode is Mode.NORMAL:
        return Fact.NORMAL.bit
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


def _document(document: Document, subject: Subject | None, at: datetime, habilitations: Habilitations) -> int:
    bits = _STATUSES[document.status]
    if _is_author(document, subject):
        bits |= Fact.AUTHOR.bit
    if isinstance(subject, Professional) and habilitations.opens(subject.profession, document.document_type):
        bits |= Fact.HABILITATED.bit
    if document.masked:
        bits |= Fact.MASKED.bit
    if document.withheld_until is not None and at < document.withheld_until:
        bits |= Fact.WITHHELD.bit
    if document.hidden_from_representatives:
        bits |= Fact.HIDDEN_FROM_REPRESENTATIVES.bit
    kind = reference.document_type(document.document_type)
    if kind is not None and kind.category is Category.REIMBURSEMENT and _has_expired(document.created_at, at):
        bits |= Fact.REIMBURSEMENT_EXPIRED.bit
    return bits


def _is_author(document: Document, subject: Subject | None) -> bool:
    """A document is own to the very subject that is its author, and to no one else (RULES §1)."""
    author = document.author
    if isinstance(subject, Professional):
        return author.type == SubjectType.PROFESSIONAL and author.id == subject.rpps
    if isinstance(subject, Person):
        return author.type == SubjectType.PERSON and author.id.lower() == str(subject.id)
    if isinstance(subject, Organization):
        return author.type == SubjectType.ORGANIZATION and author.id == subject.id
    return False


def _has_expired(created_at: datetime, at: datetime) -> bool:
    """24 calendar months or more have passed, counted in France; from 29 February to 28 February."""
    if created_at > at:
        return False
    created, now = created_at.astimezone(_PARIS), at.astimezone(_PARIS)
    if created.year + _REIMBURSEMENT_YEARS > now.year:
        return False
    year = created.year + _REIMBURSEMENT_YEARS
    leap_day = (created.month, created.day) == (2, 29)
    return at >= (created.replace(year=year, day=28) if leap_day else created.replace(year=year))


def _deposit(case: Case) -> int:
    particulars = case.question.particulars
    bits = (Fact.MASKED.bit if particulars.masked else 0) | (Fact.WITHHELD.bit if particulars.withheld else 0)
    kind = reference.document_type(particulars.document_type) if particulars.document_type else None
    if kind is None:
        return bits
    bits |= Fact.KNOWN_DOCUMENT_TYPE.bit
    if kind.category is Category.REIMBURSEMENT:
        bits |= Fact.REIMBURSEMENT.bit
    if kind.category is Category.PATIENT_DOCUMENT:
        bits |= Fact.PATIENT_DOCUMENT.bit
    if kind.code in reference.PATIENT_EXPRESSIONS:
        bits |= Fact.PATIENT_EXPRESSION.bit
    return bits
