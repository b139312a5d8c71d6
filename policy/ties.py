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
