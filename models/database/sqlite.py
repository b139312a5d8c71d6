"""SQLite: one file, any number of readers, one writer at a time.

Hot reads run in the event loop's own thread: they take microseconds, and a thread's hand-over takes ten times that.
In WAL mode they never wait for a writer, so they cannot deadlock with the transactions, which live on aiosqlite's
threads. Writers of other processes are waited for by SQLite's own busy timeout.
"""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from models.database.faults import reached, translated
from models.database.protocol import Dialect
from models.errors import DatabaseUnavailableError
from models.instants import instant_from_integer, instant_to_integer

_WAIT_SECONDS = 10
_STATEMENTS = 256
# FULL: a commit is on the disk before it is announced, which is what the journal promises.
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")
_PLACEHOLDER = re.compile(r"\$(\d+)(?:::\w+)?")

sqlite3.register_converter("UUID", lambda value: UUID(bytes=value))
sqlite3.register_converter("INSTANT", lambda value: instant_from_integer(int(value)))
sqlite3.register_converter("BOOLEAN", lambda value: value == b"1")
sqlite3.register_converter("DATE", lambda value: date.fromisoformat(value.decode("ascii")))

_BIND: dict[type, Callable[[Any], Any]] = {
    UUID: lambda value: value.bytes,
    datetime: instant_to_integer,
    date: date.isoformat,
}


class SqliteDatabase:
    """See `models.database.protocol.Database`."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DatabaseUnavailableError("there is no database file; `dmp init` makes one")
        with reached():
            self._reader = sqlite3.connect(
                path,
                timeout=_WAIT_SECONDS,
                isolation_level=None,
                cached_statements=_STATEMENTS,
                detect_types=sqlite3.PARSE_DECLTYPES,
            )
            self._reader.execute("PRAGMA query_only=ON")
        self._writer = engine(path, begin="BEGIN IMMEDIATE", pool_size=1)
        self._cold = engine(path, begin="BEGIN", pool_size=4)

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        # By name ("1", "2", ...): Python 3.12.0 to 3.12.3 warn when `?1` is bound by position.
        bound = {
            str(number): _BIND[type(value)](value) if type(value) in _BIND else value
            for number, value in enumerate(values, 1)
        }
        with reached():
            return self._reader.execute(_native(statement), bound).fetchall()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        # The writing engine has one connection: the next transaction of this process waits for it in turn.
        with translated():
            async with self._writer.begin() as connection:
                yield connection

    begin_hot = begin

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._cold.connect() as connection:
                yield connection

    async def close(self) -> None:
        self._reader.close()
        await self._writer.dispose()
        await self._cold.dispose()


def bound(values: Sequence[Any]) -> list[Any]:
    """Values as SQLite stores them."""
    return [_BIND[type(value)](value) if type(value) in _BIND else value for value in values]


@lru_cache(maxsize=_STATEMENTS)
def _native(statement: str) -> str:
    """As SQLite writes it: `$1::uuid` is `?1`, since values carry their own types here."""
    return _PLACEHOLDER.sub(r"?\1", statement).replace("string_agg(", "group_concat(")


def engine(path: Path, begin: str, pool_size: int) -> AsyncEngine:
    """SQLAlchemy's way in, with transactions that really begin where they say so."""
    made = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": _WAIT_SECONDS},
    )

    def prepare(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    def open_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(made.sync_engine, "connect", prepare)
    event.listen(made.sync_engine, "begin", open_transaction)
    return made
