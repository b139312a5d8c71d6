"""Answers kept under the key that a caller chose, so that asking again gives the same and does nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.tables import idempotency


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """`request` is the SHA-256 of what was asked: the same key with another question is a mistake of the caller."""

    request: bytes
    answer: str
    answered_at: datetime


async def find_answer(database: Database, dossier: UUID, client: str, key: str) -> KeptAnswer | None:
    rows = await database.read(
        "SELECT request, answer, answered_at FROM idempotency"
        " WHERE dossier = $1::uuid AND client = $2::text AND key = $3::text",
        dossier,
        client,
        key,
    )
    return KeptAnswer(*rows[0]) if rows else None


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
