"""What a feed reads and writes of many dossiers at once."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from models import tables
from models.database import Database
from models.errors import ConstraintError
from models.facts import Document, Reference
from models.queries import fetch_case
from models.queries.documents import set_status, set_visibility
from models.queries.dossiers import declare_treating_physicians, erase_dossier, list_relations
from models.queries.feeding import (
    Added,
    Latest,
    Span,
    add_documents,
    fetch_latest,
    find_answers,
    find_taken,
    keep_answers,
)
from models.queries.idempotency import KeptAnswer
from models.queries.retention import list_expiring
from models.sheets import Version
from models.vocabulary import DocumentStatus
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LATER, NOBODY, document, professional, question

FUND = Reference("organization", "775685019")
DAY, MONTH = timedelta(days=1), timedelta(days=30)


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world as described there."""
    await world.settle(database)
    return database


def reimbursed(number: int, **facts: object) -> Document:
    """A month of Alice's, dated so many days before."""
    return document(number, **{"document_type": "REMB", "author": FUND, **facts})


def first(dossier: UUID, added: Document) -> Added:
    return Added(dossier, added, Version(added.id, 1))


async def add(database: Database, *added: Added) -> None:
    async with database.begin() as connection:
        await add_documents(connection, added)


async def latest(database: Database, *dossiers: UUID) -> dict[UUID, Latest]:
    spans = [Span(dossier, AT - MONTH, AT) for dossier in dossiers]
    return await fetch_latest(database, spans, "REMB", FUND)


async def stored(database: Database, identity: UUID) -> Document | None:
    asked = question(professional(JULIE), Reference("document", str(identity)))
    return (await fetch_case(database, asked)).document


async def test_documents_of_several_dossiers_are_stored_together(filled: Database) -> None:
    """As they were given, each the first version of its series."""
    one, other = reimbursed(1, masked=True, withheld_until=LATER), reimbursed(2, hidden_from_representatives=True)
    await add(filled, first(BASILE, other), first(ALICE, one))
    assert [await stored(filled, each.id) for each in (one, other)] == [one, other]
    assert await latest(filled, ALICE, BASILE, NOBODY) == {
        one.id: Latest(ALICE, one, Version(one.id, 1)),
        other.id: Latest(BASILE, other, Version(other.id, 1)),
    }


async def test_a_version_takes_the_place_of_the_one_before(filled: Database) -> None:
    """It inherits how that is seen, whatever is said of it; what was replaced is superseded."""
    one, second = reimbursed(1), reimbursed(2)
    await add(filled, first(ALICE, one))
    async with filled.begin() as connection:
        await set_visibility(connection, ALICE, one.id, masked=True, hidden_from_representatives=True)
    await add(filled, Added(ALICE, second, Version(one.id, 2), one.id))
    seen = replace(second, masked=True, hidden_from_representatives=True)
    assert await latest(filled, ALICE) == {one.id: Latest(ALICE, seen, Version(one.id, 2))}
    replaced = await stored(filled, one.id)
    assert replaced is not None
    assert replaced.status is DocumentStatus.SUPERSEDED


@pytest.mark.parametrize("wrong", ["the same id", "what is not current", "two in the place of one", "no dossier"])
async def test_what_contradicts_keeps_all_from_being_stored(filled: Database, wrong: str) -> None:
    """Together or not at all."""
    one, second, third = reimbursed(1), reimbursed(2), reimbursed(3)
    await add(filled, first(ALICE, one), Added(BASILE, second, Version(second.id, 1)))
    async with filled.begin() as connection:
        await set_status(connection, BASILE, second.id, DocumentStatus.ARCHIVED, was=DocumentStatus.CURRENT)
    contradicting = {
        "the same id": [first(BASILE, one)],
        "what is not current": [Added(BASILE, reimbursed(4), Version(second.id, 2), second.id)],
        "two in the place of one": [
            Added(ALICE, reimbursed(number), Version(one.id, number), one.id) for number in (4, 5)
        ],
        "no dossier": [first(NOBODY, reimbursed(4))],
    }
    with pytest.raises(ConstraintError):
        await add(filled, first(ALICE, third), *contradicting[wrong])
    assert await stored(filled, third.id) is None
    assert set(await latest(filled, ALICE, BASILE)) == {one.id, second.id}


