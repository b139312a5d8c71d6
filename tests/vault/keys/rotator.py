"""Rotates every key, in a process that kills itself: `python -m tests.vault.keys.rotator URL KEYRING LIFE`.

LIFE is in how many transactions it is killed, before or after the commit as that number is odd or even; 0 is never.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, open_database
from vault.keys import RowKeys, ShardKeys, Tree
from vault.keys.dossiers import DossierKeys
from vault.keys.rotation.destroying import KeyStates
from vault.keys.rotation.dossiers import DossierRotation
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.rewrapping import Rewrapping
from vault.keys.rotation.rows import RowRotation
from vault.keys.rotation.shards import ShardRotation
from vault.local_keys import LocalKeyring


class Mortal:
    """A database whose user dies in one of its transactions."""

    def __init__(self, database: Database, life: int) -> None:
        self._database = database
        self._after = life % 2 == 0
        self._left = life
        self.dialect = database.dialect
        self.read = database.read
        self.connect = database.connect
        self.close = database.close

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        self._left -= 1
        async with self._database.begin() as connection:
            yield connection
            self._die(after=False)
        self._die(after=True)

    begin_hot = begin

    def _die(self, *, after: bool) -> None:
        if self._left == 0 and self._after is after:
            os.kill(os.getpid(), signal.SIGKILL)


async def rotate_all(database: Database, service: LocalKeyring) -> None:
    """Every sort of key in turn, and then the end of the old ones."""
    shards = ShardKeys(database, service)
    keys, rows, rotation = DossierKeys(database, shards), RowKeys(shards), ShardRotation(database, service)
    rewrapping = Rewrapping(database, shards, randomness=os.urandom, batch=2)
    for tree in (Tree.DOSSIER, Tree.ROWS):
        await rotate_master(database, service, tree)
        await rewrap_shards(database, service, tree, ignored)
        await rotation.rotate(tree, None, ignored)
    await rewrapping.rewrap(Tree.DOSSIER, None, ignored)
    await RowRotation(database, rows, rotation).renew(ignored)
    await DossierRotation(database, shards, keys, rows, ()).rotate_all(None, ignored)
    states = KeyStates(database, service, settled)
    for tree in (Tree.DOSSIER, Tree.ROWS):
        await states.destroy(await states.replaced(tree), ignored)


def ignored(_: object) -> None:
    """Of whom nobody wants to know how far he is."""


async def settled() -> None:
    """There is no other process."""


async def main(url: str, keyring: Path, life: int) -> None:
    database = await open_database(url)
    await rotate_all(Mortal(database, life), LocalKeyring.open(keyring))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
