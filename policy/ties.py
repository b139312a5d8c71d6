"""What ties a person or a professional to the dossier, and what a professional brings with the question (RULES §1, §3).

Everything here is told as the sum of the bits of the facts that hold.
"""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from models.facts import Case, Person, Professional, Relation
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.vocabulary import (
    Action,
    Authentication,
    RelationKind,
    RepresentationKind,
    ResourceType,
    SubjectType,
)
from policy.words import Fact, Role

_PARIS = ZoneInfo("Europe/Paris")
_MAJORITY = 18
_STRONG = frozenset(authentication.value for authentication in Authentication)
_FOR_SOMEBODY = frozenset({Action.ACCESS_GRANT, Action.TREATING_PHYSICIAN_DECLARE})

# Of every question judged: a member of an Enum is slow to reach.
_PHYSICIAN, _MESSAGE_READ = Role.PHYSICIAN, Action.MESSAGE_READ
_PROFESSIONAL, _ORGANIZATION = SubjectType.PROFESSIONAL.value, SubjectType.ORGANIZATION.value
(
    _TREATING_PHYSICIAN,
    _IN_CARE_TEAM,
    _CARE_TEAM_CONSENT,
    _GRANTED,
    _BLOCKED,
    _STRONG_AUTHENTICATION,
    _PATIENT_PRESENT,
    _HAS_READ,
) = (
    fact.bit
    for fact in (
        Fact.TREATING_PHYSICIAN,
        Fact.IN_CARE_TEAM,
        Fact.CARE_TEAM_CONSENT,
        Fact.GRANTED,
        Fact.BLOCKED,
        Fact.STRONG_AUTHENTICATION,
        Fact.PATIENT_PRESENT,
        Fact.HAS_READ,
    )
)
_RELATIONS = {
    RelationKind.TREATING_PHYSICIAN: _TREATING_PHYSICIAN,
    RelationKind.CARE_TEAM: _IN_CARE_TEAM,
    RelationKind.GRANTED: _GRANTED,
    RelationKind.BLOCKED: _BLOCKED,
}


def person_ties(case: Case, person: Person) -> int:
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


def professional_ties(case: Case, professional: Professional, role: Role, action: Action) -> int:
    question, context, particulars = case.question, case.question.context, case.question.particulars
    bits = _relations(case.relations, professional, question.at)
    if role is not _PHYSICIAN:
        bits &= ~_TREATING_PHYSICIAN
    if case.dossier is not None and case.dossier.care_team_consent:
        bits |= _CARE_TEAM_CONSENT
    if professional.person is not None and professional.person == _asked_dossier(case):
        bits |= Fact.OWN_DOSSIER.bit
    if professional.samu_regulator:
        bits |= Fact.SAMU_REGULATOR.bit
    if context.authentication in _STRONG:
        bits |= _STRONG_AUTHENTICATION
    if context.patient_present:
        bits |= _PATIENT_PRESENT
    if case.has_read:
        bits |= _HAS_READ
    if action in _FOR_SOMEBODY and particulars.professional == professional.rpps and particulars.organization is None:
        bits |= Fact.FOR_SELF.bit
    if action is _MESSAGE_READ and case.message is not None:
        message = case.message
        bits |= Fact.CORRESPONDENT.bit if professional.rpps in {message.sender, message.addressee} else 0
    return bits


def _relations(relations: tuple[Relation, ...], professional: Professional, at: datetime) -> int:
    """Relations in force: his own, and the care team and consents of organizations that are not themselves blocked."""
    bits = 0
    through: dict[str, int] = {}
    for relation in relations:
        if (relation.since is not None and at < relation.since) or not (relation.until is None or at < relation.until):
            continue
        party, bit = relation.party, _RELATIONS[relation.kind]
        if party.type == _PROFESSIONAL and party.id == professional.rpps:
            bits |= bit
        elif party.type == _ORGANIZATION and party.id in professional.organizations:
            through[party.id] = through.get(party.id, 0) | bit
    serving = [one for one in through.values() if not one & _BLOCKED]
    for one in serving:
        bits |= one & (_IN_CARE_TEAM | _GRANTED)
    if 0 < len(professional.organizations) == len(through) - len(serving):
        bits |= _BLOCKED
    return bits


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
