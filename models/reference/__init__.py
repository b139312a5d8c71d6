"""The professions, the document types and their categories, as data beside this module (origin: README.md).

Loading is strict, because a misspelt word here would silently move a document to other eyes: whatever is not
exactly as expected stops the program with file and line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from models.reference.strict import ReferenceDataError, table, word
from models.vocabulary import Category, ProfessionKind, Space

__all__ = [
    "CATEGORIES",
    "DOCUMENT_TYPES",
    "PATIENT_EXPRESSIONS",
    "PROFESSIONS",
    "REIMBURSEMENTS",
    "DocumentType",
    "Profession",
    "ReferenceData",
    "ReferenceDataError",
    "document_type",
    "load",
    "profession",
]


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
    categories = table(folder, "categories.csv", ("key", "label_fr"), _read_category)
    missing = [category.value for category in Category if category not in categories]
    if missing:
        msg = f"categories.csv: without {', '.join(missing)}"
        raise ReferenceDataError(msg)
    return ReferenceData(
        categories=categories,
        document_types=table(
            folder, "document_types.csv", ("code", "label_fr", "category", "space"), _read_document_type
        ),
        professions=table(folder, "professions.csv", ("key", "nos_code", "label_fr", "kind"), _read_profession),
    )


def _read_category(key: str, label_fr: str) -> tuple[Category, str]:
    return word(Category, key), label_fr


def _read_document_type(code: str, label_fr: str, category: str, space: str) -> tuple[str, DocumentType]:
    return code, DocumentType(code, label_fr, word(Category, category), word(Space, space))


def _read_profession(key: str, nos_code: str, label_fr: str, kind: str) -> tuple[str, Profession]:
    return key, Profession(key, nos_code, label_fr, word(ProfessionKind, kind))


_PACKAGED = load(files(__name__))

CATEGORIES: Mapping[Category, str] = _PACKAGED.categories
DOCUMENT_TYPES: Mapping[str, DocumentType] = _PACKAGED.document_types
PROFESSIONS: Mapping[str, Profession] = _PACKAGED.professions

PATIENT_EXPRESSIONS = frozenset({"EXPPAT_1", "EXPPAT_2", "EXPPAT_3"})
"""The types by which patients express their will: theirs to deposit, whatever the category (RULES §4.2, `holder`)."""

REIMBURSEMENTS = frozenset(kind.code for kind in DOCUMENT_TYPES.values() if kind.category is Category.REIMBURSEMENT)
"""The types that leave every view after a time (RULES §4.2, `reimbursement-expired`)."""


def document_type(code: str) -> DocumentType | None:
    """The type of this code, or None for a code that the reference does not name."""
    return DOCUMENT_TYPES.get(code)


def profession(key: str) -> Profession | None:
    """The profession of this key, or None for a key that the reference does not name."""
    return PROFESSIONS.get(key)
