"""A rule set in memory: what the loader makes of a policy folder, and what the engine judges by."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from models.vocabulary import Action, Obligation
from policy.conditions import Condition
from policy.groups import Groups
from policy.habilitations import Habilitations
from policy.reasons import Register
from policy.space import can_hold
from policy.words import NO_ACTION, Role


@dataclass(frozen=True)
class Row(ABC):
    """What rules and obligations have in common: where it stands, whom and what it is about, and when."""

    kind: ClassVar[str]
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

    @property
    @abstractmethod
    def consequence(self) -> str:
        """The last cell."""
        ...

    @property
    def cells(self) -> tuple[str, ...]:
        """What is written behind the kind of row, the condition in one spelling."""
        return (self.id, self.who, self.action, self.condition.text, self.consequence)

    @property
    def text(self) -> str:
        """The row as it is written."""
        return ", ".join((self.kind, *self.cells))


@dataclass(frozen=True)
class Rule(Row):
    """A row `p`: gives or takes away."""

    kind: ClassVar[str] = "p"
    effect: str

    @property
    def consequence(self) -> str:
        """See Row."""
        return self.effect


@dataclass(frozen=True)
class Duty(Row):
    """A row `p2`: attaches an obligation to permissions, whichever rule gives them (`any_rule`) or one only."""

    kind: ClassVar[str] = "p2"
    given_by: str

    @property
    def obligation(self) -> Obligation:
        return Obligation(self.name)

    @property
    def consequence(self) -> str:
        """See Row."""
        return self.given_by


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
