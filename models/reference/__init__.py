"""The professions, the document types and their categories, as data beside this module (origin: README.md).

Loading is strict, because a misspelt word here would silently move a document to other eyes: whatever is not
exactly as expected stops the program with file and line.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from models.vocabulary import Category, ProfessionKind, Space

_Key = TypeVar("_Key", bound=str)
_Entry = TypeVar("_Entry")
_Word = TypeVar("_Word", bound=StrEnum)


class ReferenceDataError(ValueError):
    """The reference data are not what they must be; the message begins with file and line."""


@dataclass(frozen=True, slots=True)
class Profession:
    """A profession of the directory; `nos_code` is its code in the health nomenclatures, which several may share."""

    key: str
    nos_code: str
    label_fr: str
    kind: ProfessionKind


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A type of document: the category decides who may read it, the space where a dossier shows it (RULES §6)."""

    code: str
    label_fr: str
    category: Category
    space: Space


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """The three tables, each by its key, in the order of the files."""

    categories: Mapping[Category, str]
    document_types: Mapping[str, DocumentType]
    professions: Mapping[str, Profession]


def load(folder: Traversable) -> ReferenceData:
    """Read the three CSV files of a folder. Raises ReferenceDataError."""
    categories = _table(folder, "categories.csv", ("key", "label_fr"), _read_category)
    missing = [category.value for category in Category if category not in categories]
    if missing:
        msg = f"categories.csv: without {', '.join(missing)}"
        raise ReferenceDataError(msg)
    return ReferenceData(
        categories=categories,
        document_types=_table(
            folder, "document_types.csv", ("code", "label_fr", "category", "space"), _read_document_type
        ),
        professions=_table(folder, "professions.csv", ("key", "nos_code", "label_fr", "kind"), _read_profession),
    )


def _read_category(key: str, label_fr: str) -> tuple[Category, str]:
    return _word(Category, key), label_fr


def _read_document_type(code: str, label_fr: str, category: str, space: str) -> tuple[str, DocumentType]:
    return code, DocumentType(code, label_fr, _word(Category, category), _word(Space, space))


def _read_profession(key: str, nos_code: str, label_fr: str, kind: str) -> tuple[str, Profession]:
    return key, Profession(key, nos_code, label_fr, _word(ProfessionKind, kind))


def _word(vocabulary: type[_Word], text: str) -> _Word:
    try:
        return vocabulary(text)
    except ValueError:
        msg = f"{text!r} is no {vocabulary.__name__}"
        raise ReferenceDataError(msg) from None


def _table(
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


_PACKAGED = load(files(__name__))

CATEGORIES: Mapping[Category, str] = _PACKAGED.categories
DOCUMENT_TYPES: Mapping[str, DocumentType] = _PACKAGED.document_types
PROFESSIONS: Mapping[str, Profession] = _PACKAGED.professions

PATIENT_EXPRESSIONS = frozenset({"EXPPAT_1", "EXPPAT_2", "EXPPAT_3"})
"""The types by which patients express their will: theirs to deposit, whatever the category (RULES §4.2, `holder`)."""


def document_type(code: str) -> DocumentType | None:
    """The type of this code, or None for a code that the reference does not name."""
    return DOCUMENT_TYPES.get(code)


def profession(key: str) -> Profession | None:
    """The profession of this key, or None for a key that the reference does not name."""
    return PROFESSIONS.get(key)
