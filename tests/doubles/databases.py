"""Databases that are not always there."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.errors import DatabaseUnavailableError


class FailingDatabase:
    """A database that begins so many more transactions and no other."""

    def __init__(self, database: Database, transactions: int) -> None:
        self._database = database
        self._transactions = transactions
        self.dialect = database.dialect

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        return await self._database.read(statement, *values)

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        if not self._transactions:
            raise DatabaseUnavailableError("gone")
        self._transactions -= 1
        return self._database.begin()

    begin_hot = begin

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.connect()

    async def close(self) -> None:
        """Whoever opened the database closes it."""