async def test_a_full_dossier_takes_no_more(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As what contradicts."""
    monkeypatch.setattr("models.sheets.documents.MOST_DOCUMENTS", 1)
    with pytest.raises(ConstraintError, match="at most"):
        await add(filled, first(ALICE, reimbursed(1)), first(ALICE, reimbursed(2)))
    assert await latest(filled, ALICE) == {}


async def test_of_many_dossiers_each_is_looked_into(filled: Database) -> None:
    """More than one statement asks for, each in a span of its own."""
    dossiers = [UUID(int=0x5EE00 + number) for number in range(600)]
    async with filled.begin() as connection:
        rows = [{"id": each, "state": "open", "state_since": AT} for each in dossiers]
        await connection.execute(insert(tables.dossier), rows)
    added = [
        first(each, document(0x10000 + number, document_type="REMB", author=FUND, created_at=AT - number * DAY))
        for number, each in enumerate(dossiers)
    ]
    await add(filled, *added)
    spans = [
        Span(each, AT - (number + number % 2) * DAY, AT - (number - 1) * DAY) for number, each in enumerate(dossiers)
    ]
    assert set(await fetch_latest(filled, spans, "REMB", FUND)) == {each.document.id for each in added}
    too_late = [Span(each, since + DAY * (1 + number % 2), until) for number, (each, since, until) in enumerate(spans)]
    assert await fetch_latest(filled, too_late, "REMB", FUND) == {}


async def test_retention_knows_what_is_added(filled: Database) -> None:
    """The oldest care of each dossier; a version that is dated later leaves the one before it there."""
    one, second = reimbursed(3), reimbursed(2)
    await add(filled, first(ALICE, one), first(BASILE, reimbursed(5, document_type="11488-4")))
    await add(filled, Added(ALICE, second, Version(one.id, 2), one.id))
    (expiring,) = await list_expiring(filled, AT, None, 10)
    assert expiring == (one.created_at, ALICE, {each.id: each.created_at for each in (one, second)})


async def test_what_is_not_sought_is_not_found(filled: Database) -> None:
    """Another type, another author, another time, what was deleted."""
    found, deleted = reimbursed(1), reimbursed(2)
    others = [
        reimbursed(3, document_type="11488-4"),
        reimbursed(4, author=Reference("organization", "180035024")),
        reimbursed(31),
        reimbursed(0),
    ]
    await add(filled, *(first(ALICE, each) for each in (found, deleted, *others)))
    async with filled.begin() as connection:
        await set_status(connection, ALICE, deleted.id, DocumentStatus.DELETED, was=DocumentStatus.CURRENT)
    assert set(await latest(filled, ALICE)) == {found.id}
    assert await latest(filled) == {}


async def test_ids_that_are_taken(filled: Database) -> None:
    """Of what was deleted too, until its dossier is erased; however many are asked for."""
    one, deleted = reimbursed(1), reimbursed(2)
    await add(filled, first(ALICE, one), first(ALICE, deleted))
    async with filled.begin() as connection:
        await set_status(connection, ALICE, deleted.id, DocumentStatus.DELETED, was=DocumentStatus.CURRENT)
    asked = [UUID(int=number) for number in range(0xD000, 0xD400)]
    assert await find_taken(filled, asked) == {one.id, deleted.id}
    async with filled.begin() as connection:
        await erase_dossier(connection, ALICE)
    assert await find_taken(filled, asked) == set()


async def test_all_are_declared_or_nobody(filled: Database) -> None:
    """A dossier that is gone keeps the others from being told who treats them."""
    for dossiers, told in (((BASILE, NOBODY), []), ((BASILE, ALICE), [KARIM.rpps])):
        with suppress(ConstraintError):
            async with filled.begin() as connection:
                await declare_treating_physicians(connection, [(each, KARIM.rpps) for each in dossiers], AT)
        async with filled.connect() as connection:
            assert [each.party.id for each in await list_relations(connection, BASILE)] == told


async def test_answers_are_kept_once(filled: Database) -> None:
    """Under dossier, client and key; found for many at once."""
    kept = {(dossier, "k"): KeptAnswer(b"asked", str(dossier), AT) for dossier in (ALICE, BASILE)}
    async with filled.begin() as connection:
        await keep_answers(connection, "fund", kept)
    asked = {(dossier, key) for dossier in (ALICE, BASILE, NOBODY) for key in ("k", "other")}
    assert await find_answers(filled, "fund", asked) == {(each, "k"): str(each) for each in (ALICE, BASILE)}
    assert await find_answers(filled, "another", asked) == {}
    with pytest.raises(ConstraintError):
        async with filled.begin() as connection:
            await keep_answers(connection, "fund", kept)
