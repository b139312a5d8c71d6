"""Another key for a shard while others use it."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.tables import shard_key
from vault.keys import KeyService, KeyState, Tree, shard_name


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
