"""Clients and kept answers."""

from datetime import timedelta

import pytest

from models.database import Database
from models.errors import ConstraintError
from models.queries.clients import StoredClient, add_client, find_client, list_clients, remove_client
from models.queries.idempotency import KeptAnswer, find_answer, forget_answers, keep_answer
from models.vocabulary import Scope, SubjectType
from tests.models.world import ALICE, AT, BASILE

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
