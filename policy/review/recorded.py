"""Decisions as the journal keeps them, and how other rules answer them.

The journal keeps with each decision the words of its situation. All of them are facts but one: `habilitated` was worked
out by the matrix of its time, so it is worked out again by the matrix of the rules at hand, from the profession and
the type of the document, wherever both are still known.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from models.vocabulary import ACTIONS_ON, ResourceType
from policy.engine import Engine
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.words import PROFESSIONALS, Fact

_ON_DOCUMENT = ACTIONS_ON[ResourceType.DOCUMENT]
_MOST_REMEMBERED = 100_000


class Answer(NamedTuple):
    """What counts of a decision; obligations in alphabetical order."""

    allowed: bool
    rule: str
    obligations: tuple[str, ...]

    def __str__(self) -> str:
        duties = f": {' '.join(self.obligations)}" if self.obligations else ""
        return f"{'yes' if self.allowed else 'no'} by {self.rule}{duties}"

    def data(self) -> dict[str, Any]:
        return {"allowed": self.allowed, "rule": self.rule, "obligations": list(self.obligations)}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it was taken; `where` names its place in the journal, `words` are those of `Situation.words`.

    `profession` is that of a professional and `document_type` that of a document, where known. A `fault` is a refusal
    that no rule gave, such as of a content that does not open.
    """

    where: str
    at: datetime
    words: tuple[str, ...]
    allowed: bool
    rule: str
    obligations: tuple[str, ...]
    profession: str | None = None
    document_type: str | None = None
    fault: bool = False

    @property
    def answer(self) -> Answer:
        return Answer(self.allowed, self.rule, tuple(sorted(self.obligations)))


class Again(NamedTuple):
    """How rules answer a recorded decision; `by_old_matrix` if it took `habilitated` as it was recorded."""

    answer: Answer
    by_old_matrix: bool


class Rejudge:
    """Judges recorded decisions by a rule set; the same one twice is looked up."""

    def __init__(self, rules: RuleSet) -> None:
        self._engine = Engine(rules)
        self._opens = rules.habilitations.opens
        self._remembered = lru_cache(_MOST_REMEMBERED)(self._judge)

    def __call__(self, recorded: Recorded) -> Again:
        """The answer of these rules. Raises SituationError where the words are no situation any more."""
        return self._remembered(recorded.words, recorded.profession, recorded.document_type)

    def _judge(self, words: tuple[str, ...], profession: str | None, document_type: str | None) -> Again:
        situation, by_old_matrix = Situation.from_words(words), False
        if situation.role in PROFESSIONALS and situation.action in _ON_DOCUMENT:
            by_old_matrix = profession is None or document_type is None
            if profession is not None and document_type is not None:
                others = situation.code & ~Fact.HABILITATED.bit
                opened = self._opens(profession, document_type)
                situation = Situation(others | Fact.HABILITATED.bit if opened else others)
        decision = self._engine.judge(situation)
        obligations = tuple(sorted(obligation.value for obligation in decision.obligations))
        return Again(Answer(decision.allowed, decision.rule, obligations), by_old_matrix)
