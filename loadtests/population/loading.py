"""A population loaded into a database that `dmp init` made: what comes before its parts and after them.

Primary keys and indexes go before the first part and come back once the last is written: those of dossiers before the
documents' places are loaded, so that the room which sorting takes is free again by then. Each step leaves what the next
run finds done, and whoever is killed goes on where he was. Tables stay as durable as the service has them, and are
vacuumed, so that whoever reads them later has nothing to write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from shutil import disk_usage

import asyncpg
from sqlalchemy import Table, create_mock_engine
from sqlalchemy.schema import CreateIndex

from loadtests.population import Population
from loadtests.population.parts import MARKS, Step
from loadtests.population.places import BUCKETS
from loadtests.profile import POPULATION, SEEDING
from models.tables import (
    content,
    contest,
    dossier,
    dossier_key,
    exercise,
    has_read,
    journal_chain,
    message,
    metadata,
    organization,
    professional,
    staff,
    tied,
    whereabouts,
)

SEED = "loadtest_seed"
VERSION = 1
"""Of what a seed draws; another one is another population."""

_FILLED = {Step.DOSSIERS: (dossier, tied), Step.WHEREABOUTS: (whereabouts,)}
_EMPTY = (
    dossier,
    tied,
    whereabouts,
    professional,
    organization,
    dossier_key,
    has_read,
    contest,
    content,
    message,
    journal_chain,
)
_LOGS = 3
_LOCK = 0x646D70  # whoever seeds holds it
_INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename = $1 AND schemaname = current_schema()"
_POSTGRESQL = create_mock_engine("postgresql+asyncpg://", lambda *_: None).dialect
_SORTING = {"maintenance_work_mem": "1GB", "max_parallel_maintenance_workers": "2"}


class RefusedError(Exception):
    """The database is not one to be seeded, or not now; the message says why."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a database says of its population: how it is cut, and whether it is whole."""

    size: int
    finished: bool


