"""Many rows at once, by each engine's fastest way, inside a transaction that SQLAlchemy began."""

from collections.abc import Sequence

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database.sqlite import bound

_FOR_THIS_TRANSACTION = ("SET LOCAL work_mem = '256MB'", "SET LOCAL jit = off")


async def prepare_bulk(connection: AsyncConnection) -> None:
    """Let what follows in this transaction sort and join large tables in memory."""
    if connection.dialect.name == "postgresql":
        for setting in _FOR_THIS_TRANSACTION:
            await connection.execute(text(setting))


async def load(connection: AsyncConnection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    """Append rows whose values stand in the order of the table's columns."""
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise AssertionError("a connection in use has its driver's connection")
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        await driver.copy_records_to_table(table.name, records=rows, columns=names)
    else:
        placeholders = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({placeholders})"  # noqa: S608  # names of our own tables
        await (await driver.executemany(statement, map(bound, rows))).close()
