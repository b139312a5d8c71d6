"""New primaries of shards: whoever wraps takes them from then on."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Row, and_, insert, select, update

from models.database import Database
from models.tables import shard_key
from vault.errors import KeyStateError
from vault.keys.rotation.progress import Progress, again
from vault.keys.service import GeneratedKey, KeyService, KeyState, Tree, shard_name

_BATCH = 64

_Now = Callable[[], datetime]


class ShardRotation:
    """Gives shards new primaries; `now` is when they were made."""

    def __init__(self, database: Database, service: KeyService, now: _Now = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._service = service
        self._now = now

    async def primaries(self, tree: Tree, shards: Collection[int] | None = None) -> dict[int, int]:
        """The primary version of each of these shards that has a key; of all of them unless some are named."""
        query = select(shard_key.c.shard, shard_key.c.version).where(_primary(tree)).order_by(shard_key.c.shard)
        async with self._database.connect() as connection:
            found = {row.shard: row.version for row in await connection.execute(query)}
        return found if shards is None else {shard: found[shard] for shard in sorted(shards) if shard in found}

    async def rotate(self, tree: Tree, shards: Collection[int] | None, progress: Progress) -> int:
        """A new primary for each of these shards, or all, that has a key; says how many. The ones before are enabled.

        Raises KeyStateError for the tree `index`.
        """
        if tree is Tree.INDEX:
            raise KeyStateError(
                "the key of the index has no successor: every pseudonym, and with it every row, would be another's; "
                "its master can be rotated"
            )
        before = list((await self.primaries(tree, shards)).items())
        for start in range(0, len(before), _BATCH):
            batch = before[start : start + _BATCH]
            for shard in await self._rotate(tree, batch, wait=False):
                # Somebody is wrapping under it: whoever waits for him holds nothing for which others wait.
                await self._rotate(tree, [(shard, version) for each, version in batch if each == shard], wait=True)
            progress(len(batch))
        return len(before)

    async def _rotate(self, tree: Tree, batch: Sequence[tuple[int, int]], *, wait: bool) -> list[int]:
        """Rotate those that nobody holds, or wait for them; the shards that were held."""
        names = [shard_name(tree, shard, version + 1) for shard, version in batch]
        generated = await self._service.generate(tree, names)
        fresh = {shard: key for (shard, _), key in zip(batch, generated, strict=True)}

        async def write() -> list[int]:
            async with self._database.begin() as connection:
                query = (
                    select(shard_key.c.shard, shard_key.c.version)
                    .where(_primary(tree), shard_key.c.shard.in_(list(fresh)))
                    .order_by(shard_key.c.shard)
                    .with_for_update(skip_locked=not wait)
                )
                locked = (await connection.execute(query)).all()
                # Another version is primary where another rotation has been meanwhile: it has done the work.
                ours = [row for row in locked if (row.shard, row.version) in set(batch)]
                if ours:
                    await connection.execute(
                        update(shard_key)
                        .where(_primary(tree), shard_key.c.shard.in_([row.shard for row in ours]))
                        .values(state=KeyState.ENABLED.value)
                    )
                    await connection.execute(insert(shard_key), [self._row(tree, row, fresh) for row in ours])
                return sorted(set(fresh) - {row.shard for row in locked})

        return await again(write)

    def _row(self, tree: Tree, row: Row[int, int], fresh: dict[int, GeneratedKey]) -> dict[str, object]:
        wrapped = fresh[row.shard].wrapped
        return {
            "tree": tree.value,
            "shard": row.shard,
            "version": row.version + 1,
            "state": KeyState.PRIMARY.value,
            "key_id": wrapped.key_id,
            "wrapped": wrapped.wrapped,
            "uses": 0,
            "made_at": self._now(),
        }


def _primary(tree: Tree) -> ColumnElement[bool]:
    return and_(shard_key.c.tree == tree.value, shard_key.c.state == KeyState.PRIMARY.value)