async def begin(connection: asyncpg.Connection, population: Population, size: int) -> Begun:
    """Take hold of the database until the connection ends; what was begun before goes on.

    Raises RefusedError if somebody else is at it, or if it holds anything but this population.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        raise RefusedError("somebody else is seeding this database")
    async with connection.transaction():
        if await connection.fetchval("SELECT to_regclass($1)", SEED):
            return await _begun(connection, population)
        await _refuse_others(connection)
        await connection.execute(
            f"CREATE TABLE {SEED}"
            " (seed bigint, dossiers bigint, version integer, size integer, finished_at timestamptz);"
            f"CREATE TABLE {MARKS} (step text, part integer, ids bytea, PRIMARY KEY (step, part));"
            f"ALTER TABLE {MARKS} ALTER ids SET STORAGE EXTERNAL"
        )
        values = (population.seed, population.dossiers, VERSION, size)
        await connection.execute(f"INSERT INTO {SEED} VALUES ($1, $2, $3, $4)", *values)  # noqa: S608 - our own name
        for table in _tables():
            await _strip(connection, table)
    return Begun(size, finished=False)


async def refuse_another(database_url: str, population: Population) -> None:
    """Raises RefusedError if the database was not seeded with this population, to its end."""
    connection = await asyncpg.connect(database_url)
    try:
        if not await connection.fetchval("SELECT to_regclass($1)", SEED):
            raise RefusedError("`dmp-loadtest seed` has not filled this database")
        if not (await _begun(connection, population)).finished:
            raise RefusedError("this database is not seeded to its end: call `dmp-loadtest seed` again")
    finally:
        await connection.close()


async def missing(connection: asyncpg.Connection, step: Step, count: int) -> list[int]:
    """The parts that are still to be written."""
    query = f"SELECT part FROM {MARKS} WHERE step = $1"  # noqa: S608 - our own name
    written = {row["part"] for row in await connection.fetch(query, step)}
    return [part for part in range(count) if part not in written]


def completed(step: Step) -> tuple[str, ...]:
    """The tables that are complete after a step."""
    return tuple(table.name for table in _FILLED.get(step, ()))


async def index(connection: asyncpg.Connection, name: str) -> None:
    """Vacuum a complete table and give it back its keys and indexes, unless it has them."""
    table = metadata.tables[name]
    there = {row["indexname"] for row in await connection.fetch(_INDEXES, name)}
    statements = [statement for each, statement in _statements(table) if each not in there]
    if not statements:
        return
    for setting, value in _SORTING.items():
        await connection.execute(f"SET {setting} = '{value}'")
    await connection.execute(f"VACUUM {name}")
    for statement in statements:
        await connection.execute(statement)


async def finish(connection: asyncpg.Connection) -> None:
    """Everything is there: statistics are taken, and what only the loading needed goes."""
    for table in (*_tables(), professional, organization, exercise, staff):
        await connection.execute(f"ANALYZE {table.name}")
    async with connection.transaction():
        for table in _tables():
            await connection.execute(f"ALTER TABLE {table.name} RESET (autovacuum_enabled)")
        await connection.execute(f"DROP TABLE {MARKS}; UPDATE {SEED} SET finished_at = now()")  # noqa: S608 - our own


async def sizes(connection: asyncpg.Connection) -> list[tuple[str, int, int]]:
    """The tables that were filled, the bytes of each, and those of its indexes."""
    query = "SELECT pg_table_size($1::regclass), pg_indexes_size($1::regclass)"
    return [(table.name, *await connection.fetchrow(query, table.name)) for table in _tables()]


async def room(connection: asyncpg.Connection, dossiers: int) -> tuple[int, int | None]:
    """How many bytes so many dossiers need, and how many are free where the server has them, if that is this machine.

    The write-ahead log goes beyond its bound while a checkpoint is under way.
    """
    documents = dossiers * POPULATION["documents a dossier, mean"].value
    data = dossiers * SEEDING["bytes of disk a dossier"].value
    data += min(documents, BUCKETS) * SEEDING["bytes of disk a bucket"].value
    log = await connection.fetchval("SELECT pg_size_bytes(current_setting('max_wal_size'))")
    folder = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
    here = await connection.fetchval(
        "SELECT coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true)"
    )
    try:
        free = disk_usage(folder).free if here and folder else None
    except OSError:
        free = None
    return round(data + min(data, _LOGS * log)), free


def _tables() -> list[Table]:
    return list(chain.from_iterable(_FILLED.values()))


async def _begun(connection: asyncpg.Connection, population: Population) -> Begun:
    row = await connection.fetchrow(f"SELECT * FROM {SEED}")  # noqa: S608 - our own name
    if (row["seed"], row["dossiers"], row["version"]) != (population.seed, population.dossiers, VERSION):
        raise RefusedError(
            f"this database has {row['dossiers']:,} dossiers from seed {row['seed']} (version {row['version']})"
        )
    return Begun(row["size"], row["finished_at"] is not None)


async def _refuse_others(connection: asyncpg.Connection) -> None:
    for table in _EMPTY:
        if await connection.fetchval(f"SELECT true FROM {table.name} LIMIT 1"):  # noqa: S608 - names of our own tables
            raise RefusedError(f"this database holds something: there are rows in {table.name}")


async def _strip(connection: asyncpg.Connection, table: Table) -> None:
    await connection.execute(f"ALTER TABLE {table.name} SET (autovacuum_enabled = false)")
    await connection.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.primary_key.name}")
    for each in table.indexes:
        await connection.execute(f"DROP INDEX {each.name}")


def _statements(table: Table) -> Iterator[tuple[str, str]]:
    """What makes the table's keys and indexes, by their names."""
    key = table.primary_key
    columns = ", ".join(column.name for column in key.columns)
    yield str(key.name), f"ALTER TABLE {table.name} ADD CONSTRAINT {key.name} PRIMARY KEY ({columns})"
    for each in table.indexes:
        yield str(each.name), str(CreateIndex(each).compile(dialect=_POSTGRESQL))
