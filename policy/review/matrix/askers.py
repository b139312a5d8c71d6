"""Who asks in the matrix of who may read what: roles and professions, each with what ties it to the dossier."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.reference import PROFESSIONS
from models.vocabulary import ProfessionKind
from policy.words import ORGANIZATION_ROLES, STAFF_ROLES, Fact, Role

NO_TIE = "none"


@dataclass(frozen=True, slots=True)
class Words:
    """The same in English and in French."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True)
class Asker:
    """A role or profession with one tie; `facts` are the tie's and, of professionals, the strong authentication."""

    who: str
    tie: str
    role: Role
    facts: frozenset[Fact]


@dataclass(frozen=True, slots=True)
class Called:
    """How some askers are called together: their tie (or, without one, what they are), and their names."""

    tie: Words
    names: tuple[Words, ...]
    askers: tuple[Asker, ...]


@dataclass(frozen=True, slots=True)
class _Family:
    """Askers whom one word may name together."""

    every: Words
    members: tuple[str, ...]


_PERSON_TIES = {
    Fact.HOLDER: Words("holder", "titulaire du dossier"),
    Fact.LEGAL_REPRESENTATIVE: Words("legal representative", "représentant légal"),
    Fact.CAREGIVER: Words("caregiver", "aidant"),
}
_TIES: dict[str, tuple[Words, frozenset[Fact]]] = {
    "treating_physician": (Words("treating physician", "médecin traitant"), frozenset({Fact.TREATING_PHYSICIAN})),
    "care_team": (
        Words("care team with consent", "équipe de soins avec consentement"),
        frozenset({Fact.IN_CARE_TEAM, Fact.CARE_TEAM_CONSENT}),
    ),
    "granted": (Words("granted by the holder", "accès donné par le titulaire"), frozenset({Fact.GRANTED})),
    "samu_regulator": (
        Words("emergency call regulator", "régulateur du centre 15"),
        frozenset({Fact.SAMU_REGULATOR}),
    ),
    NO_TIE: (Words("no tie", "aucun lien"), frozenset()),
}
_PERSONS = Words("persons", "personnes")
_OTHERS = Words("organizations and staff", "structures et personnel")
_ANY_TIE = Words("whatever the tie", "quel que soit le lien")

_ORGANIZATIONS_FR = {
    Role.HEALTH_FACILITY: "établissement de santé",
    Role.LABORATORY: "laboratoire",
    Role.PHARMACY: "pharmacie",
    Role.INSURANCE_FUND: "Assurance maladie",
    Role.COMPLEMENTARY_INSURER: "complémentaire santé",
    Role.EMPLOYER: "employeur",
    Role.BANK: "banque",
}
_STAFF_FR = {STAFF_ROLES[kind]: _ORGANIZATIONS_FR[role] for kind, role in ORGANIZATION_ROLES.items()}

_NAMES: dict[str, Words] = {
    **{fact.value: words for fact, words in _PERSON_TIES.items()},
    **{key: Words(key.replace("_", " "), each.label_fr.lower()) for key, each in PROFESSIONS.items()},
    **{role.value: Words(role.replace("_", " "), fr) for role, fr in _ORGANIZATIONS_FR.items()},
    **{role.value: Words(role.replace("_", " "), f"personnel : {fr}") for role, fr in _STAFF_FR.items()},
}


def _of_kind(kind: ProfessionKind) -> tuple[str, ...]:
    return tuple(key for key, profession in PROFESSIONS.items() if profession.kind is kind)


_FAMILIES = (
    _Family(Words("every health profession", "toute profession de santé"), _of_kind(ProfessionKind.HEALTH)),
    _Family(Words("every social profession", "toute profession sociale"), _of_kind(ProfessionKind.SOCIAL)),
    _Family(Words("every organization", "toute structure"), tuple(_ORGANIZATIONS_FR)),
    _Family(Words("staff of every organization", "personnel de toute structure"), tuple(_STAFF_FR)),
)
_FEWEST = 5
"""A family with fewer members is not told by the one that is missing."""


