"""Sheets: what is packed is what is read, byte for byte as the module says, and an entry is never taken for another."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.facts import Document, Reference, Relation, Representation
from models.instants import storable
from models.reference import DOCUMENT_TYPES
from models.sheets import (
    DOCUMENT_SIZE,
    MOST_DOCUMENTS,
    TIE_SIZE,
    Filed,
    Version,
    append,
    count_kept,
    dates,
    documents_in,
    filed_in,
    find_document,
    find_filed,
    latest,
    oldest,
    open_to,
    pack_documents,
    pack_ties,
    relations_of,
    relations_with,
    representations_by,
    representations_of,
    rewrite,
)
from models.vocabulary import DocumentStatus, RelationKind, RepresentationKind

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
JULIE, CHU = Reference("professional", "10001234565"), Reference("organization", "750000002")
BASILE = UUID(int=0xBA51)

instants = st.datetimes(timezones=st.just(UTC)).map(storable)
parties = st.one_of(
    st.from_regex(r"[0-9]{11}", fullmatch=True).map(lambda id_: Reference("professional", id_)),
    st.from_regex(r"[0-9]{9}", fullmatch=True).map(lambda id_: Reference("organization", id_)),
)
relations = st.builds(Relation, parties, st.sampled_from(RelationKind), st.none() | instants, st.none() | instants)
representations = st.builds(Representation, st.uuids(), st.sampled_from(RepresentationKind), st.none() | instants)
documents = st.builds(
    Document,
    st.uuids(),
    st.sampled_from(sorted(DOCUMENT_TYPES)),
    st.one_of(parties, st.uuids().map(lambda id_: Reference("person", str(id_)))),
    instants,
    st.booleans(),
    st.none() | instants,
    st.booleans(),
    st.sampled_from(DocumentStatus),
)


months = st.builds(
    Document,
    st.uuids(),
    st.sampled_from(["REMB", "REMB", "11488-4"]),
    st.sampled_from([CHU, CHU, replace(CHU, id="750000010"), replace(CHU, type="professional")]),
    st.integers(0, 9).map(lambda number: AT - timedelta(days=number)),
    status=st.sampled_from(DocumentStatus),
)
series_of_months = st.lists(st.lists(months, min_size=1, max_size=4), max_size=5)


def first(document: Document) -> Filed:
    """A document that begins a series."""
    return Filed(document, Version(document.id, 1))


def report(number: int, **facts: object) -> Document:
    """A document, each a day older than the one before."""
    standard = Document(UUID(int=number), "11488-4", JULIE, AT - timedelta(days=number))
    return replace(standard, **facts)


@given(
    st.lists(relations, unique_by=lambda each: (each.party, each.kind)),
    st.lists(representations, unique_by=lambda each: (each.person, each.kind)),
)
def test_ties_are_read_as_they_were_packed(ties: list[Relation], others: list[Representation]) -> None:
    """All of them, in whatever order they were given; those of one party alone are those of them that are its."""
    packed = pack_ties(ties, others)
    assert len(packed) == TIE_SIZE * (len(ties) + len(others))
    assert packed == pack_ties(ties[::-1], others[::-1])
    assert sorted(relations_of(packed), key=str) == sorted(ties, key=str)
    assert sorted(representations_of(packed), key=str) == sorted(others, key=str)
    for party in {each.party for each in ties} | {JULIE, CHU}:
        its = sorted((each for each in ties if each.party == party), key=lambda each: each.kind)
        assert relations_with(packed, [party]) == tuple(its)
    for person in {each.person for each in others} | {BASILE}:
        its_own = sorted((each for each in others if each.person == person), key=lambda each: each.kind)
        assert representations_by(packed, person) == tuple(its_own)


@given(st.lists(documents, unique_by=lambda each: each.id))
def test_documents_are_read_as_they_were_packed(held: list[Document]) -> None:
    """All facts of all of them, in order, at once and one by one."""
    packed = pack_documents([first(each) for each in held])
    assert len(packed) == DOCUMENT_SIZE * len(held)
    assert documents_in(packed) == held
    assert [find_document(packed, each.id) for each in held] == held
    assert filed_in(packed) == [first(each) for each in held]


def test_bytes_are_those_that_the_module_tells() -> None:
    """Written out by hand: a tie of each sort, and a document with everything."""
    since = (1_000_000).to_bytes(8, "big")
    never = b"\x80" + bytes(7)
    julie = b"10001234565" + bytes(5)
    ties = pack_ties(
        [Relation(JULIE, RelationKind.TREATING_PHYSICIAN, since=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))],
        [Representation(BASILE, RepresentationKind.CAREGIVER)],
    )
    assert ties == b"\x01" + BASILE.bytes + b"\x00" + never + never + b"\x02" + julie + b"\x03" + since + never
    document = report(
        7,
        created_at=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        masked=True,
        hidden_from_representatives=True,
        status=DocumentStatus.ARCHIVED,
    )
    kind = b"11488-4" + bytes(9)
    entry = UUID(int=7).bytes + since + never + julie + kind + bytes([2, 0b1011, 0, 1, 0, 0])
    assert pack_documents([first(document)]) == entry


def test_a_version_stands_in_its_series() -> None:
    """However many documents stand between them, and across several changes."""
    packed = pack_documents([first(report(1)), first(report(2))])
    packed = append(packed, [Filed(report(3), Version(UUID(int=2), 2)), Filed(report(4), Version(UUID(int=2), 3))])
    versions = [(version.series.int, version.version) for _, version in filed_in(packed)]
    assert versions == [(1, 1), (2, 1), (2, 2), (2, 3)]
    with pytest.raises(ValueError, match="no such document"):
        append(packed, [Filed(report(5), Version(UUID(int=9), 2))])


def test_a_rewritten_document_keeps_its_place() -> None:
    """Its version too, and the others are as they were."""
    packed = append(pack_documents([first(report(1))]), [Filed(report(2), Version(UUID(int=1), 2))])
    changed = rewrite(packed, {UUID(int=2): report(2, masked=True)})
    assert documents_in(changed) == [report(1), report(2, masked=True)]
    assert find_filed(changed, UUID(int=2)) == Filed(report(2, masked=True), Version(UUID(int=1), 2))
    with pytest.raises(ValueError, match="no such document"):
        rewrite(packed, {UUID(int=3): report(3)})


def test_bytes_across_two_fields_are_no_entry() -> None:
    """An id that stands in the sheet by chance, where none begins, is nobody's: not a document, not a party."""
    packed = pack_documents([first(report(1)), first(report(2))])
    for offset in range(1, DOCUMENT_SIZE):
        assert find_document(packed, UUID(bytes=packed[offset : offset + 16])) is None
    ties = pack_ties([], [Representation(BASILE, RepresentationKind.CAREGIVER)] * 2)
    shifted = UUID(bytes=ties[2:18])
    assert representations_by(ties, shifted) == ()


