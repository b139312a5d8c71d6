"""Messages between professionals: who wrote to whom about which dossier; what they wrote is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.facts import Message
from models.queries.dossiers import hold_dossier
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row
from models.tables import message, place


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is kept; `sealed` holds subject, body and references under the dossier's key.

    `key` is that key, of a message that was read.
    """

    dossier: UUID
    message: Message
    sent_at: datetime
    reply_to: UUID | None
    sealed: bytes = field(repr=False)
    key: KeyRow | None = field(default=None, repr=False)


class InboxPosition(NamedTuple):
    """Where a page of an inbox begins: after the message sent then, of this id."""

    sent_at: datetime
    id: UUID


_SELECT = (
    "SELECT message.dossier, id, sender, addressee, sent_at, reply_to, sealed, "  # noqa: S608  # names of our own tables
    f"{KEY_COLUMNS} FROM message LEFT JOIN dossier_key ON dossier_key.dossier = message.dossier WHERE"
)


async def add_message(connection: AsyncConnection, stored: StoredMessage) -> None:
    """Raises ConstraintError if the id is taken or there is no such dossier."""
    sent = stored.message
    await hold_dossier(connection, stored.dossier)
    await connection.execute(insert(place).values(id=sent.id, dossier=stored.dossier))
    await connection.execute(
        insert(message).values(
            dossier=stored.dossier,
            id=sent.id,
            sender=sent.sender,
            addressee=sent.addressee,
            sent_at=stored.sent_at,
            reply_to=stored.reply_to,
            sealed=stored.sealed,
        )
    )


async def find_message(database: Database, dossier: UUID, identity: UUID) -> StoredMessage | None:
    rows = await database.read(f"{_SELECT} message.dossier = $1::uuid AND id = $2::uuid", dossier, identity)
    return _stored(rows[0]) if rows else None


async def list_inbox(
    database: Database, addressee: str, *, after: InboxPosition | None = None, limit: int
) -> list[StoredMessage]:
    """What a professional (RPPS) received, newest first, whatever the dossiers; by one `read`."""
    if not addressee.isprintable():
        return []
    if after is None:
        condition = "addressee = $2::text"
    else:
        condition = "addressee = $2::text AND (sent_at, id) < ($3::timestamptz, $4::uuid)"
    statement = f"{_SELECT} {condition} ORDER BY sent_at DESC, id DESC LIMIT $1::bigint"
    return [_stored(row) for row in await database.read(statement, limit, addressee, *(after or ()))]


def _stored(row: Sequence[Any]) -> StoredMessage:
    dossier, identity, sender, addressee, sent_at, reply_to, sealed = row[:7]
    return StoredMessage(dossier, Message(identity, sender, addressee), sent_at, reply_to, sealed, key_of_row(row))
