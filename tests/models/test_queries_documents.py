"""What is written about documents."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from models.database import Database
from models.errors import ConstraintError
from models.facts import Document, Reference
from models.queries import fetch_case
from models.queries.documents import (
    STANDINGS,
    Held,
    Standing,
    add_document,
    add_version,
    hold_document,
    read_standing,
    read_standings,
    read_types,
    set_contest,
    set_status,
    set_visibility,
)
from models.sheets import Version
from models.vocabulary import DocumentStatus
from tests.models import world
from tests.models.world import ALICE, BASILE, JULIE, LATER, NOBODY, document, professional, question


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world as described there."""
    await world.settle(database)
    return database


async def _document(database: Database, identity: UUID) -> Document | None:
    asked = question(professional(JULIE), Reference("document", str(identity)))
    return (await fetch_case(database, asked)).document


async def test_a_document_is_stored_and_found(filled: Database) -> None:
    """As it was given, as the first version of its series."""
    given = document(1, masked=True, withheld_until=LATER, hidden_from_representatives=True)
    async with filled.begin() as connection:
        assert await add_document(connection, ALICE, given) == Version(given.id, 1)
    assert await _document(filled, given.id) == given
    assert await read_standing(filled, ALICE, given.id) == Standing(Version(given.id, 1))
    assert await read_standing(filled, BASILE, given.id) is None


async def test_the_types_of_documents(filled: Database) -> None:
    """Of those that are known in the dossier named, deleted ones too, however many are asked for."""
    known, deleted = document(1), document(2, document_type="18748-4")
    async with filled.begin() as connection:
        await add_document(connection, ALICE, known)
        await add_document(connection, BASILE, deleted)
        await set_status(connection, BASILE, deleted.id, DocumentStatus.DELETED, was=deleted.status)
    places = [(ALICE, UUID(int=number)) for number in range(2_000, 4_500)]
    places += [(ALICE, known.id), (ALICE, known.id), (ALICE, deleted.id), (BASILE, deleted.id)]
    expected = {(ALICE, known.id): known.document_type, (BASILE, deleted.id): "18748-4"}
    assert await read_types(filled, places) == expected
    assert await read_types(filled, []) == {}


async def test_a_document_s_id_is_taken_once(filled: Database) -> None:
    """In all dossiers together; and a document needs a dossier."""
    async with filled.begin() as connection:
        await add_document(connection, ALICE, document(1))
    for dossier, number in ((ALICE, 1), (BASILE, 1), (NOBODY, 2)):
        with pytest.raises(ConstraintError):
            async with filled.begin() as connection:
                await add_document(connection, dossier, document(number))


async def test_a_version_inherits_what_it_may_show(filled: Database) -> None:
    """The new one is as visible as the old, whatever was asked; the old one is superseded (RULES §4.2)."""
    first = document(2, masked=True, withheld_until=LATER, hidden_from_representatives=True)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, first)
        assert await add_version(connection, ALICE, document(1), replaces=first.id) == Version(first.id, 2)
        assert await add_version(connection, ALICE, document(0), replaces=document(1).id) == Version(first.id, 3)
    seen = {"masked": True, "withheld_until": LATER, "hidden_from_representatives": True}
    assert await _document(filled, first.id) == replace(first, status=DocumentStatus.SUPERSEDED)
    assert await _document(filled, document(1).id) == document(1, **seen, status=DocumentStatus.SUPERSEDED)
    assert await _document(filled, document(0).id) == document(0, **seen)


async def test_only_what_is_current_is_replaced(filled: Database) -> None:
    """Of two that replace at once the second is told; so it is for what is archived, deleted or elsewhere."""
    async with filled.begin() as connection:
        await add_document(connection, ALICE, document(1))
        await add_version(connection, ALICE, document(2), replaces=document(1).id)
        await add_document(connection, ALICE, document(3, status=DocumentStatus.ARCHIVED))
        await add_document(connection, BASILE, document(4))
    for replaced in (1, 3, 4, 99):
        with pytest.raises(ConstraintError):
            async with filled.begin() as connection:
                await add_version(connection, ALICE, document(5), replaces=document(replaced).id)
    assert await _document(filled, document(5).id) is None


