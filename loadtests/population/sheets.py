"""Sheets of a block of dossiers, packed as `models.sheets` packs them, all at once.

A test holds the two together. Pseudonyms are given: they need the secret of the deployment.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loadtests.population.directory import FUND
from loadtests.population.documents import AUTHOR_HOLDER, AUTHOR_PRACTITIONER, TYPES, WITHHELD_UNTIL
from loadtests.population.draws import Numbers, Truths
from loadtests.population.numbering import Text, digits
from loadtests.population.people import NOBODY, Block
from models.instants import instant_to_integer
from models.sheets import DOCUMENT_SIZE, TIE_SIZE

Ids = NDArray[np.void]
"""UUIDs, 16 bytes each."""

ORGANIZATION, PERSON, PROFESSIONAL = range(3)
BLOCKED, CARE_TEAM, GRANTED, TREATING_PHYSICIAN = range(4)
CAREGIVER, LEGAL_REPRESENTATIVE = range(2)
RPPS_SIZE, FINESS_SIZE = 11, 9

_NEVER = -(1 << 63)
_MASKED, _HIDDEN = 1, 2

_TIE = np.dtype([("kind", "u1"), ("party", "V16"), ("tie", "u1"), ("since", ">i8"), ("until", ">i8")])
_DOCUMENT = np.dtype(
    [
        ("id", "V16"),
        ("created", ">i8"),
        ("withheld", ">i8"),
        ("author", "V16"),
        ("type", "V16"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("version", ">u2"),
        ("series", ">u2"),
    ]
)
assert (_TIE.itemsize, _DOCUMENT.itemsize) == (TIE_SIZE, DOCUMENT_SIZE)  # noqa: S101 - a contradiction in the program
_TYPE_CODES = np.array([code.encode() for code in TYPES], dtype="S16").view("V16")


class Ties(NamedTuple):
    """Who is tied to which dossiers of a block, in the order of sheets."""

    owners: Numbers
    kinds: Numbers
    parties: Numbers
    """RPPS and FINESS as numbers; of persons the number of a dossier."""
    ties: Numbers

    @property
    def candidates(self) -> Truths:
        """To whom the dossier may be open: those by whom it is looked for (`tied`)."""
        return np.not_equal(self.kinds, PERSON) & np.not_equal(self.ties, BLOCKED)


def ties_of(block: Block) -> Ties:
    """All of a block."""
    guardians = np.where(block.is_child, LEGAL_REPRESENTATIVE, CAREGIVER)
    parts = [
        *(_column(ORGANIZATION, column, CARE_TEAM) for column in block.hospitals.T),
        _column(ORGANIZATION, block.granted_pharmacy, GRANTED),
        _column(PERSON, block.guardian, guardians),
        _column(PROFESSIONAL, block.practitioner, TREATING_PHYSICIAN),
        *(_column(PROFESSIONAL, column, CARE_TEAM) for column in block.nurses.T),
        _column(PROFESSIONAL, block.specialists[:, 0], GRANTED),
        _column(PROFESSIONAL, block.specialists[:, 1], BLOCKED),
    ]
    owners, kinds, parties, ties = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort((owners << 40) + (kinds << 38) + parties)
    return Ties(owners[order], kinds[order], parties[order], ties[order])


def pack_ties(ties: Ties, guardians: Ids) -> bytes:
    """The ties of all dossiers, one behind the other; the persons' pseudonyms are given in their order."""
    packed = np.empty(len(ties.owners), dtype=_TIE)
    packed["kind"] = ties.kinds
    packed["tie"] = ties.ties
    packed["since"] = packed["until"] = _NEVER
    for kind, size in ((ORGANIZATION, FINESS_SIZE), (PROFESSIONAL, RPPS_SIZE)):
        of_kind = ties.kinds == kind
        packed["party"][of_kind] = _filled(digits(ties.parties[of_kind], size))
    packed["party"][ties.kinds == PERSON] = guardians
    return packed.tobytes()


def pack_documents(block: Block, holders: Ids) -> bytes:
    """The documents of all dossiers, one behind the other."""
    documents = block.documents
    packed = np.empty(len(documents.owners), dtype=_DOCUMENT)
    packed["id"] = documents.ids()
    packed["created"] = documents.created
    packed["withheld"] = np.where(documents.withheld, instant_to_integer(WITHHELD_UNTIL), _NEVER)
    packed["type"] = _TYPE_CODES[documents.types]
    packed["flags"] = documents.masked * _MASKED + documents.hidden * _HIDDEN
    packed["version"] = 1
    packed["series"] = documents.ordinals
    parties, kinds = _authors(block, holders)
    packed["author"] = parties[documents.authors, documents.owners]
    packed["kind"] = kinds[documents.authors, documents.owners]
    return packed.tobytes()


def _authors(block: Block, holders: Ids) -> tuple[Ids, Numbers]:
    """For each kind of author and each dossier the party, and what it is: in the order of `AUTHOR_...`."""
    treated = block.practitioner != NOBODY
    hospital = _filled(digits(block.hospital, FINESS_SIZE))
    practitioner = np.where(treated, _filled(digits(np.maximum(block.practitioner, 0), RPPS_SIZE)), hospital)
    fund = np.full(len(hospital), np.array(FUND.encode(), dtype="S16").view("V16"))
    laboratory, pharmacy = (_filled(digits(column, FINESS_SIZE)) for column in (block.laboratory, block.pharmacy))
    kinds = np.full((AUTHOR_HOLDER + 1, len(hospital)), ORGANIZATION)
    kinds[AUTHOR_PRACTITIONER, treated] = PROFESSIONAL
    kinds[AUTHOR_HOLDER] = PERSON
    return np.stack([hospital, laboratory, pharmacy, practitioner, fund, holders]), kinds


def _column(kind: int, parties: Numbers, tie: int | Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    there = np.flatnonzero(parties != NOBODY)
    ties = np.broadcast_to(tie, parties.shape)[there]
    return there, np.full(len(there), kind), parties[there], ties


def _filled(texts: Text) -> Ids:
    return texts.astype("S16").view("V16")