def _askers() -> Iterator[Asker]:
    for fact in _PERSON_TIES:
        yield Asker("person", fact.value, Role.PERSON, frozenset({fact}))
    for tie, (_, facts) in _TIES.items():
        for key, profession in PROFESSIONS.items():
            role = _professional(key, profession.kind)
            if tie != "treating_physician" or role is Role.PHYSICIAN:
                yield Asker(key, tie, role, facts | {Fact.STRONG_AUTHENTICATION})
    for role in (*_ORGANIZATIONS_FR, *_STAFF_FR):
        yield Asker(role.value, NO_TIE, role, frozenset())


def _professional(key: str, kind: ProfessionKind) -> Role:
    if kind is ProfessionKind.SOCIAL:
        return Role.SOCIAL_PROFESSIONAL
    return Role.PHYSICIAN if key == "physician" else Role.OTHER_HEALTH_PROFESSIONAL


ASKERS = tuple(_askers())
"""Everybody with every tie, in the order of the matrix."""


def _ties(askers: Iterable[Asker]) -> dict[str, tuple[str, ...]]:
    """The ties of each, in the order of the matrix."""
    ties: dict[str, tuple[str, ...]] = {}
    for asker in askers:
        ties[asker.who] = (*ties.get(asker.who, ()), asker.tie)
    return ties


_TIES_OF = _ties(ASKERS)


def called(askers: Iterable[Asker]) -> tuple[Called, ...]:
    """These askers in as few words as name them exactly: persons, professionals by tie, organizations and staff."""
    some = tuple(askers)
    ties = _ties(some)
    shared: dict[Words, list[Asker]] = {}
    for asker in some:
        shared.setdefault(_tie_of(asker, ties[asker.who]), []).append(asker)
    return tuple(Called(tie, _names([_key(asker) for asker in each]), tuple(each)) for tie, each in shared.items())


def _key(asker: Asker) -> str:
    """What `_NAMES` knows the asker by: of a person it is the tie."""
    return asker.tie if asker.role is Role.PERSON else asker.who


def _tie_of(asker: Asker, ties: tuple[str, ...]) -> Words:
    """What this asker's ties are called together, or what he is where only one is possible."""
    if asker.who not in PROFESSIONS:
        return _PERSONS if asker.role is Role.PERSON else _OTHERS
    missing = [tie for tie in _TIES_OF[asker.who] if tie not in ties]
    if not missing:
        return _ANY_TIE
    if len(missing) == 1 and len(ties) > 1:
        but = _TIES[missing[0]][0]
        return Words(f"{_ANY_TIE.en} but {but.en}", f"{_ANY_TIE.fr} sauf {but.fr}")
    words = [_TIES[tie][0] for tie in ties]
    return Words(" or ".join(each.en for each in words), " ou ".join(each.fr for each in words))


def _names(some: Iterable[str]) -> tuple[Words, ...]:
    """Names in order; a family that is there as a whole, or all but one of it, is named instead of its members."""
    names: list[Words] = []
    rest = list(dict.fromkeys(some))
    for family in _FAMILIES:
        missing = [who for who in family.members if who not in rest]
        if not missing:
            names.append(family.every)
        elif len(missing) == 1 and len(family.members) >= _FEWEST:
            but = _NAMES[missing[0]]
            names.append(Words(f"{family.every.en} but {but.en}", f"{family.every.fr} sauf {but.fr}"))
        else:
            continue
        rest = [who for who in rest if who not in family.members]
    organizations = [who for who in rest if who in _ORGANIZATIONS_FR]
    if organizations and [who for who in rest if who in _STAFF_FR] == [f"staff_of_{who}" for who in organizations]:
        rest = [who for who in rest if who not in _STAFF_FR]
        names.append(Words("with their staff", "avec leur personnel"))
    return (*(_NAMES[who] for who in rest), *names)
