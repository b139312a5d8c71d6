"""Messages between professionals: who wrote to whom about which dossier; what they wrote is sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.facts import Message
from models.queries.dossiers import hold_dossier
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row
from models.queries.whereabouts import add_whereabouts
from models.tables import message


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is kept; `sealed` holds subject, body and references under the dossier's key.

    `thread` is the message that began the thread, None in that one; `read_at` is when the addressee first read it.
    `key` is the dossier's key, of a message that was read.
    """

    dossier: UUID
    message: Message
    sent_at: datetime
    reply_to: UUID | None
    sealed: bytes = field(repr=False)
    thread: UUID | None = None
    read_at: datetime | None = None
    key: KeyRow | None = field(default=None, repr=False)


class MessagePosition(NamedTuple):
    """Where a page begins: after the message sent then, of this id."""

    sent_at: datetime
    id: UUID


_SELECT = (
    "SELECT message.dossier, id, sender, addressee, sent_at, reply_to, sealed, thread, read_at, "  # noqa: S608  # names of our own tables
    f"{KEY_COLUMNS} FROM message LEFT JOIN dossier_key ON dossier_key.dossier = message.dossier WHERE"
)


async def add_message(connection: AsyncConnection, stored: StoredMessage) -> None:
    """Raises ConstraintError if the id is taken or there is no such dossier."""
    sent = stored.message
    await hold_dossier(connection, stored.dossier)
    await add_whereabouts(connection, [(sent.id, stored.dossier)])
    await connection.execute(
        insert(message).values(
            dossier=stored.dossier,
            id=sent.id,
            sender=sent.sender,
            addressee=sent.addressee,
            sent_at=stored.sent_at,
            reply_to=stored.reply_to,
            sealed=stored.sealed,
            thread=stored.thread,
            read_at=stored.read_at,
        )
    )


async def mark_read(connection: AsyncConnection, dossier: UUID, identities: Iterable[UUID], at: datetime) -> None:
    """That messages are read now; of what was read before, the first time stays."""
    for identity in sorted(identities):  # two who read the same thread then never wait for each other in a circle
        unread = (message.c.dossier == dossier, message.c.id == identity, message.c.read_at.is_(None))
        await connection.execute(update(message).where(*unread).values(read_at=at))


async def find_message(database: Database, dossier: UUID, identity: UUID) -> StoredMessage | None:
    rows = await database.read(f"{_SELECT} message.dossier = $1::uuid AND id = $2::uuid", dossier, identity)
    return _stored(rows[0]) if rows else None


async def list_inbox(
    database: Database, addressee: str, *, after: MessagePosition | None = None, limit: int, unread: bool = False
) -> list[StoredMessage]:
    """What a professional (RPPS) received, newest first, whatever the dossiers; by one `read`."""
    return await _list_newest(database, "addressee", addressee, after, limit, unread=unread)


async def list_sent(
    database: Database, sender: str, *, after: MessagePosition | None = None, limit: int, unread: bool = False
) -> list[StoredMessage]:
    """What a professional (RPPS) sent, newest first, whatever the dossiers; by one `read`."""
    return await _list_newest(database, "sender", sender, after, limit, unread=unread)


async def list_thread(
    database: Database, dossier: UUID, first: UUID, *, after: MessagePosition | None = None, limit: int
) -> list[StoredMessage]:
    """The message that began a thread and all that followed, oldest first, by one `read`."""
    condition = "message.dossier = $2::uuid AND $3::uuid IN (id, thread)"
    if after is not None:
        condition += " AND (sent_at, id) > ($4::timestamptz, $5::uuid)"
    statement = f"{_SELECT} {condition} ORDER BY sent_at, id LIMIT $1::bigint"
    return [_stored(row) for row in await database.read(statement, limit, dossier, first, *(after or ()))]


async def _list_newest(
    database: Database, party: str, rpps: str, after: MessagePosition | None, limit: int, *, unread: bool
) -> list[StoredMessage]:
    if not rpps.isprintable():
        return []
    condition = f"{party} = $2::text"
    if unread:
        condition += " AND read_at IS NULL"
    if after is not None:
        condition += " AND (sent_at, id) < ($3::timestamptz, $4::uuid)"
    statement = f"{_SELECT} {condition} ORDER BY sent_at DESC, id DESC LIMIT $1::bigint"
    return [_stored(row) for row in await database.read(statement, limit, rpps, *(after or ()))]


def _stored(row: Sequence[Any]) -> StoredMessage:
    dossier, identity, sender, addressee, sent_at, reply_to, sealed, thread, read_at = row[:9]
    parties = Message(identity, sender, addressee)
    return StoredMessage(dossier, parties, sent_at, reply_to, sealed, thread, read_at, key_of_row(row))
