"""What the rest of the service knows of its database."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

Dialect = Literal["sqlite", "postgresql"]


class Read(Protocol):
    """Reads as `Reads.read` does, from where some rows are."""

    async def __call__(self, statement: str, /, *values: Any) -> Sequence[Sequence[Any]]: ...


class Reads(Protocol):
    """What the hot path reads from. Raises `models.errors.DatabaseError`, and nothing of the libraries beneath."""

    dialect: Dialect

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        """All rows of a prepared statement, outside any transaction: the hot path.

        Placeholders are `$1`, `$2::uuid`, ...; the statement's text is constant, since it stays prepared. Rows hold
        the same Python values on both engines (UUID, instants in UTC, booleans, dates) for columns of tables.
        """
        ...


class Database(Reads, Protocol):
    """One database, open. Everything raises as `Reads` does."""

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One write transaction: committed when the block ends, rolled back when it raises.

        On SQLite there is one at a time, so never begin a second one inside.
        """
        ...

    def begin_hot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """As `begin`, for who writes many times a second; best by statements of the driver: `load`, `find`, `change`.

        On PostgreSQL it costs a tenth of `begin`, unless it fails: its connection is then not used again.
        """
        ...

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to read from, in one transaction that is never committed."""
        ...

    async def close(self) -> None: ...
