"""Another key for a shard while others use it."""

import asyncio
import time
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import shard_key
from vault.keys import KeyService, KeyState, Tree, shard_name

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def rotate(database: Database, service: KeyService, tree: Tree, shard: int = 0) -> bytes:
    """A new primary for a shard, committed; the one before is enabled."""
    async with database.begin() as connection:
        return await rotate_within(connection, service, tree, shard)


async def rotate_within(connection: AsyncConnection, service: KeyService, tree: Tree, shard: int) -> bytes:
    """The same in a transaction; the key."""
    where = (
        (shard_key.c.tree == tree.value) & (shard_key.c.shard == shard) & (shard_key.c.state == KeyState.PRIMARY.value)
    )
    row = (await connection.execute(select(shard_key).where(where).with_for_update())).one()
    (fresh,) = await service.generate(tree, [shard_name(tree, shard, row.version + 1)])
    await connection.execute(update(shard_key).where(where).values(state=KeyState.ENABLED.value))
    wrapped = {"key_id": fresh.wrapped.key_id, "wrapped": fresh.wrapped.wrapped}
    values = row._asdict() | wrapped | {"version": row.version + 1, "uses": 0}
    await connection.execute(shard_key.insert().values(values))
    return fresh.key


async def somebody_waits(database: Database, task: "asyncio.Task[Any]") -> None:
    """Return when the task waits for a row, which it must; on SQLite whoever writes waits for whoever writes."""
    deadline = time.monotonic() + 30
    while database.dialect == "postgresql":
        async with database.connect() as connection:
            if (await connection.exec_driver_sql(_WAITING)).scalar_one():
                break
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert not task.done()
