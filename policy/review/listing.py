"""All rows as tables that a reader goes through: refusals and permissions in order of precedence, then obligations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy.loader import load
from policy.reasons import ALLOW, DENY
from policy.review.lint.chapters import written
from policy.ruleset import Row


@dataclass(frozen=True)
class Listing:
    """The rows of a policy folder, with their sources (`policy.review.report.Report`)."""

    chapters: tuple[tuple[str, tuple[tuple[Row, str], ...]], ...]

    @property
    def passed(self) -> bool:
        return True

    def lines(self) -> Iterator[str]:
        for title, rows in self.chapters:
            yield f"**{title}**"
            yield ""
            last = "for" if title == _OBLIGATIONS else "source"
            yield f"| row | who | what | when | {last} |"
            yield "|---|---|---|---|---|"
            for row, source in rows:
                shown = row.consequence if title == _OBLIGATIONS else source
                yield f"| `{row.id}` | {row.who} | {row.action} | `{row.condition.text}` | {shown} |"
            yield ""

    def data(self) -> dict[str, Any]:
        return {
            title: [
                {
                    "row": row.id,
                    "who": row.who,
                    "action": row.action,
                    "condition": row.condition.text,
                    "consequence": row.consequence,
                    "source": source,
                    "file": row.file.name,
                    "line": row.line,
                }
                for row, source in rows
            ]
            for title, rows in self.chapters
        }


_REFUSALS = "Refusals, in order of precedence"
_PERMISSIONS = "Permissions, in order of precedence"
_OBLIGATIONS = "Obligations"


def list_rules(folder: Path) -> Listing:
    """Every row of a policy folder. Raises PolicyFileError."""
    rules = load(folder)
    sources = {(row.file, row.line): "; ".join(row.comment.sources) if row.comment else "" for row in written(folder)}
    place = rules.register.places

    def told(effect: str) -> tuple[tuple[Row, str], ...]:
        rows = sorted((row for row in rules.rules if row.effect == effect), key=lambda row: place[row.name])
        return tuple((row, sources[row.file, row.line]) for row in rows)

    obliging = tuple((row, sources[row.file, row.line]) for row in rules.duties)
    return Listing(((_REFUSALS, told(DENY)), (_PERMISSIONS, told(ALLOW)), (_OBLIGATIONS, obliging)))
