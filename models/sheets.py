"""A dossier's sheet: who is tied to it and what is so about its documents, packed as the dossier's row keeps them.

All that a decision reads of a dossier thus lies in one row: one look-up, mostly one page of the disk. A document takes
70 bytes here, and 32 where it is found by its id (`models.whereabouts`); as rows of tables with their indexes it took
some 330. Entries have one length, so that one is found without reading the others. Numbers are big-endian, instants
microseconds since 1970, and the code of a word is never given to another.

A tie is 34 bytes:    kind of party (1), party (16), kind of tie (1), since (8), until (8).
A document 70 bytes:  id (16), created (8), withheld until (8), author (16), type (16), kind of author (1), flags (1),
                      version (2), number of the series (2): the place of its first version among the documents, from 0.

Identifiers and types are ASCII, filled up with NUL; persons are the 16 bytes of their pseudonym. Where there is no
instant, the least number stands. Documents are in the order in which they came and never leave: a deleted one says so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from models.facts import Document, Reference, Relation, Representation
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.instants import instant_from_integer, instant_to_integer
from models.vocabulary import DocumentStatus, RelationKind, RepresentationKind, SubjectType

TIE_SIZE = 34
DOCUMENT_SIZE = 70
MOST_DOCUMENTS = 65_535

_tie = Struct(">B16sBqq")
_head = Struct(">B16s")
_document = Struct(">16sqq16s16sBBHH")

_dated = Struct(">16xq24x16sxB4x")
_look = Struct(">16s8s8s16s16sBB4x")

_NEVER = -(1 << 63)
_LONGEST = 16
_MASKED, _HIDDEN, _STATUS_SHIFT = 1, 2, 2
_FLAGS, _SERIES = 65, 68  # where these begin in a document

_PARTIES = (SubjectType.ORGANIZATION.value, SubjectType.PERSON.value, SubjectType.PROFESSIONAL.value)
_PARTY_CODES: dict[str, int] = {word: code for code, word in enumerate(_PARTIES)}
_A_PERSON = SubjectType.PERSON.value  # of millions of documents asked: a member of an Enum is slow to reach
_PERSON = _PARTY_CODES[_A_PERSON]
_RELATIONS = (RelationKind.BLOCKED, RelationKind.CARE_TEAM, RelationKind.GRANTED, RelationKind.TREATING_PHYSICIAN)
_RELATION_CODES: dict[str, int] = {word: code for code, word in enumerate(_RELATIONS)}
_REPRESENTATIONS = (RepresentationKind.CAREGIVER, RepresentationKind.LEGAL_REPRESENTATIVE)
_REPRESENTATION_CODES: dict[str, int] = {word: code for code, word in enumerate(_REPRESENTATIONS)}
_STATUSES = (
    DocumentStatus.CURRENT,
    DocumentStatus.SUPERSEDED,
    DocumentStatus.ARCHIVED,
    DocumentStatus.DELETED,
)
_STATUS_CODES: dict[str, int] = {word: code for code, word in enumerate(_STATUSES)}
_DELETED = _STATUS_CODES[DocumentStatus.DELETED]


class Sheet(NamedTuple):
    """Ties and documents of a dossier, packed; empty as it begins."""

    ties: bytes = b""
    documents: bytes = b""


class Version(NamedTuple):
    """Which version of what a document is: `series` is the id of the first."""

    series: UUID
    version: int


class Filed(NamedTuple):
    """A document as it stands in a sheet."""

    document: Document
    version: Version


class Looks(NamedTuple):
    """The id of each document, the number of how it looks, and for each look the first document that has it."""

    ids: list[bytes]
    numbers: list[int]
    examples: list[Document]


# Ties


def pack_ties(relations: Iterable[Relation], representations: Iterable[Representation]) -> bytes:
    """The ties of a dossier, of which each party has one of a kind, in their one order.

    Raises ValueError on a party that no dossier is tied to.
    """
    packed = [pack_relation(each.party.type, each.party.id, each.kind, each.since, each.until) for each in relations]
    packed += [pack_representation(each.person, each.kind, each.until) for each in representations]
    return b"".join(sorted(packed))


def pack_relation(party_type: str, party: str, kind: str, since: datetime | None, until: datetime | None) -> bytes:
    """One relation by its columns, as a tie."""
    return _tie.pack(
        _PARTY_CODES[party_type],
        _pack_party(party_type, party),
        _RELATION_CODES[kind],
        _pack_instant(since),
        _pack_instant(until),
    )


def pack_representation(person: UUID, kind: str, until: datetime | None) -> bytes:
    """One representation by its columns, as a tie."""
    return _tie.pack(_PERSON, person.bytes, _REPRESENTATION_CODES[kind], _NEVER, _pack_instant(until))


def relations_of(ties: bytes) -> list[Relation]:
    """Those of professionals and organizations, in force or not, by kind of party, party and kind."""
    return [
        Relation(
            Reference(_PARTIES[kind], _unpack_party(kind, party)),
            _RELATIONS[tie],
            _unpack_instant(since),
            _unpack_instant(until),
        )
        for kind, party, tie, since, until in _tie.iter_unpack(ties)
        if kind != _PERSON
    ]


def relations_with(ties: bytes, parties: Iterable[Reference]) -> tuple[Relation, ...]:
    """The relations of these parties, in their order and by kind; who cannot be a party has none."""
    found = []
    for party in parties:
        if party.type not in _PARTY_CODES or not _is_storable(party.id):
            continue
        for _, _, tie, since, until in _ties_of(ties, _PARTY_CODES[party.type], _ascii(party.id)):
            found.append(Relation(party, _RELATIONS[tie], _unpack_instant(since), _unpack_instant(until)))
    return tuple(found)


def representations_by(ties: bytes, person: UUID) -> tuple[Representation, ...]:
    """The representations by one person, by kind."""
    return tuple(
        Representation(person, _REPRESENTATIONS[tie], _unpack_instant(until))
        for _, _, tie, _, until in _ties_of(ties, _PERSON, person.bytes)
    )


def open_to(ties: bytes) -> set[str]:
    """The professionals and organizations with a tie that may open the dossier, in force or not."""
    blocked = _RELATION_CODES[RelationKind.BLOCKED]
    return {
        _unpack_party(kind, party)
        for kind, party, tie, _, _ in _tie.iter_unpack(ties)
        if kind != _PERSON and tie != blocked
    }


def representations_of(ties: bytes) -> list[Representation]:
    """Those of other persons, in force or not, by person and kind."""
    return [
        Representation(UUID(bytes=party), _REPRESENTATIONS[tie], _unpack_instant(until))
        for kind, party, tie, _, until in _tie.iter_unpack(ties)
        if kind == _PERSON
    ]


def _ties_of(ties: bytes, kind: int, party: bytes) -> Iterator[tuple[int, bytes, int, int, int]]:
    """Those of one party, which stand together."""
    head = _head.pack(kind, party)
    place = ties.find(head)
    while place >= 0 and place % TIE_SIZE:
        place = ties.find(head, place + 1)
    while place >= 0 and ties.startswith(head, place):
        yield _tie.unpack_from(ties, place)
        place += TIE_SIZE


# Documents


def documents_in(documents: bytes) -> list[Document]:
    """The facts of all of a sheet's documents, deleted ones included, in the order in which they came."""
    return list(map(_facts, _document.iter_unpack(documents)))


