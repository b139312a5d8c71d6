"""Brings a database to a revision of `models/migrations`, on both engines."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.database import postgresql, sqlite
from models.database.distributing import check_cluster, distribute, is_distributed, prepare
from models.database.faults import reached
from models.database.urls import parsed, sqlite_path
from models.errors import DatabaseError

_MIGRATIONS = Path(__file__).parent.parent / "migrations"
_ONE_AT_A_TIME = 0x646D70  # "dmp": an advisory lock of our own


def upgrade(url: str, revision: str = "head", *, distributed: bool = False) -> None:
    """Create or bring up to date; the folder of an SQLite file is made. Does nothing to what is up to date.

    What is `distributed` over a Citus cluster stays so, its new tables with it, whether that is said again or not. For
    use outside a running event loop, or from a thread. Raises DatabaseError.
    """
    if distributed and parsed(url).get_backend_name() != "postgresql":
        raise DatabaseError(
            "an SQLite file is not distributed: that takes a Citus cluster, DMP_DATABASE_URL=postgresql://"
        )
    _run(url, lambda config: command.upgrade(config, revision), distributed=distributed)


def downgrade(url: str, revision: str) -> None:
    """Go back to a revision; `base` removes everything. As `upgrade` otherwise."""
    _run(url, lambda config: command.downgrade(config, revision))


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(url: str, migrate: Callable[[Config], None], *, distributed: bool | None = None) -> None:
    asyncio.run(_migrated(_engine(url), migrate, distributed=distributed))


async def _migrated(engine: AsyncEngine, migrate: Callable[[Config], None], *, distributed: bool | None) -> None:
    try:
        with reached():
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
                if distributed:
                    await check_cluster(connection)
                is_already = await is_distributed(connection)
                if is_already:
                    await prepare(connection)
                await connection.run_sync(lambda inside: migrate(configuration(inside)))
                if distributed or (is_already and distributed is not None):
                    await distribute(connection)
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    where = parsed(url)
    if where.get_backend_name() == "postgresql":
        return postgresql.engine(where)
    path = sqlite_path(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite.engine(path, begin="BEGIN IMMEDIATE", pool_size=1)
