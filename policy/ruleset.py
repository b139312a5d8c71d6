"""A rule set in memory: what the loader makes of a policy folder, and what the engine judges by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from models.vocabulary import Action, Obligation
from policy.habilitations import Habilitations
from policy.reasons import Register
from policy.space import can_hold
from policy.words import NO_ACTION, Fact, Role

ALWAYS = "always"
"""How a row writes that its condition is empty."""

ANY_RULE = "any_rule"
"""How a row writes that an obligation is attached whichever rule gives the permission."""


@dataclass(frozen=True)
class Condition:
    """A conjunction: all required facts hold, and no forbidden one does."""

    required: frozenset[Fact]
    forbidden: frozenset[Fact]

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


@dataclass(frozen=True)
class Row:
    """What rules and obligations have in common: where it stands, whom and what it is about, and when."""

    id: str
    who: str
    action: str
    condition: Condition
    file: Path
    line: int

    @property
    def name(self) -> str:
        """The rule's or obligation's own id, that several rows may share."""
        return self.id.partition("/")[0]


@dataclass(frozen=True)
class Rule(Row):
    """A row `p`: gives or takes away."""

    effect: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.id, self.who, self.action, self.condition.text, self.effect)


@dataclass(frozen=True)
class Duty(Row):
    """A row `p2`: attaches an obligation to permissions, whichever rule gives them (`any_rule`) or one only."""

    given_by: str

    @property
    def obligation(self) -> Obligation:
        return Obligation(self.name)

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.id, self.who, self.action, self.condition.text, self.given_by)


@dataclass(frozen=True)
class Groups:
    """Named groups of words: `edges` as written (member, group), `members` worked out down to the words."""

    edges: tuple[tuple[str, str], ...]
    members: Mapping[str, frozenset[str]]

    def includes(self, name: str, word: str) -> bool:
        """Whether the word is the one named, or belongs to the group named."""
        return name == word or word in self.members.get(name, frozenset())


@dataclass(frozen=True)
class RuleSet:
    """Everything that decides. Two rule sets that mean the same text have the same `revision`."""

    model: str
    rules: tuple[Rule, ...]
    duties: tuple[Duty, ...]
    roles: Groups
    actions: Groups
    register: Register
    habilitations: Habilitations

    def bears_on(self, row: Row, role: Role, action: Action | None) -> bool:
        """Whether a row can apply to this role and this action."""
        word = NO_ACTION if action is None else action.value
        return (
            self.roles.includes(row.who, role.value)
            and self.actions.includes(row.action, word)
            and can_hold(role, action, row.condition.needs, row.condition.bars)
        )

    @cached_property
    def revision(self) -> str:
        """SHA-256 over the content, in hexadecimal: comments, order of rows and names of files count for nothing.

        The register's order counts, because it is the order of precedence.
        """
        content = {
            "model": self.model,
            "p": sorted(rule.cells for rule in self.rules),
            "p2": sorted(duty.cells for duty in self.duties),
            "g": sorted(self.roles.edges),
            "g2": sorted(self.actions.edges),
            "register": [
                [reason.rule, reason.effect, reason.fr, reason.en] for reason in self.register.reasons.values()
            ],
            "habilitations": self.habilitations.rows,
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return sha256(text.encode()).hexdigest()
