"""Migrations make exactly the tables of `models.tables`, on both engines, and unmake them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from models.database import downgrade, open_database, upgrade
from models.errors import DatabaseError
from models.tables import metadata

_Seen = TypeVar("_Seen")

_ACROSS = {"tied", "journal_waiting", "journal_leaf"}


def _look(url: str, look: Callable[[Connection], _Seen]) -> _Seen:
    async def looking() -> _Seen:
        database = await open_database(url)
        try:
            async with database.connect() as connection:
                return await connection.run_sync(look)
        finally:
            await database.close()

    return asyncio.run(looking())


def _difference(connection: Connection) -> list[Any]:
    options = {"compare_type": connection.dialect.name == "postgresql", "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def _definitions(connection: Connection) -> list[tuple[str, list[str]]]:
    """What SQLite keeps of a schema is the text that made it; the order of a table's constraints says nothing."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' ORDER BY name"))
    return [(name, sorted((sql or "").replace(",", " ").split())) for name, sql in rows]


def test_up_down_up_is_what_the_tables_say(database_url: str) -> None:
    """After going up, down and up again there is no difference to the metadata, and in between nothing is left."""
    upgrade(database_url)
    downgrade(database_url, "base")
    assert _look(database_url, _tables) == set()
    upgrade(database_url)
    assert _look(database_url, _tables) == set(metadata.tables)
    assert _look(database_url, _difference) == []


def test_sqlite_tables_are_made_by_the_same_text(tmp_path: Any) -> None:
    """To the word: declared types, by which values are converted, and tables without rowid included."""
    migrated, made = f"sqlite:///{tmp_path}/migrated", f"sqlite:///{tmp_path}/made"
    upgrade(migrated)
    upgrade(made)
    downgrade(made, "base")

    async def make() -> None:
        database = await open_database(made)
        async with database.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await database.close()

    asyncio.run(make())
    assert _look(migrated, _definitions) == _look(made, _definitions)


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    """What is up to date stays as it is."""
    upgrade(database_url)
    upgrade(database_url)
    assert _look(database_url, _difference) == []


async def test_two_processes_may_upgrade_at_once(database_url: str) -> None:
    """Workers that start together on an empty database all succeed."""
    both: list[Awaitable[None]] = [asyncio.to_thread(upgrade, database_url) for _ in range(2)]
    await asyncio.gather(*both)
    assert await asyncio.to_thread(_look, database_url, _tables) == set(metadata.tables)


def test_the_folder_of_a_file_is_made(tmp_path: Any) -> None:
    """`dmp init` begins with nothing."""
    upgrade(f"sqlite:///{tmp_path}/new/home/dmp.sqlite")
    assert (tmp_path / "new" / "home" / "dmp.sqlite").is_file()


def test_a_server_that_is_not_there_is_told(free_tcp_port: int) -> None:
    """A migration that cannot begin raises a DatabaseError like everything else."""
    with pytest.raises(DatabaseError):
        upgrade(f"postgresql://dmp@127.0.0.1:{free_tcp_port}/dmp")


def test_primary_keys_begin_with_the_dossier() -> None:
    """What belongs to a person can be partitioned and distributed by the dossier (ARCHITECTURE, "Scale")."""
    of_a_dossier = [table for table in metadata.tables.values() if "dossier" in table.c and table.name not in _ACROSS]
    assert {next(iter(table.primary_key.columns)).name for table in of_a_dossier} == {"dossier"}
    partitionable = {
        constraint.name
        for table in of_a_dossier
        for index in table.indexes
        for constraint in [index]
        if index.unique and "dossier" not in index.columns
    }
    assert partitionable == set()
