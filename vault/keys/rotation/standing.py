"""What keys there are, and what hangs below them: counts and states, never a key."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from models.database import Database
from models.tables import shard_key
from vault.keys.rotation.masters import count_below
from vault.keys.rotation.rewrapping import PLACES
from vault.keys.rotation.rows import count_by_version
from vault.keys.service import KeyService, KeyState, Master, Tree
from vault.keys.shards import MOST_USES, shard_key_id


@dataclass(frozen=True, slots=True)
class TreeStanding:
    """A tree. `below` says how many shards' keys each master wraps, by its id, and `shards` in which states these are.

    `outdated` counts what is under shards' keys that are primary no more: dossiers' keys, journals' keys or rows.
    """

    tree: Tree
    masters: tuple[Master, ...]
    floor: int
    below: Mapping[str, int]
    shards: Mapping[KeyState, int]
    highest_version: int
    most_used: str
    uses: int
    outdated: int

    @property
    def primary(self) -> str:
        """The master that wraps; empty if there is none yet."""
        return next((master.key_id for master in self.masters if master.state is KeyState.PRIMARY), "")


@dataclass(frozen=True, slots=True)
class Standing:
    """The key service, and every tree. `limit` is how many keys a shard key may wrap."""

    service: str
    generation: int
    trees: tuple[TreeStanding, ...]
    limit: int = MOST_USES


async def read_standing(database: Database, service: KeyService) -> Standing:
    """As it is now. Where shards have keys that are primary no more, every key below the tree is looked at."""
    status = await service.status()
    trees = [await _tree(database, tree, status.masters, status.floors.get(tree, 1)) for tree in Tree]
    return Standing(status.service, status.generation, tuple(trees))


async def _tree(database: Database, tree: Tree, masters: tuple[Master, ...], floor: int) -> TreeStanding:
    async with database.connect() as connection:
        of_tree = select(shard_key).where(shard_key.c.tree == tree.value)
        counted = select(shard_key.c.state, func.count()).where(shard_key.c.tree == tree.value).group_by("state")
        states = {KeyState(state): int(count) for state, count in await connection.execute(counted)}
        used = (await connection.execute(of_tree.order_by(shard_key.c.uses.desc()).limit(1))).one_or_none()
        newest = (await connection.execute(of_tree.order_by(shard_key.c.version.desc()).limit(1))).one_or_none()
    replaced = states.get(KeyState.ENABLED, 0) + states.get(KeyState.DISABLED, 0)
    return TreeStanding(
        tree,
        tuple(master for master in masters if master.tree is tree),
        floor,
        await count_below(database, tree),
        states,
        0 if newest is None else newest.version,
        "" if used is None else shard_key_id(tree, used.shard, used.version),
        0 if used is None else used.uses,
        await _outdated(database, tree) if replaced else 0,
    )


async def _outdated(database: Database, tree: Tree) -> int:
    async with database.connect() as connection:
        primary = shard_key.c.tree == tree.value, shard_key.c.state == KeyState.PRIMARY.value
        rows = (await connection.execute(select(shard_key.c.shard, shard_key.c.version).where(*primary))).all()
        if tree is Tree.ROWS:
            current = {row.version for row in rows}
            by_version = await count_by_version(database)
            return sum(count for version, count in by_version.items() if version not in current)
        if tree not in PLACES:
            return 0
        primaries = {shard_key_id(tree, row.shard, row.version) for row in rows}
        keys = PLACES[tree].table.c
        grouped = select(keys.key_id, func.count()).where(keys.wrapped.is_not(None)).group_by(keys.key_id)
        return sum(count for key_id, count in await connection.execute(grouped) if key_id not in primaries)
