"""The register of rules, in order of precedence, with the sentence that tells each to a patient or a caller.

The order is that of the tables of RULES §4.1 and §4.2: where several rules decide, the first one is named. Ids never
change meaning and are never used again.
"""

from dataclasses import dataclass
from pathlib import Path

from models.decisions import NOT_PERMITTED
from policy.errors import PolicyFileError
from policy.text import DISK, Source, read_table, refuse_unknown

HEADER = ("rule", "effect", "fr", "en")
ALLOW = "allow"
DENY = "deny"
EFFECTS = (ALLOW, DENY)

CANNOT_JUDGE = "cannot-judge"
"""The deciding rule when the engine could not judge; like `not-permitted`, it is in the register and has no rows."""

WITHOUT_ROWS = (NOT_PERMITTED, CANNOT_JUDGE)


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule of the register, and its sentence in French and in English."""

    rule: str
    effect: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Register:
    """All rules, in order of precedence."""

    reasons: dict[str, Reason]
    places: dict[str, int]

    def in_order(self, rules: set[str]) -> tuple[str, ...]:
        """The same rules, the deciding one first."""
        return tuple(sorted(rules, key=self.places.__getitem__))


def is_slug(word: str) -> bool:
    """Whether the word is written as ids are: lower-case letters and digits, with single hyphens between them."""
    parts = word.split("-")
    return all(part.isascii() and part.isalnum() and part == part.lower() for part in parts)


def read_register(file: Path, source: Source = DISK) -> Register:
    """The register of a policy folder. Raises PolicyFileError."""
    reasons: dict[str, Reason] = {}
    for line, (rule, effect, fr, en) in read_table(file, HEADER, source):
        refuse_unknown(file, line, "effect", effect, EFFECTS)
        if not is_slug(rule):
            raise PolicyFileError(file, line, f"{rule!r} is no rule id: lower-case words joined by hyphens")
        if rule in reasons:
            raise PolicyFileError(file, line, f"{rule} is in the register already")
        if rule in WITHOUT_ROWS and effect != DENY:
            raise PolicyFileError(file, line, f"{rule} can only deny")
        reasons[rule] = Reason(rule, effect, fr, en)
    for rule in WITHOUT_ROWS:
        if rule not in reasons:
            raise PolicyFileError(file, None, f"the rule {rule} is missing")
    return Register(reasons, {rule: place for place, rule in enumerate(reasons)})
