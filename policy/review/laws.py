"""What must hold in every situation, whatever the rules become: data that reviewers read and write.

Laws have groups of their own (`laws/words.csv`), so that a change of the rules' groups does not change what is proved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.vocabulary import Action, Obligation
from policy.conditions import Condition, read_condition
from policy.errors import PolicyFileError
from policy.groups import Groups, read_groups
from policy.loader import PACKAGED
from policy.reasons import WITHOUT_ROWS, Register, is_slug
from policy.review.answers import Answers
from policy.review.planes import Plane
from policy.space import can_hold, dimensions
from policy.text import Place, read_rows, read_table, refuse_unknown
from policy.words import ACTION_WORDS, FACTS, NO_ACTION, Fact, Role

HEADER = ("law", "who", "action", "condition", "follows", "sentence")
WORDS = "words.csv"

_ARITY = {"g": 2, "g2": 2}


@dataclass(frozen=True)
class Follows:
    """What must follow where a law's condition is met: a word, and what it is said of."""

    word: str
    of: str = ""


@dataclass(frozen=True)
class Law:
    """A row: whom and what it is about, when, what must follow, and its sentence."""

    id: str
    who: frozenset[str]
    actions: frozenset[str]
    condition: Condition
    follows: Follows
    sentence: str
    file: Path
    line: int

    def bears_on(self, role: Role, action: Action | None) -> bool:
        """Whether it says something of this role and this action."""
        word = NO_ACTION if action is None else action.value
        if role.value not in self.who or word not in self.actions:
            return False
        return can_hold(role, action, self.condition.needs, self.condition.bars)

    def asks(self, asked: frozenset[Fact]) -> frozenset[Fact]:
        """The facts that tell where it holds, beside those that rules ask about: turning any other changes nothing."""
        about = {FACTS[self.follows.of]} if self.follows.word in _OF_FACTS else set[Fact]()
        return self.condition.facts | (about if self.follows.word == _NEVER_TOLD else about & asked)

    def broken(self, answers: Answers) -> int:
        """Where the law does not hold; the answers are those of a role and an action that it bears on."""
        here = answers.situations.where(self.condition)
        return here & _WORDS[self.follows.word](answers, self.follows.of)


def _refused_by(answers: Answers, rule: str) -> int:
    return answers.situations.all ^ answers.refusing.get(rule, 0)


def _decided_by(answers: Answers, rule: str) -> int:
    decided = answers.decided
    return answers.situations.all ^ decided.get((True, rule), 0) ^ decided.get((False, rule), 0)


def _given_nothing(answers: Answers, _: str) -> int:
    column = 0
    for given in answers.giving.values():
        column |= given
    return column


def _owes(answers: Answers, obligation: str) -> int:
    return answers.allowed & ~answers.obliged.get(Obligation(obligation), 0)


def _owes_not(answers: Answers, obligation: str) -> int:
    return answers.obliged.get(Obligation(obligation), 0)


def _never_opens(answers: Answers, fact: str) -> int:
    return _turned(answers, fact, answers.allowed, answers.situations.all ^ answers.allowed)


def _never_closes(answers: Answers, fact: str) -> int:
    return _turned(answers, fact, answers.situations.all ^ answers.allowed, answers.allowed)


def _turned(answers: Answers, fact: str, here: int, there: int) -> int:
    """Only a plane, which holds every situation, holds the same one without the fact."""
    return answers.situations.turned(FACTS[fact], here, there) if isinstance(answers.situations, Plane) else 0


def _told(answers: Answers, fact: str) -> int:
    return answers.situations.columns[FACTS[fact]]


