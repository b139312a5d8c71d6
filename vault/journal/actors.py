"""Who acts and whose rights change, in words: what an entry tells of them, and no more.

What an entry does not say of whoever asked (is a professional's profession known? whose caregiver is this?) stands in
the situation that was judged, whose words are kept with it.
"""

from collections.abc import Iterator

from models.facts import Reference
from models.reference import PROFESSIONS
from models.vocabulary import OrganizationKind, ProfessionKind, RepresentationKind, SubjectType
from vault.journal.entry import SERVICE, Entry
from vault.journal.language import Language
from vault.journal.meaning import asked_by_holder, parties

_PHYSICIAN = "physician"
_KINDS = {
    "other_health_professional": ProfessionKind.HEALTH,
    "social_professional": ProfessionKind.SOCIAL,
}
"""How situations call professionals other than physicians."""


def acting(entry: Entry, language: Language) -> str:
    """Who asked: kind, profession, numbers as they were given. The pseudonym of a person is no word for a sentence."""
    subjects, numbers, subject = language.subjects, language.numbers, entry.subject
    given = " ".join(subject.id.split())
    match subject.type:
        case SubjectType.PERSON:
            return _person(entry, language)
        case SubjectType.PROFESSIONAL:
            return _professional(entry, language, numbers.rpps.format(given))
        case SubjectType.ORGANIZATION:
            return f"{_structure(entry, language, '')} ({numbers.other.format(given)})"
        case SubjectType.STAFF:
            structure = _structure(entry, language, "staff_of_")
            return f"{subjects.of_structure.format(structure)} ({numbers.other.format(given)})"
        case _ if subject.type == SERVICE:
            return subjects.service
    return subjects.unknown


def whom(entry: Entry, language: Language) -> str:
    """Whose rights a change concerns, or who is written to."""
    told = [_party(party, language) for party in parties(entry)]
    return language.whom.conjunction.join(told) or language.whom.somebody


def _party(party: Reference, language: Language) -> str:
    words = language.whom
    return (words.professional if party.type == SubjectType.PROFESSIONAL else words.organization).format(party.id)


def _person(entry: Entry, language: Language) -> str:
    subjects = language.subjects
    if asked_by_holder(entry):
        return subjects.holder
    told = {word for situation in _situations(entry) for word in situation}
    return next((subjects.representatives[kind] for kind in RepresentationKind if kind in told), subjects.other_person)


def _professional(entry: Entry, language: Language, number: str) -> str:
    roles = _roles(entry)
    profession = entry.profession or (_PHYSICIAN if _PHYSICIAN in roles else None)
    known = PROFESSIONS.get(profession or "")
    kind = known.kind if known else next((_KINDS[role] for role in _KINDS if role in roles), None)
    who = language.subjects.professional if kind is None else language.subjects.professionals[kind]
    told = [] if known is None else [language.professions[known.key]]
    told.append(number)
    if entry.organization is not None:
        told.append(language.numbers.organization.format(" ".join(entry.organization.split())))
    return f"{who} ({', '.join(told)})"


def _structure(entry: Entry, language: Language, prefix: str) -> str:
    roles, subjects = _roles(entry), language.subjects
    told = (subjects.organizations[kind] for kind in OrganizationKind if prefix + kind.value in roles)
    return next(told, subjects.organization)


def _roles(entry: Entry) -> set[str]:
    """The roles in the situations that were judged; a situation begins with it."""
    return {situation[0] for situation in _situations(entry) if situation}


def _situations(entry: Entry) -> Iterator[tuple[str, ...]]:
    yield entry.situation
    yield from (item.situation for item in entry.items)
