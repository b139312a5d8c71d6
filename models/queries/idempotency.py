"""Answers kept under the key that a caller chose, so that asking again gives the same and does nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row
from models.tables import idempotency


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """`request` is the SHA-256 of what was asked: the same key with another question is a mistake of the caller.

    `sealing` is the dossier's key, of an answer that was read.
    """

    request: bytes
    answer: str
    answered_at: datetime
    sealing: KeyRow | None = field(default=None, repr=False)


async def find_answer(database: Database, dossier: UUID, client: str, key: str) -> KeptAnswer | None:
    rows = await database.read(
        f"SELECT request, answer, answered_at, {KEY_COLUMNS} FROM idempotency"  # noqa: S608  # names of our own tables
        " LEFT JOIN dossier_key ON dossier_key.dossier = idempotency.dossier"
        " WHERE idempotency.dossier = $1::uuid AND client = $2::text AND key = $3::text",
        dossier,
        client,
        key,
    )
    if not rows:
        return None
    request, answer, answered_at = rows[0][:3]
    return KeptAnswer(request, answer, answered_at, key_of_row(rows[0]))


async def keep_answer(connection: AsyncConnection, dossier: UUID, client: str, key: str, kept: KeptAnswer) -> bool:
    """In the transaction of what was done. False if there is an answer already: undo, and give that one."""
    statement = insert(connection, idempotency).values(
        dossier=dossier,
        client=client,
        key=key,
        request=kept.request,
        answer=kept.answer,
        answered_at=kept.answered_at,
    )
    unless_there = statement.on_conflict_do_nothing().returning(idempotency.c.key)
    return (await connection.execute(unless_there)).first() is not None


async def forget_answers(connection: AsyncConnection, before: datetime) -> int:
    """Remove answers given before an instant; says how many."""
    return (await connection.execute(delete(idempotency).where(idempotency.c.answered_at < before))).rowcount