async def test_a_mask_holds_for_all_versions(filled: Database) -> None:
    """Set on any version, earlier and later ones have it; other documents do not."""
    async with filled.begin() as connection:
        await add_document(connection, ALICE, document(3, withheld_until=LATER))
        await add_version(connection, ALICE, document(2), replaces=document(3).id)
        await add_version(connection, ALICE, document(1), replaces=document(2).id)
        await add_document(connection, ALICE, document(9))
        await set_visibility(connection, ALICE, document(2).id, masked=True)
    for number in (1, 2, 3):
        seen = await _document(filled, document(number).id)
        assert seen is not None
        assert (seen.masked, seen.withheld_until, seen.hidden_from_representatives) == (True, LATER, False)
    assert await _document(filled, document(9).id) == document(9)
    async with filled.begin() as connection:
        await set_visibility(connection, ALICE, document(1).id, revealed=True, hidden_from_representatives=True)
        await set_visibility(connection, ALICE, document(1).id)
    for number in (1, 2, 3):
        seen = await _document(filled, document(number).id)
        assert seen is not None
        assert (seen.masked, seen.withheld_until, seen.hidden_from_representatives) == (True, None, True)


async def test_a_status_changes_from_what_was_decided_on(filled: Database) -> None:
    """If somebody was faster, nothing happens and that is told."""
    current, archived = DocumentStatus.CURRENT, DocumentStatus.ARCHIVED
    async with filled.begin() as connection:
        await add_document(connection, ALICE, document(1))
        assert await set_status(connection, ALICE, document(1).id, archived, was=current)
        assert not await set_status(connection, ALICE, document(1).id, archived, was=current)
        assert not await set_status(connection, BASILE, document(1).id, current, was=archived)
    assert await _document(filled, document(1).id) == document(1, status=archived)


async def test_contests(filled: Database) -> None:
    """A contest stands with its document, and with no other, until it is taken away."""
    async with filled.begin() as connection:
        for number in (1, 2, 3):
            await add_document(connection, ALICE, document(number))
        await set_contest(connection, ALICE, document(1).id, b"contested")
        await set_status(connection, ALICE, document(3).id, DocumentStatus.DELETED, was=DocumentStatus.CURRENT)
        held = [await hold_document(connection, ALICE, document(number).id) for number in (1, 2, 3)]
        assert held == [
            Held(DocumentStatus.CURRENT, b"contested"),
            Held(DocumentStatus.CURRENT, None),
            Held(DocumentStatus.DELETED, None),
        ]
        with pytest.raises(ConstraintError):
            await hold_document(connection, BASILE, document(1).id)
    first, second = document(1).id, document(2).id
    assert await read_standings(filled, ALICE) == {
        first: Standing(Version(first, 1), b"contested"),
        second: Standing(Version(second, 1)),
    }
    assert await read_standings(filled, ALICE, {first, document(3).id, document(9).id}) == {
        first: Standing(Version(first, 1), b"contested")
    }
    many = {second, *(UUID(int=number) for number in range(600))}
    assert await read_standings(filled, ALICE, many) == {second: Standing(Version(second, 1))}
    assert await read_standings(filled, ALICE, set()) == {}
    async with filled.begin() as connection:
        await set_contest(connection, ALICE, second, b"contested too")
    sheets = [row[0] is not None for row in await filled.read(STANDINGS, ALICE)]
    assert sheets == [True, False], "the sheet is fetched once, however many contests there are"
    assert [each.contest_sealed for each in (await read_standings(filled, ALICE)).values()] == [
        b"contested",
        b"contested too",
    ]
    async with filled.begin() as connection:
        await set_contest(connection, ALICE, first, None)
        assert await hold_document(connection, ALICE, first) == Held(DocumentStatus.CURRENT, None)
