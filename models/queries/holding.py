"""Rows that a transaction holds: many at once, in one order, so that no two wait for each other in a circle."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Row, Select, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import placement_of
from models.queries.statements import padded

_AT_ONCE = 1_000
_PASSED_OVER = 100


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
