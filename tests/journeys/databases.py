"""The database of a stack, from behind: what its administrator sees, and may break."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from api.parts import open_journal
from tests.journeys.processes import Stack
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Entry
from vault.journal.recent import newest_first

T = TypeVar("T")

_TRIGGER = "CREATE TRIGGER no_more_entries BEFORE INSERT ON journal_entry BEGIN SELECT RAISE(ABORT, 'no'); END"
_NO_MORE_ENTRIES = {
    "sqlite": (_TRIGGER, "DROP TRIGGER no_more_entries"),
    "postgresql": (
        "ALTER TABLE journal_entry ADD CONSTRAINT no_more_entries CHECK (false) NOT VALID",
        "ALTER TABLE journal_entry DROP CONSTRAINT no_more_entries",
    ),
}
_LITERAL = {"sqlite": "quote({})", "postgresql": "quote_nullable({}::text)"}


@contextmanager
def no_journal(stack: Stack) -> Iterator[None]:
    """The database refuses every new entry of the journal for as long as the block lasts."""
    before, after = _NO_MORE_ENTRIES[urlsplit(stack.settings.database_url).scheme]
    execute(stack, before)
    try:
        yield
    finally:
        execute(stack, after)


def execute(stack: Stack, statement: str) -> None:
    url = stack.settings.database_url
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(statement)
        return

    async def run(connection: Any) -> None:
        await connection.execute(statement)

    _connected(url, run)


def everything(stack: Stack) -> Iterator[bytes]:
    """Every value of every row of every table, as text or bytes."""
    for table in tables(stack):
        for row in rows(stack, table):
            for value in row:
                yield value if isinstance(value, bytes) else str(value).encode()


def tables(stack: Stack) -> list[str]:
    if stack.settings.database_url.startswith("sqlite"):
        found = _rows(stack, "SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        found = _rows(stack, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [row[0] for row in found]


def rows(stack: Stack, table: str) -> list[tuple[Any, ...]]:
    return _rows(stack, f'SELECT * FROM "{table}"')


def literals(stack: Stack, table: str, columns: Sequence[str], where: str) -> list[str]:
    """What one row holds, each value as a statement would write it."""
    literal = _LITERAL[urlsplit(stack.settings.database_url).scheme]
    asked = ", ".join(literal.format(column) for column in columns)
    ((*found,),) = _rows(stack, f"SELECT {asked} FROM {table} WHERE {where}")
    return found


def entries(stack: Stack, dossier: UUID | None = None) -> list[Entry]:
    """What the journal says, of one dossier or of all, newest first."""

    async def read() -> list[Entry]:
        async with open_journal(stack.settings) as (database, keys):
            pages = newest_first(database, keys, dossier=dossier)
            return [line.entry async for page in pages for line in page if line.entry is not None]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, read()).result()


def swaps(stack: Stack) -> list[Entry]:
    """What the journal says of rules, in order."""
    return [entry for entry in reversed(entries(stack, NO_DOSSIER)) if entry.action == POLICY_SWAP]


def _rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    url = stack.settings.database_url
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchall()

    async def run(connection: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await connection.fetch(query)]

    return _connected(url, run)


def _connected(url: str, run: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    async def connected() -> T:
        connection = await asyncpg.connect(url)
        try:
            return await run(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, connected()).result()
