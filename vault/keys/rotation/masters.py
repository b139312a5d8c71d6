"""Masters: another one for a tree means to wrap its shards' keys anew, some thousands, whatever hangs below them."""

from collections.abc import Sequence

from sqlalchemy import Row, bindparam, select, tuple_, update

from models.database import Database
from models.tables import shard_key
from vault.errors import KeyStateError, SealBrokenError
from vault.keys.rotation.progress import Done, Progress, again
from vault.keys.seen import refuse_older
from vault.keys.service import KeyService, KeyState, Master, Name, Tree, WrappedKey, shard_name

_BATCH = 512
_USABLE = frozenset({KeyState.PRIMARY, KeyState.ENABLED})
_WRAPPED = (
    update(shard_key)
    .where(
        shard_key.c.tree == bindparam("in_tree"),
        shard_key.c.shard == bindparam("in_shard"),
        shard_key.c.version == bindparam("in_version"),
        shard_key.c.wrapped == bindparam("before"),
    )
    .values(key_id=bindparam("key_id"), wrapped=bindparam("wrapped"))
)

_ShardRow = Row[int, int, str, bytes]
_START = (-1, 0)


async def rotate_master(database: Database, service: KeyService, tree: Tree) -> Master:
    """A new primary for a tree; what is under the one before is for `rewrap_shards` to wrap anew."""
    master = await service.rotate(tree)
    await refuse_older(database, service)
    return master


async def rewrap_shards(database: Database, service: KeyService, tree: Tree, progress: Progress) -> Done:
    """Bring the shards' keys of a tree under its primary.

    Raises KeyStateError, before anything is done, where some are under a master that does not unwrap.
    """
    primary = await _primary(database, service, tree)
    done, after = Done(), _START
    while rows := await _page(database, tree, primary.key_id, after):
        after = rows[-1].shard, rows[-1].version
        done.add(await _rewrap(database, service, tree, rows))
        progress(len(rows))
    return done


async def count_below(database: Database, tree: Tree) -> dict[str, int]:
    """How many shards' keys each master wraps, by its id."""
    statement = "SELECT key_id, COUNT(*) FROM shard_key WHERE tree = $1::text AND state <> 'destroyed' GROUP BY key_id"
    return {key_id: int(count) for key_id, count in await database.read(statement, tree.value)}


def primary_of(masters: Sequence[Master], tree: Tree) -> Master:
    """Which of them wraps. Raises KeyStateError if none does: an empty service, or another's."""
    for master in masters:
        if master.tree is tree and master.state is KeyState.PRIMARY:
            return master
    raise KeyStateError(f"the key service has no master for {tree}")


async def _primary(database: Database, service: KeyService, tree: Tree) -> Master:
    status = await service.status()
    floor = status.floors.get(tree, 1)
    unwrap = {each.key_id for each in status.masters if each.state in _USABLE and each.version >= floor}
    for key_id, count in (await count_below(database, tree)).items():
        if key_id not in unwrap:
            raise KeyStateError(f"{count} shard keys are under {key_id}, which does not unwrap")
    return primary_of(status.masters, tree)


async def _page(database: Database, tree: Tree, primary: str, after: tuple[int, int]) -> Sequence[_ShardRow]:
    query = (
        select(shard_key.c.shard, shard_key.c.version, shard_key.c.key_id, shard_key.c.wrapped)
        .where(
            shard_key.c.tree == tree.value,
            shard_key.c.state != KeyState.DESTROYED.value,
            shard_key.c.key_id != primary,
            tuple_(shard_key.c.shard, shard_key.c.version) > tuple_(*after),
        )
        .order_by(shard_key.c.shard, shard_key.c.version)
        .limit(_BATCH)
    )
    async with database.connect() as connection:
        return (await connection.execute(query)).all()


async def _rewrap(database: Database, service: KeyService, tree: Tree, rows: Sequence[_ShardRow]) -> Done:
    """In the order of rows in which everybody locks them; one that changed meanwhile is left to whoever changed it."""
    named = [(shard_name(tree, row.shard, row.version), WrappedKey(row.key_id, row.wrapped)) for row in rows]
    changes = [
        {
            "in_tree": tree.value,
            "in_shard": row.shard,
            "in_version": row.version,
            "before": row.wrapped,
            "key_id": wrapped.key_id,
            "wrapped": wrapped.wrapped,
        }
        for row, wrapped in zip(rows, await _rewrapped(service, named), strict=True)
        if wrapped is not None
    ]

    async def write() -> None:
        async with database.begin() as connection:
            await connection.execute(_WRAPPED, changes)

    if changes:
        await again(write)
    return Done(len(changes), len(rows) - len(changes))


async def _rewrapped(service: KeyService, named: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey | None]:
    """None in the place of what does not open: one that was tampered with does not keep the others."""
    try:
        return list(await service.rewrap(named))
    except SealBrokenError:
        if len(named) == 1:
            return [None]
        half = len(named) // 2
        return [*await _rewrapped(service, named[:half]), *await _rewrapped(service, named[half:])]
