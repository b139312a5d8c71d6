"""What an operator does to keys while the service runs; each act is written down in the journal before it begins.

What an act leaves undone, being interrupted, `rewrap` finishes.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, func, select

from api.services.sealed_columns import SEALED_COLUMNS
from models.database import Database
from models.facts import Reference
from models.queries.policy import find_in_force
from models.tables import content, dossier_key, shard_key
from vault.journal.entry import NO_DOSSIER, SERVICE, Entry, Value
from vault.journal.ledger import Ledger
from vault.keys import DossierKeys, KeyService, RowKeys, ShardKeys, Tree
from vault.keys.rotation.destroying import SETTLE_SECONDS, KeyStates
from vault.keys.rotation.dossiers import DossierRotation
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.progress import Done, Progress
from vault.keys.rotation.rewrapping import PLACES, Rewrapping
from vault.keys.rotation.rows import RowRotation
from vault.keys.rotation.shards import ShardRotation

Stage = Callable[[str, int], AbstractContextManager[Progress]]
"""Begins a part of an act, of which so many are to be done."""

_RULE = "keys"
_OPERATOR = Reference(SERVICE, "operator")


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What keys are kept in and by."""

    database: Database
    service: KeyService
    shards: ShardKeys
    dossier_keys: DossierKeys
    ledger: Ledger


class KeyChanges:
    """The acts. Each raises JournalUnavailableError, and does nothing, where it cannot be written down."""

    def __init__(self, parts: KeyParts, stage: Stage, now: Callable[[], datetime]) -> None:
        database, rows = parts.database, RowKeys(parts.shards)
        self._database = database
        self._service = parts.service
        self._ledger = parts.ledger
        self._stage = stage
        self._now = now
        self._rotation = ShardRotation(database, parts.service, now)
        self._rewrapping = Rewrapping(database, parts.shards, randomness=os.urandom)
        self._rows = RowRotation(database, rows, self._rotation)
        self._dossiers = DossierRotation(database, parts.shards, parts.dossier_keys, rows, SEALED_COLUMNS)
        self._states = KeyStates(database, parts.service, lambda: asyncio.sleep(SETTLE_SECONDS))

    async def rotate_masters(self, trees: Sequence[Tree]) -> Done:
        """A new master for each tree, and the shards' keys under it."""
        done = Done()
        for tree in trees:
            await self._tell("keys:rotate", Reference("key", tree.value), {"what": "master"})
            await rotate_master(self._database, self._service, tree)
            done.add(await self._rewrap_shards(tree))
        return done

    async def rotate_shards(self, trees: Sequence[Tree], shards: Collection[int] | None) -> Done:
        """New primaries of these shards, or all, and the keys of dossiers under them."""
        done = Done()
        for tree in trees:
            told: dict[str, Value] = {"what": "shard"}
            if shards is not None:
                told["shards"] = " ".join(f"{shard:03x}" for shard in sorted(shards))
            await self._tell("keys:rotate", Reference("key", tree.value), told)
            await self._rotate(tree, shards)
            done.add(await self._rewrap_keys(tree, None if shards is None else sorted(shards)))
        return done

    async def rotate_signing(self) -> None:
        """A new key that signs the journal's checkpoints; those before still verify."""
        await self._tell("keys:rotate", Reference("key", Tree.SIGNING.value), {"what": "signing"})
        await self._rotate(Tree.SIGNING, None)

    async def rotate_rows(self) -> Done:
        """A new key of rows, and every row under it."""
        await self._tell("keys:rotate", Reference("key", Tree.ROWS.value), {"what": "rows"})
        await self._rotate(Tree.ROWS, None)
        return await self._renew_rows()

    async def rotate_dossiers(self, dossiers: Sequence[UUID]) -> Done:
        """Another key for each of these dossiers."""
        done = Done()
        for each in dossiers:
            await self._tell("keys:rotate", Reference("dossier", str(each)), {"what": "dossier"})
            done.add(await self._dossiers.rotate(each))
        return done

    async def rotate_all_dossiers(self, after: UUID | None, reached: Callable[[UUID], None]) -> Done:
        """Another key for every dossier, in order, beyond one of them if that is named; `reached` is told each."""
        told: dict[str, Value] = {"what": "every dossier"}
        if after is not None:
            told["after"] = str(after)
        await self._tell("keys:rotate", Reference("key", Tree.DOSSIER.value), told)
        with self._stage("dossiers", await self._count(dossier_key)) as progress:

            def told_each(dossier: UUID) -> None:
                progress(1)
                reached(dossier)

            return await self._dossiers.rotate_all(after, told_each)

    async def rewrap(self, trees: Sequence[Tree]) -> Done:
        """Whatever is under a key that is primary no more."""
        done = Done()
        for tree in trees:
            await self._tell("keys:rewrap", Reference("key", tree.value), {})
            done.add(await self._rewrap_shards(tree))
            if tree in PLACES:
                done.add(await self._rewrap_keys(tree, None))
            if tree is Tree.ROWS:
                done.add(await self._renew_rows())
        return done

    async def enable(self, key_id: str) -> None:
        await self._tell("keys:enable", Reference("key", key_id), {})
        await self._states.enable(key_id)

    async def disable(self, key_id: str) -> None:
        await self._tell("keys:disable", Reference("key", key_id), {})
        await self._states.disable(key_id)

    async def destroy(self, key_ids: Sequence[str]) -> None:
        for key_id in key_ids:
            await self._tell("keys:destroy", Reference("key", key_id), {})
        await self._states.destroy(key_ids, lambda _: None)

    async def destroy_replaced(self, trees: Sequence[Tree]) -> Done:
        """Every key of these trees that is primary no more, those that signed apart."""
        keys: list[str] = []
        for tree in trees:
            await self._tell("keys:destroy", Reference("key", tree.value), {"what": "replaced"})
            keys += await self._states.replaced(tree)
        with self._stage("replaced keys", len(keys)) as progress:
            await self._states.destroy(keys, progress)
        return Done(len(keys))

    async def _rotate(self, tree: Tree, shards: Collection[int] | None) -> None:
        concerned = await self._rotation.primaries(tree, shards)
        with self._stage(f"{tree}: new shard keys", len(concerned)) as progress:
            await self._rotation.rotate(tree, shards, progress)

    async def _rewrap_shards(self, tree: Tree) -> Done:
        with self._stage(f"{tree}: shard keys", await self._count(shard_key, tree)) as progress:
            return await rewrap_shards(self._database, self._service, tree, progress)

    async def _rewrap_keys(self, tree: Tree, shards: Sequence[int] | None) -> Done:
        total = await self._count(PLACES[tree].table) if shards is None else 0
        with self._stage(f"{tree}: keys of dossiers", total) as progress:
            return await self._rewrapping.rewrap(tree, shards, progress)

    async def _renew_rows(self) -> Done:
        with self._stage("rows", await self._count(content)) as progress:
            return await self._rows.renew(progress)

    async def _count(self, table: Table, tree: Tree | None = None) -> int:
        query = select(func.count()).select_from(table)
        if tree is not None:
            query = query.where(table.c.tree == tree.value)
        async with self._database.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _tell(self, action: str, resource: Reference, change: dict[str, Value]) -> None:
        in_force = await find_in_force(self._database)
        entry = Entry(
            at=self._now(),
            dossier=NO_DOSSIER,
            subject=_OPERATOR,
            action=action,
            resource=resource,
            allowed=True,
            rule=_RULE,
            revision="" if in_force is None else in_force.revision,
            client=_OPERATOR.type,
            request_id=action,
            change=change,
        )
        await self._ledger.record(entry)
