"""Clients, kept answers, and what crosses dossiers."""

from datetime import timedelta
from uuid import UUID

import pytest

from models.database import Database
from models.errors import ConstraintError
from models.facts import Relation
from models.queries.clients import StoredClient, add_client, find_client, list_clients, remove_client
from models.queries.dossiers import open_dossier, put_relation
from models.queries.idempotency import KeptAnswer, find_answer, forget_answers, keep_answer
from models.queries.search import dossiers_of_professional, professionals_of_dossier
from models.vocabulary import RelationKind, Scope, SubjectType
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LEA, NOBODY, professional, structure

PORTAL = StoredClient("portal", frozenset(Scope), frozenset(SubjectType), None, AT)
HOSPITAL = StoredClient(
    "hospital", frozenset({Scope.DECIDE, Scope.DOCUMENTS}), frozenset({SubjectType.PROFESSIONAL}), "750000002", AT
)


async def test_clients_are_known_by_the_hash_of_their_key(database: Database) -> None:
    """As they were added; by another hash there is nobody."""
    async with database.begin() as connection:
        assert await add_client(connection, PORTAL, b"p")
        assert await add_client(connection, HOSPITAL, b"h")
    assert await find_client(database, b"p") == PORTAL
    assert await find_client(database, b"h") == HOSPITAL
    assert await find_client(database, b"") is None
    assert await list_clients(database) == [HOSPITAL, PORTAL]


async def test_a_client_s_name_is_taken_once(database: Database) -> None:
    """A second one of the name changes nothing; a key serves one client; who is removed is unknown."""
    async with database.begin() as connection:
        assert await add_client(connection, PORTAL, b"p")
        assert not await add_client(connection, PORTAL, b"other")
    with pytest.raises(ConstraintError):
        async with database.begin() as connection:
            await add_client(connection, HOSPITAL, b"p")
    assert await list_clients(database) == [PORTAL]
    async with database.begin() as connection:
        assert await remove_client(connection, "portal")
        assert not await remove_client(connection, "portal")
    assert await find_client(database, b"p") is None


async def test_the_first_answer_is_kept(database: Database) -> None:
    """For one dossier, client and key; whoever comes second is told, and changes nothing."""
    first, second = KeptAnswer(b"1", "{}", AT), KeptAnswer(b"2", "[]", AT)
    async with database.begin() as connection:
        assert await keep_answer(connection, ALICE, "portal", "k", first)
        assert not await keep_answer(connection, ALICE, "portal", "k", second)
        assert await keep_answer(connection, BASILE, "portal", "k", second)
    assert await find_answer(database, ALICE, "portal", "k") == first
    assert await find_answer(database, BASILE, "portal", "k") == second
    for client, key in (("other", "k"), ("portal", "other")):
        assert await find_answer(database, ALICE, client, key) is None


async def test_old_answers_are_forgotten(database: Database) -> None:
    """Those given before an instant, not at it."""
    async with database.begin() as connection:
        for days in range(3):
            kept = KeptAnswer(b"", "", AT + timedelta(days=days))
            await keep_answer(connection, ALICE, "portal", str(days), kept)
        assert await forget_answers(connection, AT + timedelta(days=1)) == 1
    assert await find_answer(database, ALICE, "portal", "0") is None
    assert await find_answer(database, ALICE, "portal", "1") is not None


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world, and ten dossiers with a relation to Karim, the practice or both; blocked in the last."""
    await world.settle(database)
    karim, practice = professional(KARIM), structure(world.PRACTICE)
    async with database.begin() as connection:
        for number in range(1, 12):
            await open_dossier(connection, UUID(int=number), at=AT)
            kind = RelationKind.BLOCKED if number == 11 else RelationKind.GRANTED
            await put_relation(connection, UUID(int=number), Relation(karim, kind))
        for number in range(2, 11, 2):
            await put_relation(connection, UUID(int=number), Relation(practice, RelationKind.CARE_TEAM))
        await put_relation(connection, UUID(int=2), Relation(karim, RelationKind.CARE_TEAM))
    return database


async def test_dossiers_of_a_professional(filled: Database) -> None:
    """By his own relations and by those of where he exercises, each dossier once; blocked ones are not open."""
    evens = [UUID(int=number) for number in range(2, 11, 2)]
    assert await dossiers_of_professional(filled, KARIM.rpps, limit=100) == [UUID(int=n) for n in range(1, 11)]
    assert await dossiers_of_professional(filled, JULIE.rpps, limit=100) == [*evens, ALICE]
    assert await dossiers_of_professional(filled, LEA.rpps, limit=100) == [ALICE]
    for nobody in ("10001234599", "", "\x00", "\ud800"):
        assert await dossiers_of_professional(filled, nobody, limit=100) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_dossiers_come_page_by_page(filled: Database, limit: int) -> None:
    """In the order of their ids, none twice, none left out."""
    pages = [await dossiers_of_professional(filled, JULIE.rpps, limit=limit)]
    while pages[-1]:
        pages.append(await dossiers_of_professional(filled, JULIE.rpps, after=pages[-1][-1], limit=limit))
    assert max(map(len, pages)) <= limit
    assert [each for page in pages for each in page] == [*(UUID(int=n) for n in range(2, 11, 2)), ALICE]


async def test_professionals_of_a_dossier(filled: Database) -> None:
    """Those with a relation of their own and those of an organization that has one, in order, page by page."""
    assert await professionals_of_dossier(filled, ALICE, limit=10) == [JULIE.rpps, LEA.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), limit=10) == [JULIE.rpps, KARIM.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), limit=1) == [JULIE.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), after=JULIE.rpps, limit=1) == [KARIM.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), after=KARIM.rpps, limit=1) == []
    assert await professionals_of_dossier(filled, NOBODY, limit=10) == []
