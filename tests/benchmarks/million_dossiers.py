"""How long the keys of many dossiers take on PostgreSQL: `python -m tests.benchmarks.million_dossiers [DOSSIERS]`.

On a server of its own, with a keyring in a file: fills the table, rotates all shards, then the master, then finds that
nothing is left to do; and proves that every key of the last rotation opens to what it opened to before. No benchmark of
`make bench`, which takes seconds.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from models.database import Database, load, open_database, upgrade
from models.tables import dossier_key
from tests.servers.postgresql import postgresql
from vault.keys import ShardKeys, Tree, WrappedKey, dossier_key_name, shard_of
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.rewrapping import Rewrapping
from vault.keys.rotation.shards import ShardRotation
from vault.keys.shards import SHARDS
from vault.local_keys import LocalKeyring

_FILLED = 10_000
_SAMPLE = 1_000


def main(dossiers: int) -> None:
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        url = server.create("rotation")
        upgrade(url)
        asyncio.run(_rotate(url, LocalKeyring.create(Path(folder) / "keys"), dossiers))


async def _rotate(url: str, keyring: LocalKeyring, dossiers: int) -> None:
    database = await open_database(url)
    shards = ShardKeys(database, keyring)
    await _timed("filled", dossiers, _fill(database, shards, dossiers))
    before = await _sampled(database, ShardKeys(database, keyring))
    rewrapping = Rewrapping(database, shards, randomness=os.urandom)
    rotation = ShardRotation(database, keyring)
    await _timed("new shard keys", SHARDS, rotation.rotate(Tree.DOSSIER, None, _ignored))
    await _timed("dossiers' keys wrapped anew", dossiers, rewrapping.rewrap(Tree.DOSSIER, None, _ignored))
    await _timed("new master, shards' keys wrapped anew", 2 * SHARDS, _rotate_master(database, keyring))
    await _timed("dossiers' keys found to be as they should", dossiers, rewrapping.rewrap(Tree.DOSSIER, None, _ignored))
    if await _sampled(database, ShardKeys(database, keyring)) != before:
        sys.exit("a key does not open to what it was")
    print(f"{len(before)} dossiers' keys open to what they were")
    await database.close()


async def _rotate_master(database: Database, keyring: LocalKeyring) -> None:
    await rotate_master(database, keyring, Tree.DOSSIER)
    await rewrap_shards(database, keyring, Tree.DOSSIER, _ignored)


async def _fill(database: Database, shards: ShardKeys, dossiers: int) -> None:
    """In the order of shards, of which each batch then has few to count for."""
    ordered = sorted(map(_identity, range(dossiers)))
    for start in range(0, dossiers, _FILLED):
        identities = ordered[start : start + _FILLED]
        async with database.begin() as connection:
            named = [(shard_of(each), dossier_key_name(each, 1)) for each in identities]
            generated = await shards.generate(connection, Tree.DOSSIER, named)
            rows = [
                (each, 1, key.wrapped.key_id, key.wrapped.wrapped)
                for each, key in zip(identities, generated, strict=True)
            ]
            await load(connection, dossier_key, rows)


async def _sampled(database: Database, shards: ShardKeys) -> dict[UUID, bytes]:
    sample = select(dossier_key).where(dossier_key.c.dossier.in_([_identity(number) for number in range(_SAMPLE)]))
    async with database.connect() as connection:
        rows = (await connection.execute(sample)).all()
    opened: dict[UUID, bytes] = {}
    for row in rows:
        key = await shards.unwrap(dossier_key_name(row.dossier, row.version), WrappedKey(row.key_id, row.wrapped))
        opened[row.dossier] = sha256(key).digest()
    return opened


def _identity(number: int) -> UUID:
    """Uniform over the shards, as pseudonyms are."""
    return UUID(bytes=sha256(number.to_bytes(8, "big")).digest()[:16])


def _ignored(_: int) -> None:
    """Whole figures are printed."""


async def _timed(what: str, count: int, work: Awaitable[object]) -> None:
    begun = time.perf_counter()
    await work
    seconds = time.perf_counter() - begun
    print(f"{what}: {count:,} in {seconds:.1f} s, {count / seconds:,.0f} a second", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
