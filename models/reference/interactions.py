"""Known interactions of medicines: a table beside this module, of which README.md says what it does not cover.

Silence of this table is no safety: it holds few pairs, and whoever shows them shows what it covers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from re import compile as pattern

from models import reference
from models.reference.strict import ReferenceDataError, table, word
from models.vocabulary import InteractionLevel

_COLUMNS = ("atc_a", "label_a", "atc_b", "label_b", "level", "source", "year")
_ATC = pattern(r"[A-Z][0-9]{2}[A-Z]{2}(?:[0-9]{2})?")
_YEAR = pattern(r"20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Interacting:
    """One of the two: a substance (ATC, level 5), or a whole group of them (level 4)."""

    atc: str
    label: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two that are known to interact, how much it matters, and who says so."""

    pair: tuple[Interacting, Interacting]
    level: InteractionLevel
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a table of interactions holds: so many pairs of so many codes, out of which sources."""

    pairs: int
    codes: int
    sources: tuple[tuple[str, int], ...]


def load(folder: Traversable) -> Mapping[str, Interaction]:
    """Read `interactions.csv` of a folder, each pair once, in the order of the file. Raises ReferenceDataError."""
    return table(folder, "interactions.csv", _COLUMNS, _read)


def coverage_of(interactions: Mapping[str, Interaction]) -> Coverage:
    """What is told beside what was found."""
    codes = {one.atc for each in interactions.values() for one in each.pair}
    sources = {(each.source, each.year) for each in interactions.values()}
    return Coverage(len(interactions), len(codes), tuple(sorted(sources)))


def _read(*cells: str) -> tuple[str, Interaction]:
    row = dict(zip(_COLUMNS, cells, strict=True))
    for column in ("atc_a", "atc_b"):
        if not _ATC.fullmatch(row[column]):
            msg = f"{column} is no ATC code of level 4 or 5"
            raise ReferenceDataError(msg)
    if row["atc_a"].startswith(row["atc_b"]) or row["atc_b"].startswith(row["atc_a"]):
        raise ReferenceDataError("atc_a and atc_b are not two: one of them is in the other")
    if not _YEAR.fullmatch(row["year"]):
        raise ReferenceDataError("year is no year of this century")
    pair = Interacting(row["atc_a"], row["label_a"]), Interacting(row["atc_b"], row["label_b"])
    key = " and ".join(sorted(one.atc for one in pair))
    return key, Interaction(pair, word(InteractionLevel, row["level"]), row["source"], int(row["year"]))


INTERACTIONS: Mapping[str, Interaction] = load(files(reference.__name__))
COVERAGE = coverage_of(INTERACTIONS)
