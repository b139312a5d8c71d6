"""Seeking in a sheet: what is found packed, and in which order, is what one would find who reads every entry."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.facts import Document, Reference
from models.instants import instant_to_integer
from models.sheets import Filed, Place, Version, document_at, entries_at, in_order, pack_documents, seek
from models.vocabulary import DocumentStatus

AT = datetime(1970, 1, 2, tzinfo=UTC)
NURSE, CHU, BASILE = (
    Reference("professional", "10001234565"),
    Reference("organization", "750000002"),
    Reference("person", str(UUID(int=0xBA51))),
)
TYPES = ["11488-4", "REMB", "EXPPAT_3"]
instants = st.integers(0, 4).map(lambda days: AT - timedelta(days=days))
held = st.lists(
    st.builds(
        Document,
        st.uuids(),
        st.sampled_from(TYPES),
        st.sampled_from([NURSE, CHU, BASILE]),
        instants,
        status=st.sampled_from(DocumentStatus),
    ),
    max_size=12,
    unique_by=lambda document: document.id,
)


def packed(documents: Collection[Document]) -> bytes:
    return pack_documents([Filed(each, Version(each.id, 1)) for each in documents])


def place_of(document: Document) -> Place:
    return instant_to_integer(document.created_at), document.id.bytes


@given(held, st.none() | instants, st.booleans(), st.integers(0, 11))
def test_the_order_is_that_of_instants_and_ids(
    documents: list[Document], at: datetime | None, oldest_first: bool, number: int
) -> None:
    """Before and after the year 1970, many of one instant, from any place on: one that is there, or none."""
    ordered = sorted(documents, key=place_of, reverse=not oldest_first)
    after = None if at is None else (instant_to_integer(at), UUID(int=number << 124).bytes)
    if at is not None and number < len(documents):
        after = place_of(documents[number])
    beyond = [
        each
        for each in ordered
        if after is None or (place_of(each) > after if oldest_first else place_of(each) < after)
    ]
    sheet = packed(documents)
    numbers = in_order(sheet, after, oldest_first=oldest_first)
    assert [document_at(sheet, each) for each in numbers] == beyond
    assert [document_at(entries_at(sheet, numbers), each) for each in range(len(beyond))] == beyond


@given(
    held,
    st.none() | st.sets(st.sampled_from([*TYPES, "", "x", "é"])),
    st.none() | st.sampled_from([NURSE, CHU, BASILE, Reference("professional", CHU.id), Reference("staff", "s1")]),
    st.none() | instants,
    st.none() | instants,
    st.booleans(),
)
def test_what_is_sought_is_what_is_so(
    documents: list[Document],
    types: set[str] | None,
    author: Reference | None,
    since: datetime | None,
    until: datetime | None,
    current_only: bool,
) -> None:
    """By type, author, instant and status; words that no sheet can hold are nobody's."""
    sought = [
        each
        for each in documents
        if each.status is not DocumentStatus.DELETED
        and (not current_only or each.status is DocumentStatus.CURRENT)
        and (types is None or each.document_type in types)
        and (author is None or each.author == author)
        and (since is None or each.created_at >= since)
        and (until is None or each.created_at < until)
    ]
    sheet, numbers = packed(documents), range(len(documents))
    found = seek(sheet, numbers, types=types, author=author, since=since, until=until, current_only=current_only)
    assert [document_at(sheet, each) for each in found] == sought


def test_an_author_is_the_same_in_upper_case() -> None:
    """A person's pseudonym; and what is sought is looked at as it is taken."""
    own = Document(UUID(int=1), "11488-4", BASILE, AT)
    sheet = packed([own, replace(own, id=UUID(int=2))])
    found = seek(sheet, range(3), author=Reference("person", BASILE.id.upper()))
    assert [next(found), next(found)] == [0, 1]
