"""A database that fails, hangs or loses its connection on order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.database.protocol import Dialect
from models.errors import DatabaseUnavailableError


@dataclass
class UnreliableDatabase:
    """Passes everything on, but for transactions: see the fields, which a test may change at any time."""

    real: Database
    fails_to_begin: bool = False
    fails_to_commit: bool = False
    raises: BaseException = field(default_factory=lambda: DatabaseUnavailableError("the database is gone"))
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Set unless the test clears it: transactions wait for it before they begin."""
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a transaction waits."""
    transactions: int = 0

    def __post_init__(self) -> None:
        self.dialect: Dialect = self.real.dialect
        self.goes_on.set()

    async def read(self, statement: str, *values: Any) -> Any:
        return await self.real.read(statement, *values)

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._transaction(self.real.begin)

    def begin_hot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._transaction(self.real.begin_hot)

    @asynccontextmanager
    async def _transaction(
        self, begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        if not self.goes_on.is_set():
            self.waits.set()
            await self.goes_on.wait()
        if self.fails_to_begin:
            raise self.raises
        async with begin() as connection:
            yield connection
            if self.fails_to_commit:
                raise self.raises

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.real.connect()

    async def close(self) -> None:
        await self.real.close()
