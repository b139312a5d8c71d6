"""Who may call the service: known by the hash of a key, never by the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.tables import client
from models.vocabulary import Scope, SubjectType


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A component that calls: what it may call, and for whom it may speak."""

    name: str
    scopes: frozenset[Scope]
    speaks_for: frozenset[SubjectType]
    organization: str | None
    created_at: datetime


_SELECT = "SELECT name, scopes, speaks_for, organization, created_at FROM client"


async def add_client(connection: AsyncConnection, added: StoredClient, key_hash: bytes) -> bool:
    """False, and nothing done, if there is a client of this name."""
    statement = insert(connection, client).values(
        name=added.name,
        key_hash=key_hash,
        scopes=" ".join(sorted(added.scopes)),
        speaks_for=" ".join(sorted(added.speaks_for)),
        organization=added.organization,
        created_at=added.created_at,
    )
    unless_there = statement.on_conflict_do_nothing(index_elements=[client.c.name]).returning(client.c.name)
    return (await connection.execute(unless_there)).first() is not None


async def remove_client(connection: AsyncConnection, name: str) -> bool:
    return (await connection.execute(delete(client).where(client.c.name == name))).rowcount == 1


async def find_client(database: Database, key_hash: bytes) -> StoredClient | None:
    rows = await database.read(f"{_SELECT} WHERE key_hash = $1", key_hash)
    return _stored(rows[0]) if rows else None


async def list_clients(database: Database) -> list[StoredClient]:
    """By name."""
    return [_stored(row) for row in await database.read(f"{_SELECT} ORDER BY name")]


def _stored(row: Sequence[Any]) -> StoredClient:
    name, scopes, speaks_for, organization, created_at = row
    return StoredClient(
        name,
        frozenset(map(Scope, scopes.split())),
        frozenset(map(SubjectType, speaks_for.split())),
        organization,
        created_at,
    )
