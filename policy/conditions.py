"""When a row applies: facts that all hold, or do not, joined by `&`."""

from dataclasses import dataclass
from functools import cached_property

from policy.errors import PolicyFileError
from policy.text import Place, refuse_unknown
from policy.words import ALWAYS, FACTS, Fact


@dataclass(frozen=True)
class Condition:
    """A conjunction: all required facts hold, and no forbidden one does."""

    required: frozenset[Fact]
    forbidden: frozenset[Fact]

    @cached_property
    def facts(self) -> frozenset[Fact]:
        """The facts that it asks about."""
        return self.required | self.forbidden

    @cached_property
    def needs(self) -> int:
        return sum(fact.bit for fact in self.required)

    @cached_property
    def bars(self) -> int:
        return sum(fact.bit for fact in self.forbidden)

    def is_met(self, bits: int) -> bool:
        """Whether a situation with these facts (`Situation.bits`) satisfies the condition."""
        return bits & self.needs == self.needs and not bits & self.bars

    @property
    def text(self) -> str:
        """The condition in one spelling: facts in the order of the vocabulary."""
        literals = (
            f"!{fact.value}" if fact in self.forbidden else fact.value
            for fact in Fact
            if fact in self.required or fact in self.forbidden
        )
        return " & ".join(literals) or ALWAYS


def read_condition(place: Place, text: str) -> Condition:
    """The condition that a cell writes. Raises PolicyFileError."""
    if text == ALWAYS:
        return Condition(frozenset(), frozenset())
    required: set[Fact] = set()
    forbidden: set[Fact] = set()
    for literal in (part.strip() for part in text.split("&")):
        word = literal.removeprefix("!")
        refuse_unknown(*place, "fact", word, Fact)
        fact = FACTS[word]
        if fact in required or fact in forbidden:
            raise PolicyFileError(*place, f"{word} stands twice in the condition")
        (forbidden if literal.startswith("!") else required).add(fact)
    return Condition(frozenset(required), frozenset(forbidden))
