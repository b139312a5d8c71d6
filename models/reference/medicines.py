"""What a package of medicine holds: a table beside this module, of which README.md says what it does not cover."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from re import compile as pattern

from models import reference
from models.reference.strict import ReferenceDataError, table

_COLUMNS = ("cip13", "atc", "label", "source", "year")
_CIP13 = pattern(r"34009[0-9]{8}")
_SUBSTANCE = pattern(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")
_YEAR = pattern(r"20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class PackagedMedicine:
    """A package (CIP13) and its substance, or its fixed combination of substances (ATC, level 5)."""

    cip13: str
    atc: str
    label: str
    source: str
    year: int


def load(folder: Traversable) -> Mapping[str, PackagedMedicine]:
    """Read `medicines.csv` of a folder, by CIP13. Raises ReferenceDataError."""
    return table(folder, "medicines.csv", _COLUMNS, _read)


def _read(cip13: str, atc: str, label: str, source: str, year: str) -> tuple[str, PackagedMedicine]:
    if not _CIP13.fullmatch(cip13) or not _has_its_key(cip13):
        raise ReferenceDataError("cip13 is no CIP13: 13 digits from 34009 on, the last of which is the key")
    if not _SUBSTANCE.fullmatch(atc):
        raise ReferenceDataError("atc is no ATC code of level 5")
    if not _YEAR.fullmatch(year):
        raise ReferenceDataError("year is no year of this century")
    return cip13, PackagedMedicine(cip13, atc, label, source, int(year))


def _has_its_key(digits: str) -> bool:
    """The key of an EAN-13: the digits weigh 1 and 3 in turn, and weigh a multiple of ten together."""
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits)) % 10 == 0


MEDICINES: Mapping[str, PackagedMedicine] = load(files(reference.__name__))
