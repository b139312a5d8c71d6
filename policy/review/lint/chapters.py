"""The chapters of the rules as they are written: every row with the comment above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from policy.loader import ARITY
from policy.text import DISK, read_rows

_CITATION = re.compile(r"\(([^()]+)\)$")


@dataclass(frozen=True)
class Comment:
    """Lines of comment that stand together; `line` is the last of them, which ends with the sources."""

    file: Path
    line: int
    text: str

    @property
    def sources(self) -> tuple[str, ...]:
        """What the comment cites at its end: `(L1111-17; [choice]: for emergencies)`; a note may follow a colon."""
        cited = _CITATION.search(self.text)
        return tuple(each.partition(":")[0].strip() for each in cited[1].split(";")) if cited else ()


@dataclass(frozen=True)
class Written:
    """A row where it stands, with the comment next above it in the same block: no blank line lies between."""

    file: Path
    line: int
    kind: str
    cells: tuple[str, ...]
    comment: Comment | None


def written(folder: Path) -> tuple[Written, ...]:
    """All rows of a policy folder that the loader accepts."""
    return tuple(row for file in DISK.files(folder / "rules") for row in _rows(file))


def _rows(file: Path) -> Iterator[Written]:
    comments = dict(_comments(file))
    for kind, ((_, line), cells) in read_rows(file, ARITY):
        yield Written(file, line, kind, tuple(cells), comments.get(line))


def _comments(file: Path) -> Iterator[tuple[int, Comment]]:
    """For each line below a comment, up to the next blank line or comment, that comment."""
    above: list[str] = []
    comment: Comment | None = None
    for line, text in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if text.startswith("#"):
            above = [text] if comment is None or comment.line != line - 1 else [*above, text]
            comment = Comment(file, line, " ".join(each.removeprefix("#").strip() for each in above))
        elif not text.strip():
            comment = None
        elif comment is not None:
            yield line, comment
