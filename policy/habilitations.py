"""The matrix that says which professions may see which documents, as a table that a lawyer reads.

The row of the exact document type decides, else the row of its category, else the answer is no. Rows whose status is
`suspended` are kept to be read and do not count (RULES §1).
"""

from dataclasses import dataclass
from pathlib import Path

from models.reference import DOCUMENT_TYPES, PROFESSIONS
from models.vocabulary import Category
from policy.errors import PolicyFileError
from policy.text import DISK, Source, read_table, refuse_unknown

HEADER = ("profession", "scope", "effect", "status")
EFFECTS = ("allow", "deny")
STATUSES = ("sourced", "assumed", "suspended")
_SCOPES = (*DOCUMENT_TYPES, *(category.value for category in Category))


@dataclass(frozen=True, slots=True)
class Habilitations:
    """The matrix, worked out: `opened` holds each profession with each document type that is open to it."""

    rows: tuple[tuple[str, ...], ...]
    opened: frozenset[tuple[str, str]]

    def opens(self, profession: str, document_type: str) -> bool:
        """Whether documents of this type are open to this profession; words that do not exist open nothing."""
        return (profession, document_type) in self.opened


def read_habilitations(file: Path, source: Source = DISK) -> Habilitations:
    """The matrix of a policy folder. Raises PolicyFileError."""
    rows = read_table(file, HEADER, source)
    decided: dict[tuple[str, str], str] = {}
    seen: dict[tuple[str, str], int] = {}
    for line, (profession, scope, effect, status) in rows:
        refuse_unknown(file, line, "profession", profession, PROFESSIONS)
        refuse_unknown(file, line, "document type or category", scope, _SCOPES)
        refuse_unknown(file, line, "effect", effect, EFFECTS)
        refuse_unknown(file, line, "status", status, STATUSES)
        if (first := seen.setdefault((profession, scope), line)) != line:
            raise PolicyFileError(file, line, f"{profession} and {scope} stand together already on line {first}")
        if status != "suspended":
            decided[profession, scope] = effect
    opened = frozenset(
        (profession, code)
        for profession in PROFESSIONS
        for code, kind in DOCUMENT_TYPES.items()
        if decided.get((profession, code), decided.get((profession, kind.category))) == "allow"
    )
    return Habilitations(tuple(sorted(tuple(cells) for _, cells in rows)), opened)
