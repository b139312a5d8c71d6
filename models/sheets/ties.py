"""The ties of a dossier: an entry is 34 bytes (see this package)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from struct import Struct
from uuid import UUID

from models.facts import Reference, Relation, Representation
from models.sheets.fields import (
    PARTIES,
    PARTY_CODES,
    PERSON,
    WORD_SIZE,
    is_storable,
    pack_instant,
    pack_party,
    pack_word,
    unpack_instant,
    unpack_party,
)
from models.vocabulary import RelationKind, RepresentationKind

TIE_SIZE = 34

_tie = Struct(">B16sBqq")
_head = Struct(">B16s")

_RELATIONS = (RelationKind.BLOCKED, RelationKind.CARE_TEAM, RelationKind.GRANTED, RelationKind.TREATING_PHYSICIAN)
_RELATION_CODES: dict[str, int] = {word: code for code, word in enumerate(_RELATIONS)}
_REPRESENTATIONS = (RepresentationKind.CAREGIVER, RepresentationKind.LEGAL_REPRESENTATIVE)
_REPRESENTATION_CODES: dict[str, int] = {word: code for code, word in enumerate(_REPRESENTATIONS)}


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
        PARTY_CODES[party_type],
        pack_party(party_type, party),
        _RELATION_CODES[kind],
        pack_instant(since),
        pack_instant(until),
    )


def pack_representation(person: UUID, kind: str, until: datetime | None) -> bytes:
    """One representation by its columns, as a tie."""
    return _tie.pack(PERSON, person.bytes, _REPRESENTATION_CODES[kind], pack_instant(None), pack_instant(until))


def relations_of(ties: bytes) -> list[Relation]:
    """Those of professionals and organizations, in force or not, by kind of party, party and kind."""
    return [
        Relation(
            Reference(PARTIES[kind], unpack_party(kind, party)),
            _RELATIONS[tie],
            unpack_instant(since),
            unpack_instant(until),
        )
        for kind, party, tie, since, until in _tie.iter_unpack(ties)
        if kind != PERSON
    ]


def relations_with(ties: bytes, parties: Iterable[Reference]) -> tuple[Relation, ...]:
    """The relations of these parties, in their order and by kind; who cannot be a party has none."""
    return tuple(
        Relation(party, _RELATIONS[tie], unpack_instant(since), unpack_instant(until))
        for party in parties
        if (head := _head_of(party)) is not None
        for _, _, tie, since, until in _ties_of(ties, head)
    )


def representations_by(ties: bytes, person: UUID) -> tuple[Representation, ...]:
    """The representations by one person, by kind."""
    return tuple(
        Representation(person, _REPRESENTATIONS[tie], unpack_instant(until))
        for _, _, tie, _, until in _ties_of(ties, _head.pack(PERSON, person.bytes))
    )


def open_to(ties: bytes) -> set[str]:
    """The professionals and organizations with a tie that may open the dossier, in force or not."""
    blocked = _RELATION_CODES[RelationKind.BLOCKED]
    return {
        unpack_party(kind, party)
        for kind, party, tie, _, _ in _tie.iter_unpack(ties)
        if kind != PERSON and tie != blocked
    }


def representations_of(ties: bytes) -> list[Representation]:
    """Those of other persons, in force or not, by person and kind."""
    return [
        Representation(UUID(bytes=party), _REPRESENTATIONS[tie], unpack_instant(until))
        for kind, party, tie, _, until in _tie.iter_unpack(ties)
        if kind == PERSON
    ]


def _head_of(party: Reference) -> bytes | None:
    """With what the ties of a professional or an organization begin."""
    if party.type not in PARTY_CODES or len(party.id) > WORD_SIZE:
        return None  # before it is remembered: a caller's words may be long
    return _remembered_head(party)


@lru_cache(maxsize=8_192)
def _remembered_head(party: Reference) -> bytes | None:
    return _head.pack(PARTY_CODES[party.type], pack_word(party.id)) if is_storable(party.id) else None


def _ties_of(ties: bytes, head: bytes) -> Iterator[tuple[int, bytes, int, int, int]]:
    """Those of one party, which stand together."""
    place = ties.find(head)
    while place >= 0 and place % TIE_SIZE:
        place = ties.find(head, place + 1)
    while place >= 0 and ties.startswith(head, place):
        yield _tie.unpack_from(ties, place)
        place += TIE_SIZE
