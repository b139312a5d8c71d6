"""The cells of the matrix of who may read what: an asker, a mode and a category of documents, judged by the engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from models.decisions import Decision
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, Category, Mode
from policy.engine import Engine
from policy.habilitations import Habilitations
from policy.review.matrix.askers import ASKERS, Asker
from policy.situation import Situation
from policy.words import PROFESSIONALS, Fact

TYPES: Mapping[Category, tuple[str, ...]] = {
    category: tuple(code for code, kind in DOCUMENT_TYPES.items() if kind.category is category) for category in Category
}
"""The document types of each category."""

MODES: Mapping[Mode, frozenset[Fact]] = {
    Mode.NORMAL: frozenset({Fact.NORMAL}),
    Mode.BREAK_GLASS: frozenset({Fact.BREAK_GLASS, Fact.REASONED}),
    Mode.CENTRE_15: frozenset({Fact.CENTRE_15}),
}
"""The facts of each mode when nothing stands in its way."""

ASSUMED = "assumed"
SUSPENDED = "suspended"
ASSUMED_SIGN = "°"
NOT_APPLICABLE = "–"


class Answer(StrEnum):
    """What a cell says of the documents of its category, with a sign that needs no colour."""

    sign: str

    def __new__(cls, word: str, sign: str) -> Self:
        """A word with its sign."""
        answer = str.__new__(cls, word)
        answer._value_ = word
        answer.sign = sign
        return answer

    YES = "yes", "✓"
    PARTIAL = "partial", "◐"
    NO = "no", "✗"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One answer with its deciding rule, and the document types that have it."""

    allowed: bool
    rule: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """The answers for one category, permissions first; `assumed` when one rests on an assumed row of the matrix."""

    rulings: tuple[Ruling, ...]
    assumed: bool

    @property
    def answer(self) -> Answer:
        allowed = {ruling.allowed for ruling in self.rulings}
        if len(allowed) > 1:
            return Answer.PARTIAL
        return Answer.YES if True in allowed else Answer.NO

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(code for ruling in self.rulings for code in ruling.types)

    @property
    def open(self) -> int:
        """How many of the types are open."""
        return sum(len(ruling.types) for ruling in self.rulings if ruling.allowed)

    @property
    def closed(self) -> tuple[str, ...]:
        return tuple(code for ruling in self.rulings if not ruling.allowed for code in ruling.types)

    def rules(self, *, allowed: bool) -> tuple[str, ...]:
        """The rules that open types, or those that close some."""
        return tuple(ruling.rule for ruling in self.rulings if ruling.allowed is allowed)


@dataclass(frozen=True, slots=True)
class Row:
    """An asker's cells, one for each category, in the order of the vocabulary."""

    asker: Asker
    cells: Mapping[Category, Cell]


def rows(engine: Engine, action: Action, mode: Mode) -> tuple[Row, ...]:
    """Everybody in one mode: an open dossier, a current document of others that nothing hides."""
    matrix = _Habilitations(engine.rules.habilitations)
    return tuple(_row(engine, matrix, asker, action, MODES[mode]) for asker in ASKERS)


class _Habilitations:
    """The habilitation matrix, with the status of the row that decides."""

    def __init__(self, habilitations: Habilitations) -> None:
        self._opens = habilitations.opens
        self._statuses = {
            (profession, scope): status for profession, scope, _, status in habilitations.rows if status != SUSPENDED
        }

    def split(self, profession: str, category: Category) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The types that are open to the profession, and the others."""
        types = TYPES[category]
        opened = tuple(code for code in types if self._opens(profession, code))
        return opened, tuple(code for code in types if code not in opened)

    def assumes(self, profession: str, category: Category) -> bool:
        """Whether an assumed row decides for one of the types."""
        by_category = self._statuses.get((profession, category))
        return ASSUMED in {self._statuses.get((profession, code), by_category) for code in TYPES[category]}


def _row(engine: Engine, matrix: _Habilitations, asker: Asker, action: Action, mode: frozenset[Fact]) -> Row:
    facts = asker.facts | mode
    plain = engine.judge(Situation.of(asker.role, action, facts))
    if asker.role not in PROFESSIONALS:
        return Row(
            asker, {category: Cell(_rulings((plain, types)), assumed=False) for category, types in TYPES.items()}
        )
    habilitated = engine.judge(Situation.of(asker.role, action, facts | {Fact.HABILITATED}))
    cells = {}
    for category in TYPES:
        opened, others = matrix.split(asker.who, category)
        assumed = habilitated.allowed is not plain.allowed and matrix.assumes(asker.who, category)
        cells[category] = Cell(_rulings((habilitated, opened), (plain, others)), assumed)
    return Row(asker, cells)


def _rulings(*decided: tuple[Decision, tuple[str, ...]]) -> tuple[Ruling, ...]:
    """Equal answers together, without those that no type has; permissions first."""
    types: dict[tuple[bool, str], tuple[str, ...]] = {}
    for decision, some in decided:
        if some:
            answer = (decision.allowed, decision.rule)
            types[answer] = (*types.get(answer, ()), *some)
    rulings = [Ruling(allowed, rule, some) for (allowed, rule), some in types.items()]
    return tuple(sorted(rulings, key=lambda ruling: not ruling.allowed))
