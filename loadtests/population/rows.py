"""Rows of tables in the binary format of PostgreSQL's COPY, a few thousand at a time.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": a row begins with the number of its fields, a
field with its length, -1 if it is null. Instants are microseconds since 2000, dates days.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.population.draws import Numbers
from loadtests.population.numbering import digits
from loadtests.population.people import Block
from loadtests.population.sheets import (
    FINESS_SIZE,
    ORGANIZATION,
    PROFESSIONAL,
    RPPS_SIZE,
    Ids,
    Ties,
    pack_documents,
    pack_ties,
)
from models.sheets import DOCUMENT_SIZE, TIE_SIZE
from models.vocabulary import DossierState
from models.whereabouts import ENTRY_SIZE

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

DOSSIER_COLUMNS = (
    "id",
    "state",
    "state_since",
    "born",
    "protected",
    "care_team_consent",
    "refuses_break_glass",
    "refuses_centre_15",
    "masked_in_emergency",
    "opened_at",
    "ties",
    "documents",
    "reimbursed_since",
)

_AT_ONCE = 4_096
_NULL = -1
_DAYS_BEFORE_2000 = 10_957
_BEFORE_2000 = _DAYS_BEFORE_2000 * 86_400 * 1_000_000
_NEVER = np.iinfo(np.int64).max
_OPENED = 1_735_689_600_000_000  # January 1st, 2025
_STATE = DossierState.OPEN.value.encode()


def dossier_rows(block: Block, ids: Ids, ties: Ties, guardians: Ids) -> Iterator[bytes]:
    """Rows of `dossier`; the pseudonyms are those of the holders, and of the persons among the ties."""
    counts = np.bincount(ties.owners, minlength=len(ids))
    packed_ties = _pieces(pack_ties(ties, guardians), counts, TIE_SIZE)
    packed_documents = _pieces(pack_documents(block, ids), block.documents.counts, DOCUMENT_SIZE)
    heads = _lines(_heads(block, ids, counts * TIE_SIZE))
    sizes = _lines((block.documents.counts * DOCUMENT_SIZE).astype(">i4"))
    tails = _tails(_reimbursed_since(block))
    for begin in range(0, len(heads), _AT_ONCE):
        some = slice(begin, begin + _AT_ONCE)
        yield _joined(heads[some], packed_ties[some], sizes[some], packed_documents[some], tails[some])


def tied_rows(ids: Ids, ties: Ties) -> Iterator[bytes]:
    """Rows of `tied`."""
    for kind, size in ((ORGANIZATION, FINESS_SIZE), (PROFESSIONAL, RPPS_SIZE)):
        chosen = ties.candidates & (ties.kinds == kind)
        party, dossier = digits(ties.parties[chosen], size), ids[ties.owners[chosen]]
        yield _records(len(party), [("party", f"S{size}", party), ("dossier", "V16", dossier)]).tobytes()


def whereabouts_rows(buckets: Numbers, entries: NDArray[np.void]) -> Iterator[bytes]:
    """Rows of `whereabouts`, of entries that are in the order of their buckets."""
    begins = np.flatnonzero(np.diff(buckets, prepend=-1))
    edges = np.append(begins, len(buckets))
    for begin in range(0, len(begins), _AT_ONCE):
        some = edges[begin : begin + _AT_ONCE + 1]
        counts = np.diff(some)
        record = [("bucket", ">i4", buckets[some[:-1]])]
        heads = _lines(_records(len(counts), record, fields=2, last=counts * ENTRY_SIZE))
        yield _joined(heads, _pieces(entries[some[0] : some[-1]].tobytes(), counts, ENTRY_SIZE))


def _heads(block: Block, ids: Ids, ties: Numbers) -> NDArray[np.void]:
    """Each row until before its ties."""
    count = len(ids)
    truths = {
        "protected": np.zeros(count, dtype=bool),
        "care_team_consent": block.consents,
        "refuses_break_glass": block.refuses_break_glass,
        "refuses_centre_15": block.refuses_centre_15,
        "masked_in_emergency": block.masked_in_emergency,
    }
    opened = np.full(count, _OPENED - _BEFORE_2000)
    columns = [
        ("id", "V16", ids),
        ("state", f"S{len(_STATE)}", np.full(count, _STATE)),
        ("state_since", ">i8", opened),
        ("born", ">i4", block.births.days() - _DAYS_BEFORE_2000),
        *((name, "u1", column) for name, column in truths.items()),
        ("opened_at", ">i8", opened),
    ]
    return _records(count, columns, fields=len(DOSSIER_COLUMNS), last=np.where(ties > 0, ties, _NULL))


def _reimbursed_since(block: Block) -> Numbers:
    """When the oldest care was that is reimbursed, in microseconds since 1970."""
    documents, since = block.documents, np.full(len(block.numbers), _NEVER)
    np.minimum.at(since, documents.owners[documents.reimbursed], documents.created[documents.reimbursed])
    return since


def _tails(since: Numbers) -> list[bytes]:
    """The last field alone: the number of fields stands at the beginning of the row."""
    written = _lines(_records(len(since), [("since", ">i8", since - _BEFORE_2000)]))
    null = np.array([_NULL], dtype=">i4").tobytes()
    return [null if each == _NEVER else line[2:] for each, line in zip(since.tolist(), written, strict=True)]


def _records(
    count: int, columns: Sequence[tuple[str, str, Any]], *, fields: int | None = None, last: Numbers | None = None
) -> NDArray[np.void]:
    """Rows of fields of one length each; if there is a last one of various lengths, that one's is the end."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind, _ in columns:
        layout += [(f"size {name}", ">i4"), (name, kind)]
    layout += [] if last is None else [("last", ">i4")]
    records = np.empty(count, dtype=np.dtype(layout))
    records["fields"] = len(columns) if fields is None else fields
    for name, kind, values in columns:
        records[f"size {name}"] = np.dtype(kind).itemsize
        records[name] = values
    if last is not None:
        records["last"] = last
    return records


def _joined(*columns: list[bytes]) -> bytes:
    return b"".join(chain.from_iterable(zip(*columns, strict=True)))


def _lines(records: NDArray[Any]) -> list[bytes]:
    return _pieces(records.tobytes(), np.ones(len(records), dtype=np.int64), records.itemsize)


def _pieces(packed: bytes, counts: Numbers, size: int) -> list[bytes]:
    edges = [0, *(np.cumsum(counts) * size).tolist()]
    return [packed[begin:end] for begin, end in pairwise(edges)]
