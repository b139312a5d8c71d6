"""Keys put out of use and destroyed: never while anything is wrapped under them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.holding import wait_for_users
from models.tables import content, shard_key
from vault.errors import KeyStateError, SealBrokenError
from vault.keys.keyset import Keyset
from vault.keys.rotation.progress import Progress
from vault.keys.rotation.rewrapping import PLACES, span_of
from vault.keys.rows import mac_version
from vault.keys.seen import refuse_older
from vault.keys.service import KeyService, KeyState, Tree
from vault.keys.shards import parse_shard_key_id, shard_key_id

SETTLE_SECONDS = 3.0
"""After so long every process has seen which master is primary: it looks every two seconds."""

_TURN_SECONDS = 0.12
"""Between two transactions: SQLite's other writers look every tenth of a second whether it is their turn."""

_MASTER = re.compile(rf"({'|'.join(Tree)})/([1-9][0-9]{{0,8}})")
_VERSION_SIZE = 4
_AT_ONCE = 64
"""Keys of shards that one transaction destroys: whoever wraps under others of these shards waits for it."""

_REWRAP = "`dmp keys rewrap` first"

_Change = Callable[[Keyset, int], Keyset]


@dataclass(frozen=True, slots=True)
class ShardKeyId:
    """A key of `shard_key`."""

    tree: Tree
    shard: int
    version: int


@dataclass(frozen=True, slots=True)
class MasterId:
    """A key of the key service."""

    tree: Tree
    version: int

    def __str__(self) -> str:
        return f"{self.tree}/{self.version}"


def parse_key_id(key_id: str) -> MasterId | ShardKeyId:
    """`dossier/1` or `dossier/0a1/3`. Raises KeyStateError on anything else."""
    if (master := _MASTER.fullmatch(key_id)) is not None:
        return MasterId(Tree(master[1]), int(master[2]))
    try:
        return ShardKeyId(*parse_shard_key_id(key_id))
    except SealBrokenError:
        raise KeyStateError("a key is named like dossier/1, a master, or dossier/0a1/3, a shard's key") from None


