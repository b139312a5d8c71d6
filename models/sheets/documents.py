"""The documents of a dossier: an entry is 70 bytes (see this package)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from models.columns import column
from models.facts import Document, Reference
from models.identifiers import pseudonym_of
from models.instants import instant_from_integer, instant_to_integer
from models.sheets.fields import (
    PARTIES,
    PARTY_CODES,
    WORD_SIZE,
    pack_instant,
    pack_party,
    pack_word,
    unpack_instant,
    unpack_party,
    unpack_word,
)
from models.vocabulary import DocumentStatus

DOCUMENT_SIZE = 70
MOST_DOCUMENTS = 65_535

_document = Struct(">16sqq16s16sBBHH")
_ID = "16s54x"

_MASKED, _HIDDEN, STATUS_SHIFT = 1, 2, 2
STATUSES = (
    DocumentStatus.CURRENT,
    DocumentStatus.SUPERSEDED,
    DocumentStatus.ARCHIVED,
    DocumentStatus.DELETED,
)
STATUS_CODES: dict[str, int] = {word: code for code, word in enumerate(STATUSES)}
DELETED = STATUS_CODES[DocumentStatus.DELETED]

Columns = tuple[bytes, int, int, bytes, bytes, int, int, int, int]
"""The fields of an entry, in its order."""


class Version(NamedTuple):
    """Which version of what a document is: `series` is the id of the first."""

    series: UUID
    version: int


class Filed(NamedTuple):
    """A document as it stands in a sheet."""

    document: Document
    version: Version


def unpack_all(documents: bytes) -> Iterator[Columns]:
    """The entries of a sheet, in the order in which they came."""
    return _document.iter_unpack(documents)


def ids_in(documents: bytes) -> list[bytes]:
    """The bytes of the ids of all of a sheet's documents, deleted ones included."""
    return column(_ID, documents)


def documents_in(documents: bytes) -> list[Document]:
    """The facts of all of a sheet's documents, deleted ones included, in the order in which they came."""
    return [facts_of(columns) for columns in unpack_all(documents)]


def filed_in(documents: bytes, identities: Collection[UUID] | None = None) -> list[Filed]:
    """All of a sheet's documents, or these, deleted ones included, in the order in which they came."""
    if identities is None:
        return [filed_of(documents, columns) for columns in unpack_all(documents)]
    wanted = {identity.bytes for identity in identities}
    ids = ids_in(documents)
    return [
        filed_of(documents, _document.unpack_from(documents, number * DOCUMENT_SIZE))
        for number in compress(range(len(ids)), map(wanted.__contains__, ids))
    ]


def find_filed(documents: bytes, identity: UUID) -> Filed | None:
    """One of a sheet's documents, deleted or not."""
    place = _place(documents, identity)
    return None if place is None else filed_of(documents, _document.unpack_from(documents, place))


def find_document(documents: bytes, identity: UUID) -> Document | None:
    """As `find_filed`, without its version."""
    place = _place(documents, identity)
    return None if place is None else facts_of(_document.unpack_from(documents, place), identity)


def document_at(documents: bytes, number: int) -> Document:
    """The facts of one of a sheet's documents, by its number from 0."""
    return facts_of(_document.unpack_from(documents, number * DOCUMENT_SIZE))


def append(documents: bytes, added: Iterable[Filed]) -> bytes:
    """With these documents behind the others; the series of each is its own or that of one before it.

    Raises ValueError when there are too many, a series is not there, or a word is none that can be stored.
    """
    parts = [documents]
    number = len(documents) // DOCUMENT_SIZE
    series_of: dict[UUID, int] = {}
    for document, version in added:
        if number >= MOST_DOCUMENTS:
            raise ValueError(f"a dossier holds at most {MOST_DOCUMENTS:,} documents")
        series_of[document.id] = number
        first = series_of.get(version.series)
        if first is None:
            first = series_of[version.series] = _number(documents, version.series)
        parts.append(_pack(document, version.version, first))
        number += 1
    return b"".join(parts)


def rewrite(documents: bytes, changed: Mapping[UUID, Document]) -> bytes:
    """With these in the place of the documents of the same ids, whose versions stay. Raises ValueError without one."""
    written = bytearray(documents)
    for identity, document in changed.items():
        place = _number(documents, identity) * DOCUMENT_SIZE
        *_, version, series = _document.unpack_from(documents, place)
        written[place : place + DOCUMENT_SIZE] = _pack(document, version, series)
    return bytes(written)


def pack_documents(filed: Sequence[Filed]) -> bytes:
    """A sheet of these documents, each first version before those that follow. Raises ValueError as `append`."""
    return append(b"", filed)


DocumentColumns = tuple[UUID, str, str, str, datetime, bool, datetime | None, bool, str]
"""Id, type, author's type and id, created, masked, withheld until, hidden from representatives, status."""


def pack_document(columns: DocumentColumns, version: int = 1, series: int = 0) -> bytes:
    """One document, not yet in a sheet: which number its series has depends on where it goes. Raises ValueError."""
    identity, document_type, author_type, author, created, masked, withheld, hidden, status = columns
    return _document.pack(
        identity.bytes,
        instant_to_integer(created),
        pack_instant(withheld),
        pack_party(author_type, author),
        pack_word(document_type),
        PARTY_CODES[author_type],
        (_MASKED if masked else 0) | (_HIDDEN if hidden else 0) | STATUS_CODES[status] << STATUS_SHIFT,
        version,
        series,
    )


def _pack(document: Document, version: int, series: int) -> bytes:
    columns = (
        document.id,
        document.document_type,
        document.author.type,
        document.author.id,
        document.created_at,
        document.masked,
        document.withheld_until,
        document.hidden_from_representatives,
        document.status,
    )
    return pack_document(columns, version, series)


def filed_of(documents: bytes, columns: Columns) -> Filed:
    series = columns[8] * DOCUMENT_SIZE
    return Filed(facts_of(columns), Version(UUID(bytes=documents[series : series + WORD_SIZE]), columns[7]))


def facts_of(columns: Columns, known: UUID | None = None) -> Document:
    """What an entry tells; `known` is its id, if that is at hand."""
    identity, created, withheld, author, document_type, kind, flags, _, _ = columns
    return Document(
        known or pseudonym_of(identity),
        unpack_word(document_type),
        Reference(PARTIES[kind], unpack_party(kind, author)),
        instant_from_integer(created),
        bool(flags & _MASKED),
        unpack_instant(withheld),
        bool(flags & _HIDDEN),
        STATUSES[flags >> STATUS_SHIFT],
    )


def _number(documents: bytes, identity: UUID) -> int:
    place = _place(documents, identity)
    if place is None:
        raise ValueError("there is no such document in the sheet")
    return place // DOCUMENT_SIZE


def _place(documents: bytes, identity: UUID) -> int | None:
    """Where an entry begins. The same bytes may stand elsewhere, across other fields: those are passed over."""
    wanted, place = identity.bytes, -1
    while (place := documents.find(wanted, place + 1)) >= 0:
        if place % DOCUMENT_SIZE == 0:
            return place
    return None
