"""Many rows at once, by each engine's fastest way, inside a transaction that SQLAlchemy began."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Column, Select, Table, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database.placement import placement_of
from models.database.sqlite import bound

Lock = Literal["UPDATE", "NO KEY UPDATE", "SHARE"]
"""How rows are held until the transaction ends; SQLite has one writer at a time, who holds everything."""

_ASKED = 500
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
_ONE_AFTER_ANOTHER = text("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
_FOR_THIS_TRANSACTION = ("SET LOCAL work_mem = '256MB'", "SET LOCAL jit = off")


async def prepare_bulk(connection: AsyncConnection) -> None:
    """Let what follows in this transaction sort and join large tables in memory.

    And write tables on every node of a cluster after others: Citus wants one connection to each node for that.
    """
    if connection.dialect.name == "postgresql":
        for setting in _FOR_THIS_TRANSACTION:
            await connection.execute(text(setting))
    if placement_of(connection) is not None:
        await connection.execute(_ONE_AFTER_ANOTHER)


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


async def load_new(connection: AsyncConnection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    """As `load`, but for rows that are there already; in this order, so that no two wait for each other in a circle."""
    driver = await _driver(connection)
    names = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "postgresql":
        statement = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays(table.columns)}) "  # noqa: S608  # as above
        await driver.execute(statement + "ON CONFLICT DO NOTHING", *map(list, zip(*rows, strict=True)))
    else:
        placeholders = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({placeholders}) ON CONFLICT DO NOTHING"  # noqa: S608  # as above
        await (await driver.executemany(statement, map(bound, rows))).close()


async def load_or_change(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    to: str,
    told: str,
) -> Sequence[Sequence[Any]]:
    """As `load_new`, of these columns; a row that is there is changed to this, in which `excluded` is the given one.

    Of the rows as they then are, those of which this is `told`, in no order; values are as `unload` gives them. The
    table has a key of one column.
    """
    driver = await _driver(connection)
    (key,) = table.primary_key.columns
    names = ", ".join(columns)
    conflict = f"ON CONFLICT ({key.name}) DO UPDATE SET {to}"
    into = f"INSERT INTO {table.name} ({names})"
    if connection.dialect.name == "postgresql":
        given = arrays(table.c[column] for column in columns)
        written = f"{into} SELECT * FROM unnest({given}) {conflict} RETURNING {names}"  # noqa: S608  # as above
        statement = f"WITH written AS ({written}) SELECT {names} FROM written WHERE {told}"  # noqa: S608  # as above
        found: Sequence[Sequence[Any]] = await driver.fetch(statement, *map(list, zip(*rows, strict=True)))
        return found
    statement = f"{into} VALUES ({', '.join('?' * len(columns))}) {conflict}"
    await (await driver.executemany(statement, map(bound, rows))).close()
    place = list(columns).index(key.name)
    kept: list[Sequence[Any]] = []
    for begin in range(0, len(rows), _ASKED):
        keys = bound([row[place] for row in rows[begin : begin + _ASKED]])
        query = f"SELECT {names} FROM {table.name} WHERE {key.name} IN ({', '.join('?' * len(keys))}) AND {told}"  # noqa: S608  # as above
        kept += await driver.execute_fetchall(query, keys)
    return kept


async def change(
    connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Change these columns of rows found by the table's one primary key, whose value stands first in each row."""
    driver = await _driver(connection)
    (key,) = table.primary_key.columns
    if connection.dialect.name == "postgresql":
        named = [key, *(table.c[column] for column in columns)]
        to = ", ".join(f"{column} = changed.{column}" for column in columns)
        changed = f"unnest({arrays(named)}) AS changed ({', '.join(column.name for column in named)})"
        found = f"{table.name}.{key.name} = changed.{key.name}"
        if placement_of(connection) is not None:  # else Citus would ask all nodes
            found += f" AND {table.name}.{key.name} = ANY({arrays([key])})"
        statement = f"UPDATE {table.name} SET {to} FROM {changed} WHERE {found}"  # noqa: S608  # as above
        await driver.execute(statement, *map(list, zip(*rows, strict=True)))
    else:
        to = ", ".join(f"{column} = ?" for column in columns)
        statement = f"UPDATE {table.name} SET {to} WHERE {key.name} = ?"  # noqa: S608  # as above
        await (await driver.executemany(statement, (bound([*row[1:], row[0]]) for row in rows))).close()


