"""Rows that a transaction holds: many at once, in one order, so that no two wait for each other in a circle."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, FromClause, Row, Select, Table, Uuid, any_, literal, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from models.database import Database, placement_of
from models.queries.statements import padded

Named = tuple[list[UUID], list[int]] | None
"""Dossiers, and numbers in them; None where it does not count."""

_AT_ONCE = 1_000
_PASSED_OVER = 100

_USE = text("SELECT pg_advisory_xact_lock_shared(7167)")
_USERS = """
SELECT virtualtransaction FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE datname = current_database() AND locktype = 'advisory' AND classid = 0 AND objid = 7167 AND granted
"""
_PAUSE_SECONDS = 0.05


async def hold(
    connection: AsyncConnection, query: Select[*tuple[Any, ...]], key: Column[Any], values: Sequence[UUID | int]
) -> list[Row[*tuple[Any, ...]]]:
    """The rows with these keys, which ascend, that a query locks: a thousand by one statement.

    Citus locks rows of one shard at a time: there it is one statement for each shard, in the order of the shards.
    """
    placement = placement_of(connection)
    rows: list[Row[*tuple[Any, ...]]] = []
    for some in [values] if placement is None else placement.together(values):
        for begin in range(0, len(some), _AT_ONCE):
            among = query.where(key.in_(padded(some[begin : begin + _AT_ONCE]))).order_by(key)
            rows += (await connection.execute(among)).all()
    return rows


async def use(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> list[Row[*tuple[Any, ...]]]:
    """Rows that many use at once: whoever replaces them waits until these transactions end.

    On a cluster they are on every node, and Citus locks such a table as a whole: all who use it would wait for each
    other. There a transaction only says that it does, and `wait_for_users` is the wait.
    """
    if placement_of(connection) is None:
        return list((await connection.execute(query.with_for_update(read=True, key_share=True))).all())
    await connection.execute(_USE)
    return list((await connection.execute(query)).all())


@asynccontextmanager
async def writing_used(database: Database, connection: AsyncConnection) -> AsyncIterator[AsyncConnection]:
    """Where a transaction writes to such rows, for good or not: on a cluster in one of its own, which is short."""
    if placement_of(connection) is None:
        yield connection
    else:
        async with database.begin_hot() as apart:
            yield apart


async def wait_for_users(database: Database) -> None:
    """On a cluster, return when whoever used rows by now has ended; others go on. Elsewhere the replacing waited."""
    async with database.connect() as connection:
        if placement_of(connection) is None:
            return
    users = set(map(tuple, await database.read(_USERS)))
    while users:
        await asyncio.sleep(_PAUSE_SECONDS)
        users &= set(map(tuple, await database.read(_USERS)))


async def keep_still(connection: AsyncConnection, lock: int) -> None:
    """On a cluster, take an advisory lock until the transaction ends.

    A statement sees each node at an instant of its own there: what moves meanwhile twice, or not at all.
    """
    if placement_of(connection) is not None:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({lock})"))


async def take(
    connection: AsyncConnection, query: Select[*tuple[Any, ...]], table: Table, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """The first rows of a query on a table that nobody else holds, ours until the transaction ends."""
    held = query.with_for_update(skip_locked=True)
    if placement_of(connection) is None:
        return list((await connection.execute(held.limit(limit))).all())
    taken: list[Row[*tuple[Any, ...]]] = []
    for row in (await connection.execute(query.limit(limit + _PASSED_OVER))).all():
        same = (column == row._mapping[column.name] for column in table.primary_key.columns)  # noqa: SLF001  # SQLAlchemy's public name
        taken += (await connection.execute(held.where(*same))).all()
        if len(taken) == limit:
            break
    return taken


async def named_by(connection: AsyncConnection, query: Select[UUID, int]) -> Named:
    """What a query names, dossiers and numbers in them, where Citus must be told before it joins by them.

    It would fetch the whole of a distributed table to join it to one of the coordinator's.
    """
    if placement_of(connection) is None:
        return None
    rows = (await connection.execute(query)).all()
    return sorted({dossier for dossier, _ in rows}), sorted({number for _, number in rows})


def only(named: Named, table: FromClause, *, before: int | None = 0) -> ColumnElement[bool]:
    """The condition that rows of a table may be those named, or so many before; None for all of these dossiers."""
    if named is None:
        return true()
    dossiers, numbers = named
    of_dossiers: ColumnElement[bool] = table.c.dossier == any_(literal(dossiers, ARRAY(Uuid())))
    if before is None:
        return of_dossiers
    return of_dossiers & (
        table.c.sequence == any_(literal([number - before for number in numbers], ARRAY(BigInteger())))
    )