def test_who_cannot_be_a_party_has_no_tie() -> None:
    """Words that callers make up are looked for nowhere."""
    ties = pack_ties([Relation(JULIE, RelationKind.GRANTED)], [])
    made_up = ["", "é", "1" * 17, "\0", "10001234565\0"]
    assert relations_with(ties, [Reference("professional", id_) for id_ in made_up]) == ()
    assert relations_with(ties, [Reference("staff", JULIE.id)]) == ()


def test_what_a_sheet_is_searched_by() -> None:
    """To whom it may be open, and since when it shows a reimbursement: not a blocked one, not a deleted one."""
    other = Reference("organization", "750000010")
    ties = pack_ties(
        [Relation(JULIE, RelationKind.CARE_TEAM, until=AT), Relation(CHU, RelationKind.BLOCKED),
         Relation(other, RelationKind.GRANTED)],
        [Representation(BASILE, RepresentationKind.CAREGIVER)],
    )  # fmt: skip
    assert open_to(ties) == {JULIE.id, other.id}
    deleted = report(9, document_type="REMB", status=DocumentStatus.DELETED)
    shown = [report(number, document_type="REMB") for number in (3, 5)]
    packed = pack_documents([first(each) for each in (report(7), deleted, *shown)])
    assert oldest(packed, {"REMB"}) == AT - timedelta(days=5)
    assert oldest(packed, {"11502-2"}) is None


@given(series_of_months, st.integers(-1, 10), st.integers(-1, 10))
def test_what_is_gone_through_packed_is_what_is_there(held: list[list[Document]], since: int, until: int) -> None:
    """Counted, dated, and the latest versions found, as one would who reads every entry."""
    versions = [
        (number, Filed(document, Version(series[0].id, number)))
        for series in held
        for number, document in enumerate(series, 1)
    ]
    filed = [each for _, each in sorted(versions, key=lambda version: version[0])]
    packed, there = pack_documents(filed), [each for each in filed if each.document.status != "deleted"]
    assert count_kept(packed) == len({each.version.series for each in there})
    reimbursed = [each for each in there if each.document.document_type == "REMB"]
    assert dates(packed, {"REMB"}) == {each.document.id: each.document.created_at for each in reimbursed}
    begin, end = AT - timedelta(days=since), AT - timedelta(days=until)
    sought = [each for each in reimbursed if each.document.author == CHU and begin <= each.document.created_at < end]
    by_series = {each.version.series: each for each in sought}  # those that came last, which are the latest
    found = {each.version.series: each for each in latest(packed, "REMB", CHU, begin, end)}
    assert found == by_series


def test_series_beyond_a_byte_are_counted_apart() -> None:
    """Documents 1 and 257 are two, and so are a first version and one of many."""
    filed = [first(report(number)) for number in range(300)]
    filed += [Filed(report(300 + number), Version(UUID(int=7), 2 + number)) for number in range(300)]
    assert count_kept(pack_documents(filed)) == 300
    deleted = [replace(each.document, status=DocumentStatus.DELETED) for each in filed[:10]]
    packed = rewrite(pack_documents(filed), {each.id: each for each in deleted})
    assert count_kept(packed) == 291


def test_what_cannot_be_stored_is_refused() -> None:
    """A word that does not fit, and one document more than a sheet numbers; the reference's types all fit."""
    with pytest.raises(ValueError, match="printable"):
        pack_documents([first(report(1, document_type="A" * 17))])
    with pytest.raises(ValueError, match="printable"):
        pack_ties([Relation(Reference("professional", "é"), RelationKind.GRANTED)], [])
    entry = pack_documents([first(report(1))])
    full = entry * MOST_DOCUMENTS
    with pytest.raises(ValueError, match="at most"):
        append(full, [first(report(2))])
    assert max(map(len, DOCUMENT_TYPES)) <= 16