async def find(
    connection: AsyncConnection, table: Table, columns: Sequence[str], keys: Sequence[UUID], hold: Lock | None = None
) -> Sequence[Sequence[Any]]:
    """These columns of rows by the table's one primary key, in no order; if asked, held by ascending key.

    Citus locks rows of one shard at a time: there it is one statement for each shard, in the order of the shards.
    """
    (key,) = table.primary_key.columns
    rows: list[Sequence[Any]] = []
    if connection.dialect.name == "postgresql":
        driver = await _driver(connection)
        among = f"{key.name} = ANY({arrays([key])}) ORDER BY {key.name}"
        statement = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {among}{f' FOR {hold}' if hold else ''}"  # noqa: S608  # as above
        placement = placement_of(connection) if hold else None
        for some in [keys] if placement is None else placement.together(keys):
            rows += await driver.fetch(statement, some)
        return rows
    for begin in range(0, len(keys), _ASKED):
        query = select(*(table.c[column] for column in columns)).where(key.in_(keys[begin : begin + _ASKED]))
        rows += (await connection.execute(query)).all()
    return rows


async def take(connection: AsyncConnection, table: Table, columns: Sequence[str], most: int) -> list[Sequence[Any]]:
    """Delete the first rows by the table's one primary key; these columns of them, in its order, as `unload` does."""
    driver = await _driver(connection)
    (key,) = table.primary_key.columns
    among = f"SELECT {key.name} FROM {table.name} ORDER BY {key.name} LIMIT {most:d}"  # noqa: S608  # as above
    returned = ", ".join((key.name, *columns))
    statement = f"DELETE FROM {table.name} WHERE {key.name} IN ({among}) RETURNING {returned}"  # noqa: S608  # as above
    taken = await (driver.fetch if connection.dialect.name == "postgresql" else driver.execute_fetchall)(statement)
    return [row[1:] for row in sorted(map(tuple, taken))]


async def unload(
    connection: AsyncConnection, query: Select[Any], at_once: int
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """The rows of a query without parameters, so many at once: what `load` is to an INSERT.

    Values are those of the driver, alike on both engines for numbers, texts and bytes.
    """
    driver, statement = await _driver(connection), str(query.compile(dialect=connection.dialect))
    if connection.dialect.name == "postgresql":
        cursor = await driver.cursor(statement)
        while rows := await cursor.fetch(at_once):
            yield rows
    else:
        async with driver.execute(statement) as cursor:
            while rows := await cursor.fetchmany(at_once):
                yield rows


def arrays(columns: Iterable[Column[Any]], first: int = 1) -> str:
    """PostgreSQL's placeholders for one array of each column's values, from a number on."""
    return ", ".join(f"${number}::{_type(column)}[]" for number, column in enumerate(columns, first))


@lru_cache(maxsize=512)
def _type(column: Column[Any]) -> str:
    return column.type.compile(_POSTGRESQL)


def driver_of(connection: AsyncConnection) -> Any:
    """The driver's own connection."""
    if connection.sync_connection is None:
        raise AssertionError("a connection in use is connected")
    return connection.sync_connection.connection.driver_connection


async def _driver(connection: AsyncConnection) -> Any:
    """The driver's own connection, inside the transaction: on PostgreSQL, SQLAlchemy begins it with a statement."""
    driver = driver_of(connection)
    if connection.dialect.name == "postgresql" and not driver.is_in_transaction():
        await connection.execute(text("SELECT 1"))
    return driver
