"""A process that deposits without end, to be killed. Its arguments: database URL, store URL, keyring file."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from models.database import open_database
from tests.vault.deposits import DOCUMENT, DOSSIER, MEBIBYTE
from vault.documents import Documents
from vault.keys import DossierKeys, RowKeys, ShardKeys
from vault.local_keys import LocalKeyring
from vault.locations import store_from_url


async def deposit_for_ever(database_url: str, store_url: str, keyring: Path) -> None:
    """Says `writing` once the first pieces are in the store."""
    database = await open_database(database_url)
    shards = ShardKeys(database, LocalKeyring.open(keyring))
    keys, rows = DossierKeys(database, shards), RowKeys(shards)
    documents = Documents(database, store_from_url(store_url), keys, rows)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(MEBIBYTE)
        print("writing", flush=True)  # noqa: T201  # whoever started this process waits for it
        while True:
            await asyncio.sleep(3600)
            yield b""

    await documents.write(DOSSIER, DOCUMENT, 1, "application/pdf", endless())


if __name__ == "__main__":
    asyncio.run(deposit_for_ever(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
