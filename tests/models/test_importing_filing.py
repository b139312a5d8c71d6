"""What a file says of one dossier: packed as sheets are, laid into them, and counted, whatever was there."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.facts import Document, Reference, Relation, Representation
from models.importing import filing
from models.importing.filing import put_documents, put_ties
from models.importing.gathering import Gatherer
from models.sheets import (
    Filed,
    Version,
    documents_in,
    filed_in,
    pack_documents,
    pack_ties,
    relations_of,
    representations_of,
)
from models.vocabulary import DocumentStatus, RelationKind, RepresentationKind
from models.whereabouts import entries_of
from tests.models.test_sheets import documents, relations, representations

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ALICE, BASILE = UUID(int=0xA11CE), UUID(int=0xBA51)
JULIE = Reference("professional", "10001234565")

few = st.integers(0, 5).map(lambda number: UUID(int=number))


def document(number: int, **facts: object) -> Document:
    return replace(Document(UUID(int=number), "11488-4", JULIE, AT), **facts)


def said(*each: Document) -> bytes:
    """As a file says them, whose entries know no place."""
    return b"".join(pack_documents([Filed(one, Version(one.id, 1))]) for one in each)


def first(*each: Document) -> list[Filed]:
    return [Filed(one, Version(one.id, 1)) for one in each]


@given(st.lists(relations, max_size=4), st.lists(relations, max_size=4), st.lists(representations, max_size=4))
def test_ties_are_one_of_each_party_and_kind(
    were: list[Relation], are: list[Relation], others: list[Representation]
) -> None:
    """The last said; the others stay; the same again is nothing."""
    sheet, _ = put_ties(b"", pack_ties(were, ()))
    ties, _ = put_ties(sheet, b"".join(pack_ties([each], ()) for each in are) + pack_ties((), others[:1]))
    last = {(each.party, each.kind): each for each in [*relations_of(sheet), *are]}
    assert set(relations_of(ties)) == set(last.values())
    assert representations_of(ties) == others[:1]
    assert ties == pack_ties(relations_of(ties), representations_of(ties))
    assert put_ties(ties, ties) == (ties, 0)


def test_ties_that_say_the_same_are_not_counted() -> None:
    """Of three of which one is new and one ends, two."""
    treating, team, granted = (
        Relation(JULIE, kind)
        for kind in (RelationKind.TREATING_PHYSICIAN, RelationKind.CARE_TEAM, RelationKind.GRANTED)
    )
    ends = replace(team, until=AT)
    ties, written = put_ties(pack_ties([treating, team], ()), pack_ties([treating, ends, granted], ()))
    assert (ties, written) == (pack_ties([treating, ends, granted], ()), 2)


@given(st.lists(st.builds(replace, documents, id=few), max_size=9), st.integers(0, 9))
def test_a_file_gives_what_its_halves_give(lines: list[Document], middle: int) -> None:
    """One after the other; and what it says last of each document, unless that was deleted before."""
    kept = [each for each in lines if each.status is not DocumentStatus.DELETED]
    half, _ = put_documents(b"", said(*kept[:middle]))
    halves, _ = put_documents(half, said(*kept[middle:]))
    assert put_documents(b"", said(*kept)) == (halves, len({each.id for each in kept}))
    assert filed_in(halves) == first(*{each.id: each for each in kept}.values())
    assert put_documents(halves, said(*documents_in(halves))) == (halves, 0)


CURRENT, MASKED = document(1), document(1, masked=True)
SUPERSEDED = document(1, status=DocumentStatus.SUPERSEDED)
SECOND = Filed(document(2), Version(UUID(int=1), 2))


@pytest.mark.parametrize(
    "there, file_s, expected",
    [
        (first(CURRENT), MASKED, first(MASKED)),
        (first(SUPERSEDED), CURRENT, first(CURRENT)),
        (first(document(1, status=DocumentStatus.ARCHIVED)), CURRENT, first(CURRENT)),
        (first(document(1, status=DocumentStatus.DELETED)), CURRENT, None),
        ([*first(SUPERSEDED), SECOND], CURRENT, None),
        ([*first(SUPERSEDED), SECOND], document(2, masked=True), None),
        (
            [*first(document(3), CURRENT), SECOND],
            document(3, masked=True),
            [*first(document(3, masked=True), CURRENT), SECOND],
        ),
        ([*first(CURRENT), SECOND], document(3), [*first(CURRENT), SECOND, *first(document(3))]),
    ],
)
def test_what_a_file_may_change(there: list[Filed], file_s: Document, expected: list[Filed] | None) -> None:
    """What has no other version and is not deleted; the rest is left as it is, and not counted."""
    found, written = put_documents(pack_documents(there), said(file_s))
    assert (filed_in(found), written) == ((there, 0) if expected is None else (expected, 1))


def test_a_dossier_does_not_hold_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were there count, those that come again do not."""
    monkeypatch.setattr(filing, "MOST_DOCUMENTS", 2)
    full, _ = put_documents(pack_documents(first(document(1))), said(document(2), document(2), document(1)))
    with pytest.raises(ValueError, match="a dossier holds at most 2 documents"):
        put_documents(full, said(document(3)))


def test_rows_are_gathered_by_dossier() -> None:
    """One row for each, in the order of the lines; a place for each document; parties that were not met before."""
    until, ties = AT.replace(year=2030), Representation(BASILE, RepresentationKind.CAREGIVER)
    one, two = document(1, hidden_from_representatives=True), document(2, author=Reference("person", str(BASILE)))
    relation = Relation(JULIE, RelationKind.CARE_TEAM, None, until)
    rows: list[tuple[str, tuple[object, ...]]] = [
        ("document", (3, ALICE, *_columns(one))),
        ("relation", (4, BASILE, JULIE.type, JULIE.id, "care_team", None, until)),
        ("representation", (5, ALICE, BASILE, "caregiver", None)),
        ("document", (6, ALICE, *_columns(two))),
    ]
    gatherer = Gatherer()
    gathered = gatherer.gather(rows)
    assert gathered.sheet == [
        (3, ALICE, ALICE.bytes, pack_ties((), [ties]), said(one, two)),
        (4, BASILE, BASILE.bytes, pack_ties([relation], ()), b""),
    ]
    placed = {bucket: entry for _, bucket, entry in gathered.place}
    assert placed == entries_of([(one.id, ALICE), (two.id, ALICE)])
    assert [line for line, *_ in gathered.place] == [3, 6]
    assert gathered.party == [
        (3, "document", *_party(one)),
        (4, "relation", JULIE.type, JULIE.id),
        (6, "document", *_party(two)),
    ]
    assert gatherer.gather(rows).party == []


def _party(written: Document) -> tuple[str, str]:
    return written.author.type, written.author.id


def _columns(one: Document) -> tuple[object, ...]:
    visibility = (one.masked, one.withheld_until, one.hidden_from_representatives)
    return (one.id, one.document_type, *_party(one), one.created_at, *visibility, one.status.value)
