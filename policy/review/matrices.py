"""The expected answers of policy/cases, read and worked out for every case.

`on-dossiers.csv`, `on-documents.csv` and `deposits.csv` say what is open and by which rule, `refusals.csv` which rule
refuses what, the first row that names a case being the one that decides, and `obligations.csv` what permissions ask in
return. What none of them names is refused because no rule gives it. Nothing here looks at the rules.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from models.decisions import NOT_PERMITTED, Decision
from models.vocabulary import Action, Obligation
from policy.errors import PolicyFileError
from policy.loader import PACKAGED
from policy.reasons import ALLOW, CANNOT_JUDGE, DENY, Register, is_slug
from policy.review.cast import HISTORIES, NOTHING, ON_DOCUMENTS, ON_DOSSIERS, Case, Cast, read_cast, read_facts, told
from policy.review.cells import ALL, RESERVED, Axis, Product
from policy.situation import Situation
from policy.space import is_consistent
from policy.text import Place, read_table, refuse_unknown
from policy.words import Role

OPENING = {
    "on-dossiers.csv": ("circumstances", "personas", "rule", "actions"),
    "on-documents.csv": ("circumstances", "personas", "documents", "rule", "actions"),
    "deposits.csv": ("circumstances", "personas", "documents", "rule"),
}
REFUSING = {"refusals.csv": ("rule", "circumstances", "personas", "documents", "actions")}
OBLIGING = {"obligations.csv": ("obligation", "circumstances", "personas", "documents", "actions", "history")}
QUESTIONS = ("facts", "refused_by", "what")
EXAMPLES = ("circumstance", "persona", "document", "action", "refused_by")
GROUPS = ("of", "group", "members")

_COLUMNS = {"circumstances": 0, "personas": 1, "documents": 2, "actions": 3, "history": 4}


@dataclass(frozen=True)
class Entry:
    """A row of a matrix: the rule or obligation that it tells, of which cases, and where it stands."""

    says: str
    product: Product
    place: Place

    @property
    def where(self) -> str:
        """For people."""
        file, line = self.place
        return f"{file.name}, line {line}"

    def names(self, case: Case) -> bool:
        """Whether it is about a case."""
        product = self.product
        scene = case.circumstance in product.circumstances and case.persona in product.personas
        return scene and case.action in product.actions and self.tells_of(case)

    def tells_of(self, case: Case) -> bool:
        """The same for a case of which circumstance, persona and action are its own."""
        return case.document in self.product.documents and case.history in self.product.histories


@dataclass(frozen=True)
class Expected:
    """The answer that a case must have, and the row that says so; of what is not written there is none."""

    allowed: bool
    rule: str
    obligations: tuple[Obligation, ...] = ()
    entry: Entry | None = None

    def is_met_by(self, decision: Decision) -> bool:
        """Whether this is the answer."""
        return (decision.allowed, decision.rule, decision.obligations) == (self.allowed, self.rule, self.obligations)

    @property
    def where(self) -> str:
        """The row that says so, for people."""
        return "what is not written is closed" if self.entry is None else self.entry.where


@dataclass(frozen=True)
class Example:
    """One refusal with all its rules, the deciding one first."""

    situation: Situation
    refused_by: tuple[str, ...]
    words: str
    place: Place


@dataclass(frozen=True)
class Matrices:
    """All of a folder `cases`."""

    cast: Cast
    axes: Mapping[str, Axis]
    opened: tuple[Entry, ...]
    refused: tuple[Entry, ...]
    owed: tuple[Entry, ...]
    questions: tuple[Example, ...]
    examples: tuple[Example, ...]

    @cached_property
    def expected(self) -> Mapping[Case, Expected]:
        """The answer that each case must have. Raises PolicyFileError where rows contradict each other."""
        opened, refused, owed = _by_scene(self.opened), _by_scene(self.refused), _by_scene(self.owed)
        found = {}
        for case in self.cast.cases:
            scene = (case.circumstance, case.persona, case.action)
            opening = [entry for entry in opened[scene] if entry.tells_of(case)]
            refusing = next((entry for entry in refused[scene] if entry.tells_of(case)), None)
            if opening:
                _refuse_contradiction(case, opening, refusing)
                obliging = {entry.says for entry in owed[scene] if entry.tells_of(case)}
                obligations = tuple(each for each in Obligation if each in obliging)
                found[case] = Expected(True, opening[0].says, obligations, opening[0])
            elif refusing:
                found[case] = Expected(False, refusing.says, (), refusing)
            else:
                found[case] = Expected(False, NOT_PERMITTED)
        return found

    @cached_property
    def situations(self) -> Mapping[Case, Situation]:
        """What each case is."""
        return {case: self.cast.situation(case) for case in self.cast.cases}


def _by_scene(entries: Iterable[Entry]) -> Mapping[tuple[str, str, str], list[Entry]]:
    """For each circumstance, persona and action the rows that may be about them, in their order."""
    found = defaultdict(list)
    for entry in entries:
        product = entry.product
        for scene in itertools.product(product.circumstances, product.personas, product.actions):
            found[scene].append(entry)
    return found


def _refuse_contradiction(case: Case, opening: list[Entry], refusing: Entry | None) -> None:
    """What is open is open by one row, and refused by none."""
    words = " ".join(word for word in case if word != NOTHING)
    first, *others = opening
    if others:
        raise PolicyFileError(*others[0].place, f"opens what {first.where} opens already: {words}")
    if refusing:
        raise PolicyFileError(*refusing.place, f"refuses what {first.where} opens: {words}")


def cases_folder(folder: Path) -> Path:
    """The cases of a policy folder; one that has none is held against the packaged ones."""
    own = folder / "cases"
    return own if own.is_dir() else PACKAGED / "cases"


def read_matrices(folder: Path, register: Register) -> Matrices:
    """The matrices of a folder `cases`, which name rules of the register. Raises PolicyFileError."""
    cast = read_cast(folder)
    axes = _read_groups(folder / "groups.csv", cast)
    reader = _Reader(folder, cast, axes, register)
    giving = [rule for rule, reason in register.reasons.items() if reason.effect == ALLOW]
    denying = [rule for rule, reason in register.reasons.items() if reason.effect == DENY and rule != CANNOT_JUDGE]
    return Matrices(
        cast,
        axes,
        tuple(reader.entries(OPENING, "permission of reasons.csv", giving)),
        tuple(reader.entries(REFUSING, "refusal of reasons.csv", denying)),
        tuple(reader.entries(OBLIGING, "obligation", tuple(Obligation))),
        tuple(reader.questions(denying)),
        tuple(reader.examples(denying)),
    )


def _read_groups(file: Path, cast: Cast) -> dict[str, Axis]:
    """For each title of a cell its names and groups; a group may be made of those above it."""
    documents = dict.fromkeys((NOTHING, *cast.documents, *cast.deposits))
    axes = {
        "circumstances": Axis("circumstance", tuple(cast.circumstances), {}),
        "personas": Axis("persona", tuple(cast.personas), {}),
        "documents": Axis("document", tuple(documents), {}),
        "actions": Axis("action", tuple(Action), {}),
        "history": Axis("history", HISTORIES, {}),
    }
    for line, (title, group, members) in read_table(file, GROUPS):
        refuse_unknown(file, line, "title of a cell", title, axes)
        axis = axes[title]
        if not is_slug(group) or group in {*axis.names, *axis.groups, *RESERVED}:
            raise PolicyFileError(file, line, f"{group!r} cannot name a group")
        axes[title] = replace(axis, groups={**axis.groups, group: axis.read((file, line), members)})
    return axes


class _Reader:
    """Reads rows against the names of the cast and the rules of the register."""

    def __init__(self, folder: Path, cast: Cast, axes: Mapping[str, Axis], register: Register) -> None:
        self._folder = folder
        self._cast = cast
        self._axes = axes
        self._register = register

    def entries(self, files: Mapping[str, tuple[str, ...]], what: str, says: Iterable[str]) -> Iterator[Entry]:
        words = tuple(says)
        for name, header in files.items():
            axes = axes_of(name, self._axes, self._cast)
            for line, row in read_table(self._folder / name, header):
                place = (self._folder / name, line)
                cells = dict(zip(header, row, strict=True))
                refuse_unknown(*place, what, cells[_told(header)], words)
                read = (axes[title].read(place, cells.get(title, ALL)) for title in _COLUMNS)
                entry = Entry(cells[_told(header)], Product(*read), place)
                self._refuse_nothing(entry, cells)
                yield entry

    def _refuse_nothing(self, entry: Entry, cells: Mapping[str, str]) -> None:
        """A document that is written, and an action that is written, must meet in some case."""
        product = entry.product
        for document in product.documents.intersection(cells.get("documents", "").split()):
            if not any(document in self._cast.documents_of(action) for action in product.actions):
                raise PolicyFileError(*entry.place, f"none of these actions is tried with the document {document}")
        for action in product.actions.intersection(cells.get("actions", "").split()):
            if product.documents.isdisjoint(self._cast.documents_of(action)):
                raise PolicyFileError(*entry.place, f"{action} is tried with none of these documents")

    def questions(self, rules: list[str]) -> Iterator[Example]:
        """Questions that cannot be put."""
        file = self._folder / "questions.csv"
        for line, (words, refused_by, what) in read_table(file, QUESTIONS):
            facts = read_facts((file, line), words, told(Role.UNKNOWN, None))
            if not is_consistent(Role.UNKNOWN, None, sum(fact.bit for fact in facts)):
                raise PolicyFileError(file, line, f"{words} cannot hold together")
            rules_of = self._rules((file, line), refused_by, rules)
            yield Example(Situation.of(Role.UNKNOWN, None, facts), rules_of, what, (file, line))

    def examples(self, rules: list[str]) -> Iterator[Example]:
        """Refusals with all their rules."""
        file = self._folder / "examples.csv"
        for line, (circumstance, persona, document, action, refused_by) in read_table(file, EXAMPLES):
            refuse_unknown(file, line, "circumstance", circumstance, self._cast.circumstances)
            refuse_unknown(file, line, "persona", persona, self._cast.personas)
            refuse_unknown(file, line, "action", action, tuple(Action))
            refuse_unknown(file, line, f"document for {action}", document, self._cast.documents_of(action))
            case = Case(circumstance, persona, document, Action(action), HISTORIES[0])
            told_by = self._rules((file, line), refused_by, rules)
            yield Example(self._cast.situation(case), told_by, self._cast.story(case), (file, line))

    def _rules(self, place: Place, text: str, rules: list[str]) -> tuple[str, ...]:
        for word in text.split():
            refuse_unknown(*place, "refusal of reasons.csv", word, rules)
        told_by = tuple(text.split())
        if told_by != self._register.in_order(set(told_by)):
            raise PolicyFileError(*place, f"{text} is not in the order of reasons.csv")
        return told_by


def axes_of(name: str, axes: Mapping[str, Axis], cast: Cast) -> dict[str, Axis]:
    """The axes of one file: what is about dossiers only, or about deposits only, leaves out all else."""
    documents, actions = {
        "on-dossiers.csv": ({NOTHING}, ON_DOSSIERS),
        "on-documents.csv": (cast.documents.keys(), ON_DOCUMENTS),
        "deposits.csv": (cast.deposits.keys(), (Action.DOCUMENT_DEPOSIT,)),
    }.get(name, (axes["documents"].names, tuple(Action)))
    return {**axes, "documents": axes["documents"].within(documents), "actions": axes["actions"].within(actions)}


def _told(header: tuple[str, ...]) -> str:
    """The title of the cell that says by which rule, or which obligation."""
    return next(title for title in header if title not in _COLUMNS)
