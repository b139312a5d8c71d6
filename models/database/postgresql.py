"""PostgreSQL: a few connections held for hot reads, and SQLAlchemy's pool for the rest.

Held means: taken once, never reset between statements, each statement prepared once. A pool that resets a connection
at every return would halve the rate.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from models.database.faults import reached, translated
from models.database.keeping import Kept
from models.database.placement import LOCATE, Placement
from models.database.protocol import Dialect
from models.errors import DatabaseUnavailableError

_HELD = 4
_TIMEOUT_SECONDS = 5.0

# Hot statements are chains of look-ups by primary key, for which no other plan is ever right: they are planned once,
# whatever statistics say (a table that was empty when the plan was made may be large when it is used).
_HOT_SETTINGS = {
    "application_name": "dmp hot",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "jit": "off",
}

# A coordinator plans where to ask: it has to know the values, and leaves the rest to those whom it asks.
_COORDINATOR_SETTINGS = {
    "application_name": "dmp hot",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
}

_LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    OSError,
)
_STATEMENTS = 256
_HAS_CITUS = "SELECT 1 WHERE to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"


class Held:
    """One connection that comes back by itself, and the statements prepared on it. It raises what the driver does."""

    def __init__(self, url: str, settings: Mapping[str, str] = _HOT_SETTINGS) -> None:
        self._url = url
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._statements: dict[str, asyncpg.prepared_stmt.PreparedStatement] = {}

    async def read(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Rows; on a connection lost meanwhile, or a plan outdated by a migration, tried again once."""
        fresh = self._connection is None
        try:
            return await self.fetch(statement, values)
        except asyncpg.InvalidCachedStatementError:
            self._statements.clear()
        except _LOST as error:
            self.forget()
            if fresh or isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
                raise
        return await self.fetch(statement, values)

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Rows, tried once: of the very connection that gave the last ones, if it has not been forgotten."""
        prepared = self._statements.get(statement)
        if prepared is None:
            prepared = await self._prepare(statement)
        rows: Sequence[Sequence[Any]] = await prepared.fetch(*values, timeout=_TIMEOUT_SECONDS)
        return rows

    async def _prepare(self, statement: str) -> "asyncpg.prepared_stmt.PreparedStatement":
        if self._connection is None:
            self._connection = await connect(self._url, self._settings)
        if len(self._statements) == _STATEMENTS:
            self._statements.clear()  # the server's go with these
        prepared = await self._connection.prepare(statement, timeout=_TIMEOUT_SECONDS)
        self._statements[statement] = prepared
        return prepared

    def forget(self) -> None:
        """Drop the connection without a word, whatever it is at."""
        connection, self._connection = self._connection, None
        self._statements.clear()
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        self._statements.clear()
        if connection is not None:
            await connection.close(timeout=_TIMEOUT_SECONDS)


class _Pool:
    """A few connections to one server, each for one statement at a time."""

    def __init__(self, url: str, settings: Mapping[str, str]) -> None:
        self._held = [Held(url, settings) for _ in range(_HELD)]
        # Last in, first out: what was used last is warm in both processors' caches.
        self._free: asyncio.LifoQueue[Held] = asyncio.LifoQueue()
        for held in self._held:
            self._free.put_nowait(held)

    async def read(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        held = self._free.get_nowait() if not self._free.empty() else await self._wait()
        try:
            return await held.read(statement, values)
        finally:
            self._free.put_nowait(held)

    async def _wait(self) -> Held:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await self._free.get()

    async def close(self) -> None:
        for held in self._held:
            await held.close()


class PostgresqlDatabase:
    """See `models.database.protocol.Database`."""

    dialect: Dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        self._url = url
        self._pool = _Pool(dsn(url), _HOT_SETTINGS)
        self._engine = engine(url)
        self._kept = Kept()
        self.is_distributed = False

    async def locate(self) -> None:
        """Learn where rows are, if they are distributed: to be called before anything else."""
        if await self.read(_HAS_CITUS) and (rows := await self.read(LOCATE)):
            self.is_distributed = True
            await self._pool.close()
            self._pool = _Pool(dsn(self._url), _COORDINATOR_SETTINGS)
            self._engine = self._engine.execution_options(placement=Placement.located(rows))

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        with reached():
            return await self._pool.read(statement, values)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def begin_hot(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._kept.begin(self._engine) as connection:
                yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        with reached():
            connection = await self._engine.connect()
        with translated():
            try:
                yield connection
            finally:
                await connection.close()

    async def close(self) -> None:
        with reached():
            await self._pool.close()
            await self._kept.close()
            await self._engine.dispose()


def dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def engine(url: URL) -> AsyncEngine:
    """SQLAlchemy's way in; its connections are checked before use, since a write is not tried twice."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(dsn(url), {"application_name": "dmp"}),
        pool_size=5,
        max_overflow=5,
        pool_timeout=_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


async def connect(url: str, settings: Mapping[str, str]) -> "asyncpg.Connection":
    try:
        return await asyncpg.connect(url, timeout=_TIMEOUT_SECONDS, server_settings=dict(settings))
    except ValueError:
        raise DatabaseUnavailableError("the database URL is not one that PostgreSQL's client understands") from None