class KeyStates:
    """Changes what single keys may do; `settle` waits until every process has seen the change before."""

    def __init__(self, database: Database, service: KeyService, settle: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._service = service
        self._settle = settle

    async def enable(self, key_id: str) -> None:
        """Let a disabled key unwrap again. Raises KeyStateError."""
        key = parse_key_id(key_id)
        if isinstance(key, ShardKeyId):
            await self._change_one(key, Keyset.enabled)
        else:
            await self._service.enable(key.tree, key.version)
            await refuse_older(self._database, self._service)

    async def disable(self, key_id: str) -> None:
        """Put a key out of use, which can be undone: a trial before it is destroyed. Raises KeyStateError."""
        key = parse_key_id(key_id)
        if isinstance(key, ShardKeyId):
            await self._change_one(key, Keyset.disabled)
        else:
            await self._hold_unused([key])
            await self._service.disable(key.tree, key.version)
            await refuse_older(self._database, self._service)

    async def replaced(self, tree: Tree) -> list[str]:
        """The keys of a tree that are primary no more and could be destroyed: those of shards, then masters."""
        rows = select(shard_key.c.shard, shard_key.c.version).where(
            shard_key.c.tree == tree.value,
            shard_key.c.state.in_([KeyState.ENABLED.value, KeyState.DISABLED.value]),
        )
        found: list[str] = []
        if tree is not Tree.SIGNING:
            async with self._database.connect() as connection:
                ordered = await connection.execute(rows.order_by(shard_key.c.shard, shard_key.c.version))
                found += [shard_key_id(tree, row.shard, row.version) for row in ordered]
        masters = (await self._service.status()).masters
        gone = {KeyState.PRIMARY, KeyState.DESTROYED}
        return [*found, *(each.key_id for each in masters if each.tree is tree and each.state not in gone)]

    async def destroy(self, key_ids: Sequence[str], progress: Progress) -> None:
        """Destroy keys; of a master's tree the floor is raised above it, as far as no other is in the way.

        Raises KeyStateError, which counts what is still under one of them, or says why it stays: of the masters none
        is destroyed then, and of shards' keys some of those that were named before it.
        """
        parsed = [parse_key_id(key_id) for key_id in key_ids]
        masters = [key for key in parsed if isinstance(key, MasterId)]
        shards = [key for key in parsed if isinstance(key, ShardKeyId)]
        await wait_for_users(self._database)
        for start in range(0, len(shards), _AT_ONCE):
            batch = shards[start : start + _AT_ONCE]
            async with self._database.begin() as connection:
                for key in batch:
                    await self._change_shard(connection, key, Keyset.destroyed)
            progress(len(batch))
            await asyncio.sleep(_TURN_SECONDS)
        if masters:
            await self._hold_unused(masters)
        for master in masters:
            await self._destroy_master(master)
            progress(1)

    async def _hold_unused(self, masters: Sequence[MasterId]) -> None:
        """Looked at once, and again when no process can take one for the primary any more."""
        known = {each.key_id: each.state for each in (await self._service.status()).masters}
        for master in masters:
            if str(master) not in known:
                raise KeyStateError(f"there is no {master}")
            if known[str(master)] is KeyState.PRIMARY:
                raise KeyStateError(f"{master} is primary: rotate first")
            await self._count(master)
        await self._settle()
        for master in masters:
            await self._count(master)

    async def _count(self, master: MasterId) -> None:
        """Raises KeyStateError if it wraps anything that is committed, or about to be."""
        async with self._database.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("LOCK TABLE shard_key IN SHARE MODE"))
            under = select(func.count()).where(
                shard_key.c.key_id == str(master), shard_key.c.state != KeyState.DESTROYED.value
            )
            count = (await connection.execute(under)).scalar_one()
        if count:
            raise KeyStateError(f"{count} shard keys are still under {master}: {_REWRAP}")

    async def _destroy_master(self, master: MasterId) -> None:
        tree = master.tree
        await self._service.destroy(tree, master.version)
        status = await self._service.status()
        alive = [one.version for one in status.masters if one.tree is tree and one.state is not KeyState.DESTROYED]
        if min(alive) > status.floors[tree]:
            await self._service.set_floor(tree, min(alive))
        await refuse_older(self._database, self._service)

    async def _change_one(self, key: ShardKeyId, change: _Change) -> None:
        await wait_for_users(self._database)
        async with self._database.begin() as connection:
            await self._change_shard(connection, key, change)

    async def _change_shard(self, connection: AsyncConnection, key: ShardKeyId, change: _Change) -> None:
        here = (shard_key.c.tree == key.tree.value, shard_key.c.shard == key.shard)
        query = select(shard_key.c.version, shard_key.c.state).where(*here).order_by(shard_key.c.version)
        states = {row.version: KeyState(row.state) for row in await connection.execute(query.with_for_update())}
        name = f"{key.tree}/{key.shard:03x}"
        if not states:
            raise KeyStateError(f"there is no {name}/{key.version}")
        state = change(Keyset(name, states), key.version).states[key.version]
        if state is states[key.version]:
            return
        if state in {KeyState.DISABLED, KeyState.DESTROYED}:
            await self._hold_shard_unused(connection, key, f"{name}/{key.version}")
        values = {"state": state.value} | ({"wrapped": b""} if state is KeyState.DESTROYED else {})
        row = update(shard_key).where(*here, shard_key.c.version == key.version)
        await connection.execute(row.values(values))

    async def _hold_shard_unused(self, connection: AsyncConnection, key: ShardKeyId, key_id: str) -> None:
        """It is no primary, so what it wraps is committed. Raises KeyStateError."""
        if key.tree in PLACES:
            keys = PLACES[key.tree].table.c
            under, what = and_(keys.dossier.between(*span_of(key.shard)), keys.key_id == key_id), "keys of dossiers"
        elif key.tree is Tree.ROWS:
            prefix = func.substr(content.c.mac, 1, _VERSION_SIZE)
            under, what = prefix == mac_version(key.version), "rows"
        else:
            raise KeyStateError(f"{key_id} stays: what it signed is verified with it")
        count = (await connection.execute(select(func.count()).where(under))).scalar_one()
        if count:
            raise KeyStateError(f"{count} {what} are still under {key_id}: {_REWRAP}")
