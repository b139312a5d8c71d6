"""Many rows at once, by each engine's fastest way, inside a transaction that SQLAlchemy began."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database.sqlite import bound

_FOR_THIS_TRANSACTION = ("SET LOCAL work_mem = '256MB'", "SET LOCAL jit = off")


async def prepare_bulk(connection: AsyncConnection) -> None:
    """Let what follows in this transaction sort and join large tables in memory."""
    if connection.dialect.name == "postgresql":
        for setting in _FOR_THIS_TRANSACTION:
            await connection.execute(text(setting))


async def load(
    connection: AsyncConnection, table: Table, rows: Sequence[Sequence[object]], columns: Sequence[str] | None = None
) -> None:
    """Append rows whose values stand in the order of the columns: all of the table's unless some are named."""
    driver = await _driver(connection)
    names = [column.name for column in table.columns] if columns is None else list(columns)
    if connection.dialect.name == "postgresql":
        await driver.copy_records_to_table(table.name, records=rows, columns=names)
    else:
        placeholders = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({placeholders})"  # noqa: S608  # names of our own tables
        await (await driver.executemany(statement, map(bound, rows))).close()


async def change(
    connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Change these columns of rows found by the table's one primary key, whose value stands first in each row."""
    driver = await _driver(connection)
    (key,) = table.primary_key.columns
    if connection.dialect.name == "postgresql":
        named = [key, *(table.c[column] for column in columns)]
        arrays = ", ".join(
            f"${number}::{column.type.compile(connection.dialect)}[]" for number, column in enumerate(named, 1)
        )
        to = ", ".join(f"{column} = changed.{column}" for column in columns)
        statement = (
            f"UPDATE {table.name} SET {to} FROM unnest({arrays}) AS changed ({', '.join(c.name for c in named)}) "  # noqa: S608  # as above
            f"WHERE {table.name}.{key.name} = changed.{key.name}"
        )
        await driver.execute(statement, *map(list, zip(*rows, strict=True)))
    else:
        to = ", ".join(f"{column} = ?" for column in columns)
        statement = f"UPDATE {table.name} SET {to} WHERE {key.name} = ?"  # noqa: S608  # as above
        await (await driver.executemany(statement, (bound([*row[1:], row[0]]) for row in rows))).close()


async def _driver(connection: AsyncConnection) -> Any:
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise AssertionError("a connection in use has its driver's connection")
    return driver
