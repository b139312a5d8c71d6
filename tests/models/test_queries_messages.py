"""What is written about messages, and how they are found again."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from models.database import Database
from models.errors import ConstraintError
from models.facts import Message
from models.queries.messages import (
    MessagePosition,
    StoredMessage,
    add_message,
    find_message,
    list_inbox,
    list_sent,
    list_thread,
    mark_read,
)
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LATER


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world as described there."""
    await world.settle(database)
    return database


def _message(number: int, dossier: UUID = ALICE, addressee: str = KARIM.rpps, minutes: int = 0) -> StoredMessage:
    sent_at = AT + timedelta(minutes=minutes)
    return StoredMessage(dossier, Message(UUID(int=0x3E00 + number), JULIE.rpps, addressee), sent_at, None, b"s")


async def _send(database: Database, *messages: StoredMessage) -> None:
    async with database.begin() as connection:
        for each in messages:
            await add_message(connection, each)


async def test_a_message_is_stored_and_found(filled: Database) -> None:
    """In its dossier and in no other, and it refers to the one that it answers."""
    first = _message(1)
    answer = replace(_message(2), reply_to=first.message.id, thread=first.message.id)
    await _send(filled, first, answer)
    assert await find_message(filled, ALICE, answer.message.id) == answer
    assert await find_message(filled, BASILE, answer.message.id) is None
    with pytest.raises(ConstraintError):
        await _send(filled, replace(first, dossier=BASILE))


async def test_boxes_are_read_page_by_page(filled: Database) -> None:
    """What one professional received, or sent, from all dossiers, newest first, each message once."""
    received = [_message(9, minutes=9), _message(8, BASILE, minutes=5), _message(7, minutes=5), _message(6)]
    to_herself = _message(5, addressee=JULIE.rpps, minutes=7)
    await _send(filled, *reversed(received), to_herself)
    assert await list_inbox(filled, KARIM.rpps, limit=10) == received
    assert await list_sent(filled, KARIM.rpps, limit=10) == []
    assert await list_sent(filled, JULIE.rpps, limit=10) == [received[0], to_herself, *received[1:]]
    pages, after = [], None
    while page := await list_inbox(filled, KARIM.rpps, after=after, limit=1):
        pages += page
        after = MessagePosition(page[-1].sent_at, page[-1].message.id)
    assert pages == received
    assert await list_inbox(filled, "\x00", limit=1) == []


async def test_the_first_reading_stays(filled: Database) -> None:
    """A later one changes nothing, and what is read is no longer among the unread."""
    first, second = _message(1, minutes=2), _message(2, minutes=1)
    await _send(filled, first, second)
    for at in (AT, LATER):
        async with filled.begin() as connection:
            await mark_read(connection, ALICE, [first.message.id], at)
            await mark_read(connection, BASILE, [second.message.id], at)
    assert await list_inbox(filled, KARIM.rpps, limit=10) == [replace(first, read_at=AT), second]
    assert await list_inbox(filled, KARIM.rpps, limit=10, unread=True) == [second]
    after = MessagePosition(first.sent_at, first.message.id)
    assert await list_inbox(filled, KARIM.rpps, after=after, limit=10, unread=True) == [second]
    assert await list_sent(filled, JULIE.rpps, limit=10, unread=True) == [second]


async def test_a_thread_is_read_in_the_order_of_its_messages(filled: Database) -> None:
    """Its first and all that followed, and no other message of the dossier."""
    first, beside = _message(9), _message(8, minutes=1)
    answers = [replace(_message(number, minutes=number), thread=first.message.id) for number in (2, 3)]
    await _send(filled, first, beside, *reversed(answers))
    assert await list_thread(filled, ALICE, first.message.id, limit=10) == [first, *answers]
    after = MessagePosition(first.sent_at, first.message.id)
    assert await list_thread(filled, ALICE, first.message.id, after=after, limit=1) == answers[:1]
    assert await list_thread(filled, BASILE, first.message.id, limit=10) == []


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize(
    "statement, index",
    [
        ("addressee = $1::text", "ix_message_addressee_sent_at_id"),
        ("addressee = $1::text AND read_at IS NULL", "ix_message_unread"),
        ("sender = $1::text", "ix_message_sender_sent_at_id"),
    ],
)
async def test_a_page_of_a_box_follows_its_index(filled: Database, statement: str, index: str) -> None:
    """In its order, so that a page costs what it shows."""
    async with filled.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO message (dossier, id, sender, addressee, sent_at, sealed, read_at)"
            " SELECT md5('d' || i)::uuid, md5('m' || i)::uuid, 's' || i % 50, 'a' || i % 50, now(), '',"
            " CASE WHEN i % 100 > 0 THEN now() END FROM generate_series(1, 5000) AS i"
        )
        await connection.exec_driver_sql("ANALYZE message")
    rows = await filled.read(
        f"EXPLAIN SELECT id FROM message WHERE {statement} ORDER BY sent_at DESC, id DESC LIMIT 5", "a7"
    )
    plan = "\n".join(row[0] for row in rows).rpartition("Tasks Shown")[2]  # a cluster merges its nodes' pages
    assert index in plan
    assert "Sort" not in plan
