"""Rows that a transaction holds: many at once, in one order, so that no two wait for each other in a circle."""

from collections.abc import Sequence
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

_IN_USE = text("SELECT pg_advisory_xact_lock_shared(7167)")
_OUT_OF_USE = text("SELECT pg_advisory_xact_lock(7167)")


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


async def hold_common(
    connection: AsyncConnection, query: Select[*tuple[Any, ...]], *, written: bool
) -> list[Row[*tuple[Any, ...]]]:
    """Rows that many use at once, which nobody replaces until the transaction ends; `written` if it writes to them.

    They are on every node of a cluster, and Citus locks such a table as a whole: whoever writes to it has it alone
    from the start, since two who held it to read would wait for each other. Who does not, only says that he uses it:
    `wait_for_users` takes the place of the wait for his rows.
    """
    if placement_of(connection) is None:
        query = query.with_for_update(read=True, key_share=True)
    elif written:
        query = query.with_for_update(key_share=True)
    else:
        await connection.execute(_IN_USE)
    return list((await connection.execute(query)).all())


async def wait_for_users(database: Database) -> None:
    """Return when whoever used what was replaced before has ended, on a cluster: elsewhere the replacing waits."""
    async with database.begin() as connection:
        if placement_of(connection) is not None:
            await connection.execute(_OUT_OF_USE)


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
