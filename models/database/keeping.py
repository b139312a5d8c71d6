"""Connections kept for writing: begun and committed by the driver, and never reset in between.

A pool's check, reset and hand-over cost ten times what a transaction does. To SQLAlchemy such a connection commits by
itself, so that what it executes there stands in the driver's transaction.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.database.bulk import driver_of
from models.database.faults import reached
from models.database.placement import placement_of

_KEPT = 5
_LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError, OSError)


class Kept:
    """As many as were ever in use at once, a few at most."""

    def __init__(self) -> None:
        self._free: list[AsyncConnection] = []

    @asynccontextmanager
    async def begin(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A transaction on a kept connection. Where it fails the connection goes, and the transaction with it."""
        with reached():
            connection, transaction = await self._begun(engine)
        try:
            yield connection
            await connection.commit()
            await transaction.commit()
        except BaseException:
            await _drop(connection)
            raise
        if len(self._free) < _KEPT:
            self._free.append(connection)
        else:
            await connection.close()

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()

    async def _begun(self, engine: AsyncEngine) -> tuple[AsyncConnection, Any]:
        """In place of a connection that was lost meanwhile, or does not know where rows are now, a fresh one."""
        while self._free:
            connection = self._free.pop()
            if placement_of(connection) is not engine.get_execution_options().get("placement"):
                await _drop(connection)
                continue
            try:
                return connection, await _begin(connection)
            except _LOST:
                await _drop(connection)
        connection = await engine.connect()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return connection, await _begin(connection)


async def _begin(connection: AsyncConnection) -> Any:
    transaction = driver_of(connection).transaction()
    await transaction.start()
    return transaction


async def _drop(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()
