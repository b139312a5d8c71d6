"""Policy files as text, read so strictly that nothing in them can be passed over.

Casbin's own reader loses the first row behind a byte-order mark, takes a trailing comment as part of a word and loads
an empty file without a word: hence this one.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from errno import ENOENT
from pathlib import Path
from typing import Protocol

from policy.errors import PolicyFileError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Place = tuple[Path, int]
"""Where a row stands: its file and its line, from 1."""

Line = tuple[Place, list[str]]
"""A row: where it stands, and its cells behind the type of row."""


class Source(Protocol):
    """Where files are read from. Both raise OSError where there is nothing."""

    def read(self, file: Path) -> bytes: ...

    def files(self, folder: Path) -> list[Path]:
        """Whatever stands in a folder and is not hidden, in the order of names."""
        ...


class _Disk:
    def read(self, file: Path) -> bytes:
        return file.read_bytes()

    def files(self, folder: Path) -> list[Path]:
        return sorted(file for file in folder.iterdir() if not file.name.startswith("."))


DISK: Source = _Disk()


@dataclass(frozen=True, slots=True)
class Texts:
    """A source in memory: the text of each file, by its name in the folder that would hold them all (`Path()`)."""

    texts: Mapping[str, str]

    def read(self, file: Path) -> bytes:
        if file.as_posix() not in self.texts:
            raise FileNotFoundError(ENOENT, "No such file")
        return self.texts[file.as_posix()].encode()

    def files(self, folder: Path) -> list[Path]:
        return sorted(file for file in map(Path, self.texts) if file.parent == folder)


def read_lines(file: Path, source: Source = DISK) -> list[tuple[int, str]]:
    """The lines that are neither blank nor comments, with their numbers. Raises PolicyFileError."""
    try:
        content = source.read(file)
    except OSError as error:
        raise PolicyFileError(file, None, f"cannot be read: {error.strerror}") from None
    if content.startswith(_BYTE_ORDER_MARK):
        raise PolicyFileError(file, 1, "begins with a byte-order mark: save it as UTF-8 without BOM")
    for line, raw in enumerate(content.split(b"\n"), start=1):
        _refuse_bytes(file, line, raw)
    numbered = enumerate(content.decode().split("\n"), start=1)
    lines = [(line, text) for line, text in numbered if text.strip() and not text.startswith("#")]
    if not lines:
        raise PolicyFileError(file, None, "holds nothing")
    return lines


def _refuse_bytes(file: Path, line: int, raw: bytes) -> None:
    if b"\r" in raw:
        raise PolicyFileError(file, line, "holds a carriage return: save it with Unix line ends")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise PolicyFileError(file, line, "is not UTF-8 text") from None
    if strange := [character for character in text if not character.isprintable()]:
        raise PolicyFileError(file, line, f"holds a character that does not print: {strange[0]!r}")


def read_rows(file: Path, arity: Mapping[str, int], source: Source = DISK) -> Iterator[tuple[str, Line]]:
    """The rows of a file of rules, each with its type, which says how many cells follow. Raises PolicyFileError."""
    for line, text in read_lines(file, source):
        kind, *cells = _split_row(file, line, text)
        refuse_unknown(file, line, "type of row", kind, arity)
        if len(cells) != arity[kind]:
            raise PolicyFileError(file, line, f"has {len(cells)} cells behind {kind}, not {arity[kind]}")
        if "" in cells:
            raise PolicyFileError(file, line, f"cell {cells.index('') + 1} behind {kind} is empty")
        yield kind, ((file, line), cells)


def _split_row(file: Path, line: int, text: str) -> list[str]:
    """The cells of a rule's row: separated by commas, without quotes, without anything behind them."""
    if "#" in text:
        raise PolicyFileError(file, line, "a comment stands behind data: give it a line of its own, above")
    if '"' in text or "'" in text:
        raise PolicyFileError(file, line, "holds a quote: words are written without any")
    if text != text.strip():
        raise PolicyFileError(file, line, "begins or ends with blanks")
    return [cell.strip() for cell in text.split(",")]


def read_table(file: Path, header: tuple[str, ...], source: Source = DISK) -> list[tuple[int, list[str]]]:
    """The rows of a table with a header, where a cell that holds a comma is quoted. Raises PolicyFileError."""
    (first, titles), *rows = [(line, _cells(file, line, text)) for line, text in read_lines(file, source)]
    if tuple(titles) != header:
        raise PolicyFileError(file, first, f"the header must be {','.join(header)}")
    if not rows:
        raise PolicyFileError(file, None, "holds no row under its header")
    for line, cells in rows:
        if len(cells) != len(header):
            raise PolicyFileError(file, line, f"has {len(cells)} cells, not {len(header)}")
        for title, cell in zip(header, cells, strict=True):
            if not cell or cell != cell.strip():
                raise PolicyFileError(file, line, f"{title} is empty or has blanks around it")
    return rows


def _cells(file: Path, line: int, text: str) -> list[str]:
    try:
        (cells,) = csv.reader([text], strict=True)
    except csv.Error as error:
        raise PolicyFileError(file, line, f"is not a row of a table: {error}") from None
    return cells


def refuse_unknown(file: Path, line: int, what: str, word: str, vocabulary: Iterable[str]) -> None:
    """Raises PolicyFileError unless the word is in the vocabulary, and suggests the nearest one that is."""
    words = tuple(vocabulary)
    if word in words:
        return
    near = get_close_matches(word, words, n=1) if len(word.split()) == 1 else []
    hint = f"; did you mean {near[0]}?" if near else ""
    raise PolicyFileError(file, line, f"{word!r} is no known {what}{hint}")
