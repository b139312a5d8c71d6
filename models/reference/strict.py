"""A CSV file read as a table by its key; whatever is not exactly as expected is refused with file and line."""

import csv
from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

_Key = TypeVar("_Key", bound=str)
_Entry = TypeVar("_Entry")
_Word = TypeVar("_Word", bound=StrEnum)


class ReferenceDataError(ValueError):
    """The reference data are not what they must be; the message begins with file and line."""


def word(vocabulary: type[_Word], text: str) -> _Word:
    """A word of a closed vocabulary. Raises ReferenceDataError."""
    try:
        return vocabulary(text)
    except ValueError:
        msg = f"{text!r} is no {vocabulary.__name__}"
        raise ReferenceDataError(msg) from None


def table(
    folder: Traversable, name: str, columns: tuple[str, ...], read: Callable[..., tuple[_Key, _Entry]]
) -> Mapping[_Key, _Entry]:
    """One file as a read-only mapping; `read` turns the cells of a row into its key and its entry."""
    table: dict[_Key, _Entry] = {}
    rows = csv.reader(_lines(folder, name), strict=True)
    try:
        if tuple(next(rows, ())) != columns:
            msg = f"the columns are not {','.join(columns)}"
            raise ReferenceDataError(msg)
        for cells in rows:
            _check(cells, columns)
            key, entry = read(*cells)
            if key in table:
                msg = f"{key} stands here for the second time"
                raise ReferenceDataError(msg)
            table[key] = entry
    except (csv.Error, ReferenceDataError) as fault:
        msg = f"{name}:{rows.line_num or 1}: {fault}"
        raise ReferenceDataError(msg) from fault
    if not table:
        msg = f"{name}: without a single row"
        raise ReferenceDataError(msg)
    return MappingProxyType(table)


def _lines(folder: Traversable, name: str) -> list[str]:
    try:
        return folder.joinpath(name).read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as fault:
        msg = f"{name}: cannot be read as UTF-8 text"
        raise ReferenceDataError(msg) from fault


def _check(cells: list[str], columns: tuple[str, ...]) -> None:
    if len(cells) != len(columns):
        msg = f"{len(cells)} cells for {len(columns)} columns"
        raise ReferenceDataError(msg)
    for column, cell in zip(columns, cells, strict=True):
        if not cell or not cell.isprintable() or cell != cell.strip():
            msg = f"{column} is empty, has blanks around it or characters that do not print"
            raise ReferenceDataError(msg)