_NEVER_TOLD = "never_told"
_OF_FACTS: dict[str, Callable[[Answers, str], int]] = {
    "never_opens": _never_opens,
    "never_closes": _never_closes,
    _NEVER_TOLD: _told,
}
_OF_RULES: dict[str, Callable[[Answers, str], int]] = {"refused_by": _refused_by, "decided_by": _decided_by}
_OF_OBLIGATIONS: dict[str, Callable[[Answers, str], int]] = {"owes": _owes, "owes_not": _owes_not}
_ALONE: dict[str, Callable[[Answers, str], int]] = {
    "allowed": lambda answers, _: answers.situations.all ^ answers.allowed,
    "refused": lambda answers, _: answers.allowed,
    "given_nothing": _given_nothing,
}
_WORDS = {**_OF_FACTS, **_OF_RULES, **_OF_OBLIGATIONS, **_ALONE}
"""Where each consequence fails, wherever the condition is met."""


def laws_folder(folder: Path) -> Path:
    """The laws of a policy folder; one that has none is held against the packaged ones."""
    own = folder / "laws"
    return own if own.is_dir() else PACKAGED / "laws"


def read_words(folder: Path) -> tuple[Groups, Groups]:
    """The laws' own groups, of roles and of actions. Raises PolicyFileError."""
    rows = list(read_rows(folder / WORDS, _ARITY))
    roles = read_groups([line for kind, line in rows if kind == "g"], tuple(Role), "role")
    actions = read_groups([line for kind, line in rows if kind == "g2"], ACTION_WORDS, "action")
    return roles, actions


def read_laws(folder: Path, register: Register) -> tuple[Law, ...]:
    """The laws of a folder `laws`. Raises PolicyFileError."""
    roles, actions = read_words(folder)
    laws: dict[str, Law] = {}
    for file in _tables(folder):
        for line, cells in read_table(file, HEADER):
            law = _law((file, line), cells, roles, actions, register)
            if law.id in laws:
                raise PolicyFileError(file, line, f"the law {law.id} stands already in {laws[law.id].file.name}")
            laws[law.id] = law
    return tuple(laws.values())


def _tables(folder: Path) -> Iterator[Path]:
    files = sorted(file for file in folder.glob("*.csv") if file.name != WORDS)
    if not files:
        raise PolicyFileError(folder, None, "holds no law")
    yield from files


def _law(place: Place, cells: list[str], roles: Groups, actions: Groups, register: Register) -> Law:
    name, who, action, condition, follows, sentence = cells
    if not is_slug(name):
        raise PolicyFileError(*place, f"{name!r} is no law's id: lower-case words joined by hyphens")
    refuse_unknown(*place, "role or group of roles", who, (*Role, *roles.members))
    refuse_unknown(*place, "action or group of actions", action, (*ACTION_WORDS, *actions.members))
    law = Law(
        name,
        roles.members.get(who, frozenset({who})),
        actions.members.get(action, frozenset({action})),
        read_condition(place, condition),
        _follows(place, follows, register),
        sentence,
        *place,
    )
    if not any(law.bears_on(role, what) for role in Role for what in (None, *Action) if dimensions(role, what)):
        raise PolicyFileError(*place, f"says nothing: {who}, {action} and {law.condition.text} do not meet")
    return law


def _follows(place: Place, text: str, register: Register) -> Follows:
    words = text.split()
    if len(words) == 1:
        refuse_unknown(*place, "consequence", words[0], _ALONE)
        return Follows(words[0])
    if len(words) > 2:  # noqa: PLR2004 - a consequence and what it is said of
        raise PolicyFileError(*place, f"{text!r} is no consequence: one word, or two")
    first, second = words
    if second in _OF_FACTS:
        refuse_unknown(*place, "fact", first, Fact)
        return Follows(second, first)
    refuse_unknown(*place, "consequence", first, (*_OF_RULES, *_OF_OBLIGATIONS))
    if first in _OF_RULES:
        refuse_unknown(*place, "rule of reasons.csv", second, register.reasons.keys() - set(WITHOUT_ROWS[1:]))
    else:
        refuse_unknown(*place, "obligation", second, tuple(Obligation))
    return Follows(first, second)
