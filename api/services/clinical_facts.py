"""What structured documents say: medicines, acts and conditions, each with the document that says so.

Pure values. They hold what is most private of a record, so nothing of it shows in a repr.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from models.vocabulary import Category, CodeSystem


@dataclass(frozen=True, slots=True)
class Code:
    """A code of one of these systems, in upper case: `J07BB02`, `3400930000011`, `E11`, `E11.9`."""

    system: CodeSystem
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine prescribed, dispensed, administered or reimbursed (`category`), from one day to another, included.

    `ends` is None where the document does not say it. `author` is who signs the document, `prescriber` an RPPS.
    `identifiers` name what is told and `prescriptions` the prescription that it is or that it carries out.
    """

    category: Category
    codes: frozenset[Code]
    label: str = field(repr=False)
    begins: date
    ends: date | None
    document: UUID
    author: str = field(default="", repr=False)
    prescriber: str | None = field(default=None, repr=False)
    identifiers: frozenset[str] = field(default=frozenset(), repr=False)
    prescriptions: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    """An act that was reimbursed, or a vaccination (its codes are then ATC, under J07)."""

    codes: frozenset[Code]
    on: date
    document: UUID


@dataclass(frozen=True, slots=True)
class Condition:
    """A disease that the holder has, as some document states it."""

    codes: frozenset[Code]
    document: UUID


@dataclass(frozen=True, slots=True)
class Clinical:
    """What was understood of some documents, and the documents of which nothing was.

    `unstructured` say nothing here; `broken` do not open, which whoever asked has to journal; `left_out` were not read
    because there were too many, or are too large.
    """

    medicines: Collection[Medicine] = ()
    acts: Collection[Act] = ()
    conditions: Collection[Condition] = ()
    unstructured: frozenset[UUID] = frozenset()
    broken: frozenset[UUID] = frozenset()
    left_out: frozenset[UUID] = frozenset()
