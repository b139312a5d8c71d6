"""What people of an age are reminded of: a table beside this module, loaded as strictly as the others.

Rules that need the holder's sex (breast and cervical screening) or a condition are not here: neither is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from models import reference
from models.reference.strict import ReferenceDataError, table

_COLUMNS = (
    "key",
    "from_age",
    "to_age",
    "document_types",
    "interval_months",
    "text_fr",
    "text_en",
    "source",
    "year",
)
_OLDEST = 150
_LONGEST_INTERVAL = 1200
_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """From one age to another, both included; a document of these types, so recent, may attest that it was done."""

    key: str
    from_age: int
    to_age: int
    document_types: frozenset[str]
    interval_months: int
    text_fr: str
    text_en: str
    source: str
    year: int


def load(folder: Traversable) -> Mapping[str, ReminderRule]:
    """Read `reminders.csv` of a folder, in the order of the file. Raises ReferenceDataError."""
    return table(folder, "reminders.csv", _COLUMNS, _read)


def _read(*cells: str) -> tuple[str, ReminderRule]:
    row = dict(zip(_COLUMNS, cells, strict=True))
    types = row["document_types"].split(" ")
    if not set(types) <= reference.DOCUMENT_TYPES.keys() or len(set(types)) != len(types):
        raise ReferenceDataError("document_types are not types of document, each once, with one space between")
    rule = ReminderRule(
        row["key"],
        _number(row, "from_age", range(_OLDEST + 1)),
        _number(row, "to_age", range(_OLDEST + 1)),
        frozenset(types),
        _number(row, "interval_months", range(1, _LONGEST_INTERVAL + 1)),
        row["text_fr"],
        row["text_en"],
        row["source"],
        _number(row, "year", _YEARS),
    )
    if rule.from_age > rule.to_age:
        raise ReferenceDataError("from_age is after to_age")
    return rule.key, rule


def _number(row: Mapping[str, str], column: str, allowed: range) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and str(int(text)) == text and int(text) in allowed):
        msg = f"{column} is no number from {allowed.start} to {allowed.stop - 1}"
        raise ReferenceDataError(msg)
    return int(text)


REMINDERS: Mapping[str, ReminderRule] = load(files(reference.__name__))
