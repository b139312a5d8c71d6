"""Rows of several tables in one statement, where the round trip of each would cost more than its rows do."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database.bulk import arrays, change, driver_of, load
from models.database.placement import placement_of

Columns = tuple[str, ...]


class Loaded(NamedTuple):
    """Rows for `load`: at least one."""

    table: Table
    columns: Columns
    rows: Sequence[Sequence[object]]


class Changed(NamedTuple):
    """Rows for `change`: at least one. The table's one primary key stands first in columns and rows."""

    table: Table
    columns: Columns
    rows: Sequence[Sequence[object]]


async def write_together(connection: AsyncConnection, *writes: Loaded | Changed) -> None:
    """Do all of these, of different tables, in a transaction that has begun; rows of a table in their order."""
    if connection.dialect.name == "postgresql" and placement_of(connection) is None:
        statement = _statement(tuple((type(each), each.table, each.columns) for each in writes))
        values = [list(column) for each in writes for column in zip(*each.rows, strict=True)]
        await driver_of(connection).execute(statement, *values)
        return
    for each in writes:
        if isinstance(each, Loaded):
            await load(connection, each.table, each.rows, each.columns)
        else:
            await change(connection, each.table, each.columns[1:], each.rows)


@lru_cache(maxsize=64)
def _statement(writes: tuple[tuple[type, Table, Columns], ...]) -> str:
    parts: list[str] = []
    first = 1
    for number, (kind, table, columns) in enumerate(writes):
        given = f"unnest({arrays([table.c[name] for name in columns], first)})"
        parts.append(
            f"w{number} AS ({_load(table, columns, given) if kind is Loaded else _change(columns, table, given)})"
        )
        first += len(columns)
    return f"WITH {', '.join(parts)} SELECT"


def _load(table: Table, columns: Columns, given: str) -> str:
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM {given}"  # noqa: S608  # names of our own tables


def _change(columns: Columns, table: Table, given: str) -> str:
    key, *others = columns
    to = ", ".join(f"{name} = changed.{name}" for name in others)
    found = f"{table.name}.{key} = changed.{key}"
    return f"UPDATE {table.name} SET {to} FROM {given} AS changed ({', '.join(columns)}) WHERE {found}"  # noqa: S608  # as above
