"""The documents of a block of dossiers: how many each has, and what is so about each of them.

The k-th document of a dossier is drawn by the number of both. A dossier's documents are in the order of their dates,
but for reimbursements, which are of the last year, so that none of them expires before October 2027.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from math import erf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from loadtests.population.draws import Bits, Draws, Numbers, Table, Truths, weights_of
from loadtests.population.numbering import OLDEST, YEARS
from loadtests.profile import DOCUMENT_TYPES, DOCUMENTS_BY_AGE, POPULATION
from models.instants import instant_to_integer
from models.reference import REIMBURSEMENTS

NEWEST = datetime(2026, 10, 1, 8, tzinfo=UTC)
"""When the last documents were made, and everything else became as it is."""
WITHHELD_UNTIL = datetime(2036, 1, 1, tzinfo=UTC)

AUTHOR_HOSPITAL, AUTHOR_LABORATORY, AUTHOR_PHARMACY, AUTHOR_PRACTITIONER, AUTHOR_FUND, AUTHOR_HOLDER = range(6)
"""Who made a document, by its type; a hospital does it for a treating physician who is not there."""
TYPES = tuple(DOCUMENT_TYPES.values)
_TYPES = weights_of(DOCUMENT_TYPES.values)
_AUTHORS = {
    "11502-2": AUTHOR_LABORATORY,
    "57833-6": AUTHOR_PRACTITIONER,
    "PRESC-BIO": AUTHOR_PRACTITIONER,
    "55115-0": AUTHOR_PRACTITIONER,
    "11488-4": AUTHOR_PRACTITIONER,
    "60591-5": AUTHOR_PRACTITIONER,
    "60593-1": AUTHOR_PHARMACY,
    "REMB": AUTHOR_FUND,
    "DOCPAT01": AUTHOR_HOLDER,
}
_AUTHOR_OF_TYPE = np.array([_AUTHORS.get(each, AUTHOR_HOSPITAL) for each in TYPES], dtype=np.int64)
_REIMBURSED = np.array([each in REIMBURSEMENTS for each in TYPES])

_DOCUMENTS_OF_ONE = 1 << 16
_SECOND = 1_000_000
_YEAR = timedelta(days=365) // timedelta(seconds=1)
_HALVINGS = 50


class Documents:
    """The documents of dossiers whose holders have these ages."""

    def __init__(self, draws: Draws, numbers: Numbers, ages: Numbers) -> None:
        self._draws = draws
        self.counts = _counts(draws, numbers, ages)
        self.owners = np.repeat(np.arange(len(numbers)), self.counts)
        """In which of the dossiers of the block each document is."""
        self.ordinals = np.arange(len(self.owners)) - (np.cumsum(self.counts) - self.counts)[self.owners]
        self._numbers = numbers[self.owners] * _DOCUMENTS_OF_ONE + self.ordinals

    def ids(self) -> NDArray[np.void]:
        """UUIDs of version 4, 16 bytes each."""
        both = np.empty((len(self._numbers), 2), dtype=">u8")
        both[:, 0] = self._bits("id") & np.uint64(0xFFFFFFFFFFFF0FFF) | np.uint64(0x4000)
        both[:, 1] = self._bits("rest of the id") & np.uint64((1 << 62) - 1) | np.uint64(1 << 63)
        return both.view("V16")[:, 0]

    @cached_property
    def types(self) -> Numbers:
        """Which of `TYPES`."""
        return _TYPES.which(self._draws.shares("type", self._numbers))

    @cached_property
    def authors(self) -> Numbers:
        return _AUTHOR_OF_TYPE[self.types]

    @cached_property
    def reimbursed(self) -> Truths:
        return _REIMBURSED[self.types]

    @cached_property
    def created(self) -> Numbers:
        """Microseconds since 1970; most are recent."""
        ago = 1 - (self.ordinals + self._draws.shares("created", self._numbers)) / self.counts[self.owners]
        years = np.where(self.reimbursed, 1.0, ago * POPULATION["years that documents go back"].value)
        return instant_to_integer(NEWEST) - (ago * years * _YEAR).astype(np.int64) * _SECOND

    @cached_property
    def masked(self) -> Truths:
        """Never the first document of a dossier."""
        return self._truths("masked", "documents masked") & (self.ordinals > 0)

    @cached_property
    def withheld(self) -> Truths:
        """Neither a masked one, nor what comes from the holder or the fund."""
        made = self.authors < AUTHOR_FUND
        return self._truths("withheld", "documents withheld from the patient") & made & ~self.masked

    @cached_property
    def hidden(self) -> Truths:
        return self._truths("hidden", "documents hidden from representatives")

    def _bits(self, what: str) -> Bits:
        return self._draws.bits(what, self._numbers)

    def _truths(self, what: str, figure: str) -> Truths:
        return self._draws.truths(what, self._numbers, POPULATION[figure].value)


def _counts(draws: Draws, numbers: Numbers, ages: Numbers) -> Numbers:
    """How many each has: one at least."""
    tables, band_of_age = _tables()
    shares, bands = draws.shares("documents", numbers), band_of_age[ages]
    counts = np.empty(len(numbers), dtype=np.int64)
    for band, table in enumerate(tables):
        of_band = bands == band
        counts[of_band] = 1 + table.which(shares[of_band])
    return counts


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[Table, ...], Numbers]:
    """By age, how often one has 1, 2, ... documents; and which of these tables is for which age."""
    band_of_age = (
        np.searchsorted([int(age) for age in DOCUMENTS_BY_AGE.values], np.arange(OLDEST + 1), side="right") - 1
    )
    factors = np.fromiter(DOCUMENTS_BY_AGE.values.values(), dtype=np.float64)
    mean = POPULATION["documents a dossier, mean"].value
    overall = float(np.diff(YEARS.edges) @ factors[band_of_age])
    return tuple(_lognormal(mean * float(factor) / overall) for factor in factors), band_of_age


def _lognormal(mean: float) -> Table:
    """Rounded, one at least, cut off at the most: its median is found by halving, so that the mean is this one."""
    low, high = 0.0, log(2 * mean)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 + sum(1 - up_to for up_to in _up_to(middle)) < mean else (low, middle)
    return Table(np.array([0.0, *_up_to(low), 1.0]))


def _up_to(median: float) -> list[float]:
    """The share that has 1, up to 2, up to 3, ... documents, all but the most; the logarithm of the median is given."""
    spread = POPULATION["spread of documents a dossier (sigma of a lognormal)"].value * sqrt(2)
    most = int(POPULATION["most documents of a dossier"].value)
    return [(1 + erf((log(count + 0.5) - median) / spread)) / 2 for count in range(1, most)]
