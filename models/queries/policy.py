"""Which rules are in force, for all instances at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.tables import policy_in_force

_ROW = 1


@dataclass(frozen=True, slots=True)
class InForce:
    """The bundle in force (version 0 and no content if there has been none), and the revision of the rules."""

    version: int
    content: bytes
    revision: str
    since: datetime


_SELECT = "SELECT version, content, revision, since FROM policy_in_force WHERE id = 1"
_LOCK = select(
    policy_in_force.c.version, policy_in_force.c.content, policy_in_force.c.revision, policy_in_force.c.since
).where(policy_in_force.c.id == _ROW)
_MOVE = update(policy_in_force).where(policy_in_force.c.id == _ROW)


async def find_in_force(database: Database) -> InForce | None:
    """None if no rules have ever been in force."""
    rows = await database.read(_SELECT)
    return InForce(*rows[0]) if rows else None


async def find_bundle(database: Database) -> bytes:
    """The bundle in force; empty if there has been none."""
    rows = await database.read("SELECT bundle FROM policy_in_force WHERE id = 1")
    return bytes(rows[0][0]) if rows else b""


async def lock_in_force(connection: AsyncConnection, first: InForce) -> InForce:
    """What is in force, ours to move until the transaction ends; `first` if nothing has ever been."""
    unless_there = insert(connection, policy_in_force).on_conflict_do_nothing()
    await connection.execute(unless_there, _values(first, b"") | {"id": _ROW})
    return InForce(*(await connection.execute(_LOCK.with_for_update())).one())


async def move_in_force(connection: AsyncConnection, after: InForce, bundle: bytes | None) -> None:
    """Put others in the place of those that were locked; without a bundle the last one stays, to be followed again."""
    values = _values(after, bundle or b"")
    if bundle is None:
        del values["bundle"]
    await connection.execute(_MOVE.values(values))


def _values(row: InForce, bundle: bytes) -> dict[str, object]:
    return {
        "version": row.version,
        "content": row.content,
        "bundle": bundle,
        "revision": row.revision,
        "since": row.since,
    }
