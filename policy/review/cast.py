"""Who and what the cases are about: personas, circumstances and documents, and the situation of each case."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from models.vocabulary import ACTIONS_ON, Action, ResourceType
from policy.errors import PolicyFileError
from policy.reasons import is_slug
from policy.review.cells import RESERVED
from policy.situation import Situation
from policy.space import dimensions, is_consistent
from policy.text import Place, read_table, refuse_unknown
from policy.words import FACTS, KNOWN_ROLES, Fact, Role

NOTHING = "-"
"""How cells write no fact, no document or no obligation."""

FIRST, AGAIN = "first", "again"
HISTORIES = (FIRST, AGAIN)
"""Whether a professional has read something of the dossier before; of others it is not told, and all is first."""

ON_DOCUMENTS = tuple(action for action in Action if action in ACTIONS_ON[ResourceType.DOCUMENT])
ON_DOSSIERS = tuple(action for action in Action if action not in {*ON_DOCUMENTS, Action.DOCUMENT_DEPOSIT})

_NO_FACT = frozenset[Fact]()


class Case(NamedTuple):
    """A combination of names; `document` is `-` where the action is about none."""

    circumstance: str
    persona: str
    document: str
    action: Action
    history: str


@dataclass(frozen=True)
class Named:
    """What a name of the cases stands for, in facts and in words."""

    facts: frozenset[Fact]
    words: str


@dataclass(frozen=True)
class Persona(Named):
    """Somebody who asks."""

    role: Role


@dataclass(frozen=True)
class Cast:
    """Everything that the cases combine."""

    circumstances: Mapping[str, Named]
    personas: Mapping[str, Persona]
    documents: Mapping[str, Named]
    deposits: Mapping[str, Named]

    def documents_of(self, action: str) -> Mapping[str, Named]:
        """The documents that an action is tried with."""
        if action == Action.DOCUMENT_DEPOSIT:
            return self.deposits
        return self.documents if action in ON_DOCUMENTS else _NO_DOCUMENT

    def histories_of(self, persona: str) -> Sequence[str]:
        """What is told of a persona's past."""
        role = self.personas[persona].role
        return HISTORIES if Fact.HAS_READ in told(role, Action.DOCUMENT_LIST) else (FIRST,)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Everybody in all circumstances with every action on every document, as a first reader and as another one."""
        return tuple(self._combined())

    def _combined(self) -> Iterator[Case]:
        for action in Action:
            for persona in self.personas:
                for history in self.histories_of(persona):
                    for circumstance in self.circumstances:
                        for document in self.documents_of(action):
                            yield Case(circumstance, persona, document, action, history)

    def situation(self, case: Case) -> Situation:
        """The situation of a case; facts that mean nothing for its role and action are left aside."""
        persona = self.personas[case.persona]
        document = self.documents_of(case.action)[case.document]
        past = frozenset({Fact.HAS_READ}) if case.history == AGAIN else _NO_FACT
        given = self.circumstances[case.circumstance].facts | persona.facts | document.facts | past
        return Situation.of(persona.role, case.action, given & told(persona.role, case.action))

    def story(self, case: Case) -> str:
        """A case in words."""
        document = self.documents_of(case.action)[case.document].words
        past = "; has read something of the dossier before" if case.history == AGAIN else ""
        about = f" ({document})" if document else ""
        circumstance = self.circumstances[case.circumstance].words
        return f"{self.personas[case.persona].words}: {case.action}{about}. {circumstance}{past}."


_NO_DOCUMENT: Mapping[str, Named] = {NOTHING: Named(_NO_FACT, "")}


@cache
def told(role: Role, action: Action | None) -> frozenset[Fact]:
    """The facts that mean something for this role and action."""
    return _NO_FACT.union(*(dimension.facts for dimension in dimensions(role, action)))


# What each file may tell, read off the space of situations: a bank that asks whether there is a dossier is told by its
# circumstances only, and whoever deposits for it by these and the document.
_OF_CIRCUMSTANCES = told(Role.BANK, Action.DOSSIER_EXISTS)
_OF_DEPOSITS = told(Role.BANK, Action.DOCUMENT_DEPOSIT) - _OF_CIRCUMSTANCES
_OF_DOCUMENTS = told(Role.PHYSICIAN, Action.DOCUMENT_READ) - told(Role.PHYSICIAN, Action.DOSSIER_EXISTS)
_NORMAL = frozenset({Fact.NORMAL})


def read_cast(folder: Path) -> Cast:
    """The personas, circumstances and documents of a folder `cases`. Raises PolicyFileError."""
    circumstances = _read_named(folder / "circumstances.csv", "circumstance", _OF_CIRCUMSTANCES, _is_circumstance)
    personas = _read_personas(folder / "personas.csv")
    documents = _read_named(folder / "documents.csv", "document", _OF_DOCUMENTS, _is_document)
    deposits = _read_named(folder / "to-be-deposited.csv", "document", _OF_DEPOSITS, _is_deposit)
    return Cast(circumstances, personas, documents, deposits)


def _is_circumstance(facts: frozenset[Fact]) -> bool:
    return _makes_a_situation(Role.BANK, Action.DOSSIER_EXISTS, facts)


def _is_document(facts: frozenset[Fact]) -> bool:
    return _makes_a_situation(Role.PHYSICIAN, Action.DOCUMENT_READ, facts | _NORMAL)


def _is_deposit(facts: frozenset[Fact]) -> bool:
    return _makes_a_situation(Role.BANK, Action.DOCUMENT_DEPOSIT, facts | _NORMAL)


def _makes_a_situation(role: Role, action: Action, facts: frozenset[Fact]) -> bool:
    return is_consistent(role, action, sum(fact.bit for fact in facts))


def _read_named(
    file: Path, title: str, vocabulary: frozenset[Fact], holds: Callable[[frozenset[Fact]], bool]
) -> dict[str, Named]:
    """What each name of a file stands for; its facts must be of the vocabulary and hold together."""
    found: dict[str, Named] = {}
    for line, (name, words, what) in read_table(file, (title, "facts", "what")):
        _refuse_name((file, line), name, found)
        facts = read_facts((file, line), words, vocabulary)
        if not holds(facts):
            raise PolicyFileError(file, line, f"{words} cannot hold together")
        found[name] = Named(facts, what)
    return found


def _read_personas(file: Path) -> dict[str, Persona]:
    found: dict[str, Persona] = {}
    for line, (name, word, words, who) in read_table(file, ("persona", "role", "facts", "who")):
        _refuse_name((file, line), name, found)
        refuse_unknown(file, line, "role", word, KNOWN_ROLES)
        role = Role(word)
        facts = read_facts((file, line), words, _of_personas(role))
        if not _makes_a_situation(role, Action.DOSSIER_EXISTS, (facts | _NORMAL) & told(role, Action.DOSSIER_EXISTS)):
            raise PolicyFileError(file, line, f"a {role} with these facts is unknown")
        found[name] = Persona(facts, who, role)
    return found


def _of_personas(role: Role) -> frozenset[Fact]:
    """What a persona of this role may be; whether it has read before is tried both ways."""
    everything = _NO_FACT.union(*(told(role, action) for action in Action))
    return everything - _OF_CIRCUMSTANCES - _OF_DOCUMENTS - _OF_DEPOSITS - {Fact.HAS_READ}


def _refuse_name(place: Place, name: str, known: Mapping[str, Named]) -> None:
    if not is_slug(name) or name in RESERVED:
        raise PolicyFileError(*place, f"{name!r} is no name: lower-case words joined by hyphens")
    if name in known:
        raise PolicyFileError(*place, f"{name} stands already above")


def read_facts(place: Place, words: str, vocabulary: frozenset[Fact]) -> frozenset[Fact]:
    """The facts of a cell. Raises PolicyFileError."""
    if words == NOTHING:
        return _NO_FACT
    for word in words.split():
        refuse_unknown(*place, "fact", word, Fact)
        if FACTS[word] not in vocabulary:
            raise PolicyFileError(*place, f"{word} is not told here")
    return frozenset(FACTS[word] for word in words.split())