def filed_in(documents: bytes) -> list[Filed]:
    """All of a sheet's documents, deleted ones included, in the order in which they came."""
    return [_filed(documents, columns) for columns in _document.iter_unpack(documents)]


def ids_in(documents: bytes) -> list[bytes]:
    """The bytes of the ids of all of a sheet's documents, deleted ones included."""
    return [documents[place : place + _LONGEST] for place in range(0, len(documents), DOCUMENT_SIZE)]


def instants_in(documents: bytes) -> list[int]:
    """When each of a sheet's documents was created, in microseconds since 1970."""
    return [created for _, created, *_ in _document.iter_unpack(documents)]


def find_filed(documents: bytes, identity: UUID) -> Filed | None:
    """One of a sheet's documents, deleted or not."""
    place = _place(documents, identity)
    return None if place is None else _filed(documents, _document.unpack_from(documents, place))


def find_document(documents: bytes, identity: UUID) -> Document | None:
    """As `find_filed`, without its version."""
    place = _place(documents, identity)
    return None if place is None else _facts(_document.unpack_from(documents, place))


def looks_of(documents: bytes, author: Reference, dated: Collection[str]) -> Looks:
    """Two documents look alike that differ in no more than id, version, author and instant.

    Yet whether the author is this one counts, and so does the instant of documents of the types that are `dated`.
    """
    own = (
        (_pack_party(author.type, author.id).ljust(_LONGEST, b"\0"), _PARTY_CODES[author.type])
        if _is_party(author)
        else None
    )
    types = {_ascii(each).ljust(_LONGEST, b"\0") for each in dated}
    numbers: dict[_Look, int] = {}
    looks = Looks([], [], [])
    for identity, created, withheld, party, document_type, kind, flags in _look.iter_unpack(documents):
        is_own = (party, kind) == own
        look = (withheld, document_type, is_own, flags, created if document_type in types else b"")
        number = numbers.get(look)
        if number is None:
            number = numbers[look] = len(numbers)
            place = len(looks.ids) * DOCUMENT_SIZE
            looks.examples.append(_facts(_document.unpack_from(documents, place)))
        looks.ids.append(identity)
        looks.numbers.append(number)
    return looks


