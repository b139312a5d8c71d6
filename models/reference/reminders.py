"""What people are reminded of, by age, sex and condition: a table beside this module, as strict as the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from re import compile as pattern

from models import reference
from models.reference.strict import ReferenceDataError, table, word
from models.vocabulary import CodeSystem, Sex

ANY, NONE = "any", "none"
_COLUMNS = (
    "key",
    "conditions",
    "sex",
    "from_age",
    "to_age",
    "codes",
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
_SHAPES = {
    CodeSystem.ATC: pattern(r"[A-Z](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?"),
    CodeSystem.CIP13: pattern(r"34009[0-9]{8}"),
    CodeSystem.CCAM: pattern(r"[A-Z]{4}[0-9]{3}"),
    CodeSystem.NGAP: pattern(r"[A-Z]{1,5}"),
    CodeSystem.LPP: pattern(r"[0-9]{7}"),
    CodeSystem.ICD10: pattern(r"[A-Z][0-9]{2}[0-9]{0,2}"),
}


@dataclass(frozen=True, slots=True)
class Settling:
    """What an act's code begins with: `J07BB` is every vaccine against influenza."""

    system: CodeSystem
    prefix: str

    def is_met_by(self, system: CodeSystem, value: str) -> bool:
        """Whether this code is one; ICD-10 is written with its point or without."""
        return system is self.system and value.replace(".", "").startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """From one age to another, both included, for those of a sex and with a condition, where one is named.

    An act of one of `codes` within the interval settles it; a document of these types, so recent, may.
    """

    key: str
    conditions: frozenset[Settling]
    sex: Sex | None
    from_age: int
    to_age: int
    codes: frozenset[Settling]
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
    types = _listed(row, "document_types", NONE)
    if not types <= reference.DOCUMENT_TYPES.keys():
        raise ReferenceDataError("document_types are not types of document")
    rule = ReminderRule(
        row["key"],
        frozenset(_settling(f"{CodeSystem.ICD10}:{each}") for each in _listed(row, "conditions", ANY)),
        None if row["sex"] == ANY else word(Sex, row["sex"]),
        _number(row, "from_age", range(_OLDEST + 1)),
        _number(row, "to_age", range(_OLDEST + 1)),
        frozenset(_settling(each) for each in _listed(row, "codes", NONE)),
        types,
        _number(row, "interval_months", range(1, _LONGEST_INTERVAL + 1)),
        row["text_fr"],
        row["text_en"],
        row["source"],
        _number(row, "year", _YEARS),
    )
    if rule.from_age > rule.to_age:
        raise ReferenceDataError("from_age is after to_age")
    if not rule.codes and not rule.document_types:
        raise ReferenceDataError("neither codes nor document_types: nothing would ever settle it")
    return rule.key, rule


def _listed(row: Mapping[str, str], column: str, nothing: str) -> frozenset[str]:
    """Words with one space between, each once, or the word for nothing."""
    if row[column] == nothing:
        return frozenset()
    words = row[column].split(" ")
    if len(set(words)) != len(words) or "" in words or nothing in words:
        msg = f"{column} are not words, each once, with one space between, or {nothing}"
        raise ReferenceDataError(msg)
    return frozenset(words)


def _settling(text: str) -> Settling:
    name, _, prefix = text.partition(":")
    system = word(CodeSystem, name)
    if not _SHAPES[system].fullmatch(prefix):
        msg = f"{prefix!r} is no code of {system}"
        raise ReferenceDataError(msg)
    return Settling(system, prefix)


def _number(row: Mapping[str, str], column: str, allowed: range) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and str(int(text)) == text and int(text) in allowed):
        msg = f"{column} is no number from {allowed.start} to {allowed.stop - 1}"
        raise ReferenceDataError(msg)
    return int(text)


REMINDERS: Mapping[str, ReminderRule] = load(files(reference.__name__))
