"""Who takes a notification, what becomes of it, and whom it is for; the same on both engines."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import Database
from models.facts import Reference, Relation
from models.queries.documents import add_document, set_status
from models.queries.dossiers import put_relation
from models.queries.notifications import (
    Backlog,
    Notification,
    author_of,
    count_notifications,
    forget_delivered,
    is_any_due,
    is_withheld,
    list_notifications,
    note_failure,
    take_due,
    treating_physicians,
    try_again,
)
from models.vocabulary import DocumentStatus, RelationKind
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LATER, professional, structure

MINUTE = timedelta(minutes=1)
UNKNOWN = Reference("professional", "10009999990")


def ident(number: int) -> UUID:
    return UUID(int=0x707 + number)


@pytest.fixture
async def told(database: Database) -> Database:
    """Three that wait, due a minute after each other; a dead letter."""
    common = {"dossier": ALICE, "obligation": "notify_patient", "action": "document:read", "mode": "normal", "at": AT}
    rows = [{**common, "id": ident(number), "sequence": number, "due_at": AT + number * MINUTE} for number in range(3)]
    dead = {**common, "id": ident(3), "sequence": 3, "attempts": 20, "failure": "answered 500"}
    async with database.begin() as connection:
        await connection.execute(insert(tables.notification), rows)
        await connection.execute(insert(tables.notification), dead)
    return database


async def take(connection: AsyncConnection, minutes: int, limit: int = 10) -> list[int]:
    at = AT + minutes * MINUTE
    return [each.sequence for each in await take_due(connection, at, at + 10 * MINUTE, limit)]


async def listed(database: Database, *, dead: bool = False) -> list[int]:
    return [each.sequence for each in await list_notifications(database, dead=dead, limit=10)]


async def test_they_are_counted_and_listed(told: Database) -> None:
    """Those that wait in the order in which they are due, the dead letters apart; what is for later does not wait."""
    instants = (AT - MINUTE, AT, AT + MINUTE, LATER)
    counted = [await count_notifications(told, at) for at in instants]
    assert counted == [Backlog(0, 1, 3), Backlog(1, 1, 2), Backlog(2, 1, 1), Backlog(3, 1, 0)]
    assert (await listed(told), await listed(told, dead=True)) == ([0, 1, 2], [3])
    (first,) = await list_notifications(told, dead=False, limit=1)
    assert first == Notification(ALICE, ident(0), 0, "notify_patient", "document:read", "normal", AT, 0, AT, None)


async def test_what_is_due_is_taken_once(told: Database) -> None:
    """At its instant and not before; again when its taker has not been heard of in time."""
    assert (await is_any_due(told, AT - MINUTE), await is_any_due(told, AT)) == (False, True)
    async with told.begin() as connection:
        assert await take(connection, -1) == []
        assert await take(connection, 1, limit=1) == [0]
        assert await take(connection, 1) == [1]
        assert await take(connection, 1) == []
    async with told.begin() as connection:
        assert await take(connection, 11) == [2, 0, 1]
    assert [each.attempts for each in await list_notifications(told, dead=False, limit=10)] == [2, 2, 1]


async def test_what_another_is_taking_is_passed_over(told: Database) -> None:
    """Nobody waits for him; on SQLite there is one at a time anyway."""
    if told.dialect == "sqlite":
        return
    async with told.begin() as first, told.begin() as second:
        assert await take(first, 1, limit=1) == [0]
        assert await take(second, 1) == [1]


async def test_instances_take_different_ones(told: Database) -> None:
    """Whoever begins at the same instant."""

    async def instance() -> list[int]:
        async with told.begin() as connection:
            return await take(connection, 2, limit=1)

    taken = await asyncio.gather(*(instance() for _ in range(4)))
    assert sorted(number for numbers in taken for number in numbers) == [0, 1, 2]


async def test_what_was_delivered_is_gone(told: Database) -> None:
    """And nothing else."""
    async with told.begin() as connection:
        (first,) = await take_due(connection, AT, LATER, 1)
        await forget_delivered(connection, [first])
        await forget_delivered(connection, [])
    assert await listed(told) == [1, 2]


async def test_what_failed_is_due_later_or_dead(told: Database) -> None:
    """With what it met."""
    async with told.begin() as connection:
        first, second = await take_due(connection, AT + MINUTE, LATER, 2)
        await note_failure(connection, first, "answered 500", LATER)
        await note_failure(connection, second, "cannot be reached", None)
    assert (await listed(told), await listed(told, dead=True)) == ([2, 0], [1, 3])
    (waits,) = (each for each in await list_notifications(told, dead=False, limit=10) if each.failure)
    assert (waits.failure, waits.due_at, waits.attempts) == ("answered 500", LATER, 1)


async def test_a_late_failure_changes_nothing(told: Database) -> None:
    """Somebody else has begun another attempt meanwhile."""
    async with told.begin() as connection:
        (first,) = await take_due(connection, AT, AT, 1)
        (again,) = await take_due(connection, AT, LATER, 1)
        await note_failure(connection, first, "answered 500", AT)
    (kept,) = (each for each in await list_notifications(told, dead=False, limit=10) if each.id == again.id)
    assert (kept.attempts, kept.due_at, kept.failure) == (2, LATER, None)


async def test_dead_letters_are_tried_again(told: Database) -> None:
    """All of them, or those named, waiting or not; as if for the first time."""
    async with told.begin() as connection:
        assert await try_again(connection, [], AT) == {ident(3)}
        assert await try_again(connection, [ident(2), ident(9)], AT) == {ident(2)}
    revived = {each.sequence: each for each in await list_notifications(told, dead=False, limit=10)}
    assert (revived[3].attempts, revived[3].due_at, revived[2].due_at) == (0, AT, AT)
    assert await count_notifications(told, LATER) == Backlog(4, 0)


async def test_what_is_told_after_a_while_is_not_told_before(told: Database) -> None:
    """Whoever asks; once it was tried, it may be tried again at once."""
    async with told.begin() as connection:
        await connection.execute(update(tables.notification).values(obligation="still_withheld"))
        assert await try_again(connection, [ident(number) for number in range(3)], AT) == {ident(0)}
        (taken,) = await take_due(connection, AT, LATER, 1)
        await note_failure(connection, taken, "answered 500", LATER)
        assert await try_again(connection, [ident(0), ident(3)], AT) == {ident(0), ident(3)}


async def test_the_author_and_the_withholding_of_a_document(database: Database) -> None:
    """As they are now: nobody wrote and nothing withholds what is deleted, or is not there."""
    await world.settle(database)
    withheld, plain = world.document(1, withheld_until=LATER), world.document(2)
    async with database.begin() as connection:
        for each in (withheld, plain):
            await add_document(connection, ALICE, each)
    assert await author_of(database, ALICE, withheld.id) == withheld.author
    instants = (AT, LATER - MINUTE, LATER)
    assert [await is_withheld(database, ALICE, withheld.id, at) for at in instants] == [True, True, False]
    assert await is_withheld(database, ALICE, plain.id, AT) is False
    for dossier, identity in ((BASILE, withheld.id), (ALICE, ident(9))):
        assert await author_of(database, dossier, identity) is None
        assert await is_withheld(database, dossier, identity, AT) is False
    async with database.begin() as connection:
        await set_status(connection, ALICE, withheld.id, DocumentStatus.DELETED, was=withheld.status)
    assert await author_of(database, ALICE, withheld.id) is None
    assert await is_withheld(database, ALICE, withheld.id, AT) is False


async def test_treating_physicians_are_physicians_in_force(database: Database) -> None:
    """Declared, begun and not ended, known to the directory; an organization or a nurse is none."""
    await world.settle(database)
    kind = RelationKind.TREATING_PHYSICIAN
    async with database.begin() as connection:
        await put_relation(connection, ALICE, Relation(professional(JULIE), kind, AT, LATER))
        for party in (professional(KARIM), structure(world.CHU), UNKNOWN):
            await put_relation(connection, ALICE, Relation(party, kind))
    instants = (AT - MINUTE, AT, LATER - MINUTE, LATER)
    found = [await treating_physicians(database, ALICE, at) for at in instants]
    assert found == [[], [JULIE.rpps], [JULIE.rpps], []]
    assert await treating_physicians(database, BASILE, AT) == []


async def test_treating_physicians_are_not_told_when_blocked(database: Database) -> None:
    """Neither himself nor with all organizations where he exercises (RULES, `blocked`); one of two is not all."""
    await world.settle(database)
    practice = Relation(structure(world.PRACTICE), RelationKind.BLOCKED, until=LATER)
    himself = Relation(professional(JULIE), RelationKind.BLOCKED, until=LATER)
    for blocked, at, expected in ((None, AT, [JULIE.rpps]), (practice, AT, []), (practice, LATER, [JULIE.rpps])):
        async with database.begin() as connection:
            if blocked is not None:
                await put_relation(connection, ALICE, blocked)
        assert await treating_physicians(database, ALICE, at) == expected
    async with database.begin() as connection:
        await put_relation(connection, ALICE, replace(world.OF_CHU_TOO, until=AT))
        await put_relation(connection, ALICE, himself)
    found = [await treating_physicians(database, ALICE, at) for at in (AT, LATER)]
    assert found == [[], [JULIE.rpps]]


async def test_a_treating_physician_may_exercise_nowhere(database: Database) -> None:
    """No organization of his can then be blocked."""
    await world.settle(database)
    async with database.begin() as connection:
        await connection.execute(insert(tables.professional), {"rpps": UNKNOWN.id, "profession": "physician"})
        await put_relation(connection, BASILE, Relation(UNKNOWN, RelationKind.TREATING_PHYSICIAN))
    assert await treating_physicians(database, BASILE, AT) == [UNKNOWN.id]