def oldest(documents: bytes, types: Collection[str]) -> datetime | None:
    """When the oldest document of these types is from that is not deleted."""
    wanted = {_ascii(each).ljust(_LONGEST, b"\0") for each in types}
    created = [
        instant
        for instant, document_type, flags in _dated.iter_unpack(documents)
        if document_type in wanted and flags >> _STATUS_SHIFT != _DELETED
    ]
    return instant_from_integer(min(created)) if created else None


def dates(documents: bytes, types: Collection[str]) -> dict[UUID, datetime]:
    """When each document of these types is from that is not deleted."""
    wanted = {_ascii(each).ljust(_LONGEST, b"\0") for each in types}
    return {
        UUID(bytes=columns[0]): instant_from_integer(columns[1])
        for columns in _document.iter_unpack(documents)
        if columns[4] in wanted and _STATUSES[columns[6] >> _STATUS_SHIFT] is not DocumentStatus.DELETED
    }


def latest(
    documents: bytes, document_type: str, author: Reference, since: datetime, until: datetime
) -> Iterator[Filed]:
    """The latest version that is not deleted of each of an author's documents of a type.

    Of those dated from one instant on, before another. What else there is, is passed over packed.
    """
    begin, end = instant_to_integer(since), instant_to_integer(until)
    kind, party = _PARTY_CODES[author.type], _pack_party(author.type, author.id).ljust(_LONGEST, b"\0")
    wanted = (party, _ascii(document_type).ljust(_LONGEST, b"\0"), kind)
    found: dict[int, _Columns] = {}
    for columns in _document.iter_unpack(documents):
        if begin <= columns[1] < end and columns[3:6] == wanted and columns[6] >> _STATUS_SHIFT != _DELETED:
            series, version = columns[8], columns[7]
            if series not in found or found[series][7] < version:
                found[series] = columns
    return (_filed(documents, columns) for columns in found.values())


def count_kept(documents: bytes) -> int:
    """How many documents there are with a version that is not deleted; the versions of one are one.

    A microsecond and a half for seven: columns are cut out of the whole, entries are not read.
    """
    flags, high, low = (documents[place::DOCUMENT_SIZE] for place in (_FLAGS, _SERIES, _SERIES + 1))
    series = zip(high, low, strict=True)
    if max(flags, default=0) >> _STATUS_SHIFT < _DELETED:
        return len(set(series))
    return len({one for flag, one in zip(flags, series, strict=True) if flag >> _STATUS_SHIFT != _DELETED})


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
        _pack_instant(withheld),
        _pack_party(author_type, author),
        _ascii(document_type),
        _PARTY_CODES[author_type],
        (_MASKED if masked else 0) | (_HIDDEN if hidden else 0) | _STATUS_CODES[status] << _STATUS_SHIFT,
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


_Look = tuple[bytes, bytes, bool, int, bytes]
_Columns = tuple[bytes, int, int, bytes, bytes, int, int, int, int]


def _filed(documents: bytes, columns: _Columns) -> Filed:
    series = columns[8] * DOCUMENT_SIZE
    return Filed(_facts(columns), Version(UUID(bytes=documents[series : series + _LONGEST]), columns[7]))


def _facts(columns: _Columns) -> Document:
    identity, created, withheld, author, document_type, kind, flags, _, _ = columns
    return Document(
        UUID(bytes=identity),
        document_type.rstrip(b"\0").decode("ascii"),
        Reference(_PARTIES[kind], _unpack_party(kind, author)),
        instant_from_integer(created),
        bool(flags & _MASKED),
        _unpack_instant(withheld),
        bool(flags & _HIDDEN),
        _STATUSES[flags >> _STATUS_SHIFT],
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


def _is_party(party: Reference) -> bool:
    if party.type == SubjectType.PERSON:
        try:
            return bool(parse_pseudonym(party.id))
        except InvalidIdentifierError:
            return False
    return party.type in _PARTY_CODES and _is_storable(party.id)


def _pack_party(party_type: str, party: str) -> bytes:
    return UUID(party).bytes if party_type == _A_PERSON else _ascii(party)


def _unpack_party(kind: int, party: bytes) -> str:
    return str(UUID(bytes=party)) if kind == _PERSON else party.rstrip(b"\0").decode("ascii")


def _is_storable(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable()


@lru_cache(maxsize=65_536)
def _ascii(text: str) -> bytes:
    if not _is_storable(text):
        raise ValueError(f"not 1 to {_LONGEST} printable characters of ASCII")
    return text.encode("ascii")


def _pack_instant(instant: datetime | None) -> int:
    return _NEVER if instant is None else instant_to_integer(instant)


def _unpack_instant(instant: int) -> datetime | None:
    return None if instant == _NEVER else instant_from_integer(instant)
