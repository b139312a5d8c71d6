"""What was erased opens for nobody, whatever he holds; but for whoever has a copy of the database from before."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, open_database
from tests.servers.softhsm import SoftToken
from tests.vault.attacker import Attacker, Rows, dump, objects_in
from tests.vault.deposits import DOCUMENT, DOSSIER, OTHER_DOCUMENT, TITLE, deposit, read
from vault.documents import Deposit, Documents, Erasure
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keys import DossierKeys, KeyService, RowKeys, ShardKeys, Tree
from vault.keys.rotation.destroying import KeyStates
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.rewrapping import Rewrapping
from vault.keys.rotation.shards import ShardRotation
from vault.local_keys import LocalKeyring
from vault.pkcs11_keys import Pkcs11Keys

PLAINTEXT = b"what the patient wants forgotten"
NEIGHBOUR = UUID(int=DOSSIER.int + 1)
"""In the same shard."""
Erase = Callable[[Documents, AsyncConnection], Awaitable[Erasure]]


async def one_document(documents: Documents, connection: AsyncConnection) -> Erasure:
    """As `DELETE` of a document does."""
    return await documents.erase(connection, DOSSIER, DOCUMENT)


async def the_dossier(documents: Documents, connection: AsyncConnection) -> Erasure:
    """As `dossier:erase` does."""
    return await documents.erase_dossier(connection, DOSSIER)


@dataclass
class Victim:
    """A vault with two documents of one dossier; one is looked for. `objects` is a copy of the store, never erased."""

    database: Database
    service: KeyService
    shards: ShardKeys
    documents: Documents
    target: Deposit
    objects: list[bytes]

    @classmethod
    async def of(cls, database: Database, service: KeyService, folder: Path) -> "Victim":
        store, shards = FilesystemBlobStore(folder), ShardKeys(database, service)
        await store.prepare()
        documents = Documents(database, store, DossierKeys(database, shards), RowKeys(shards))
        target = await deposit(documents, database, PLAINTEXT)
        await deposit(documents, database, b"another", document=OTHER_DOCUMENT)
        return cls(database, service, shards, documents, target, objects_in(folder))

    async def erased(self, erase: Erase) -> None:
        async with self.database.begin() as connection:
            erasure = await erase(self.documents, connection)
        await self.documents.finish(erasure)

    async def attacked(self, *backups: Rows) -> set[bytes]:
        """What somebody reads who has the database as it is now, and these copies of it."""
        rows = [*await dump(self.database), *(row for backup in backups for row in backup)]
        return await Attacker(self.service, rows, self.objects, self.target).opens()

    async def rotate_shards(self) -> None:
        await ShardRotation(self.database, self.service).rotate(Tree.DOSSIER, None, ignored)
        await Rewrapping(self.database, self.shards, randomness=os.urandom).rewrap(Tree.DOSSIER, None, ignored)

    async def rotate_master(self) -> None:
        await rotate_master(self.database, self.service, Tree.DOSSIER)
        await rewrap_shards(self.database, self.service, Tree.DOSSIER, ignored)

    async def destroy_replaced(self) -> None:
        states = KeyStates(self.database, self.service, nobody)
        await states.destroy(await states.replaced(Tree.DOSSIER), ignored)


def ignored(_: int) -> None:
    """Of whom nobody wants to know how far he is."""


async def nobody() -> None:
    """There is no other process to wait for."""


@pytest.fixture
async def victim(database: Database, keyring: LocalKeyring, tmp_path: Path) -> Victim:
    return await Victim.of(database, keyring, tmp_path / "blobs")


def everything(victim: Victim) -> set[bytes]:
    return {PLAINTEXT, TITLE.encode(), victim.target.sha256}


@pytest.mark.parametrize("erase", [one_document, the_dossier])
async def test_what_was_erased_opens_for_nobody(victim: Victim, erase: Erase) -> None:
    """Not with all rows, all keys of the key service and a copy of all objects; the moment before, it did."""
    assert await victim.attacked() == everything(victim)
    await victim.erased(erase)
    assert await victim.attacked() == set()
    if erase is one_document:
        assert await read(victim.documents, document=OTHER_DOCUMENT) == b"another"


@pytest.mark.parametrize("erase", [one_document, the_dossier])
async def test_nor_where_the_masters_are_in_an_hsm(
    migrated_sqlite_url: str, soft_token: SoftToken, tmp_path: Path, erase: Erase
) -> None:
    """Whoever may use the HSM finds no more."""
    database, service = await open_database(migrated_sqlite_url), Pkcs11Keys.from_url(soft_token.url)
    try:
        victim = await Victim.of(database, service, tmp_path / "blobs")
        assert await victim.attacked() == everything(victim)
        await victim.erased(erase)
        assert await victim.attacked() == set()
    finally:
        await service.close()
        await database.close()


async def test_a_copy_of_the_database_from_before_opens_it_until_shards_and_masters_are_others(victim: Victim) -> None:
    """What the operator's guide says of backups.

    Shards first, and their old keys away, so that no master that stays ever wraps them; then the masters.
    """
    backup = await dump(victim.database)
    await victim.erased(the_dossier)
    await deposit(victim.documents, victim.database, b"of somebody else", dossier=NEIGHBOUR)
    assert await victim.attacked(backup) == everything(victim)
    await victim.rotate_shards()
    await victim.destroy_replaced()
    between = await dump(victim.database)
    assert await victim.attacked(backup, between) == everything(victim)
    await victim.rotate_master()
    assert await victim.attacked(backup, between) == everything(victim)
    await victim.destroy_replaced()
    assert await victim.attacked(backup, between) == set()
    assert await read(victim.documents, dossier=NEIGHBOUR) == b"of somebody else"


async def test_another_master_alone_does_not_close_an_old_copy(victim: Victim) -> None:
    """The shard's key is then under the new one, and still opens what the copy has below it."""
    backup = await dump(victim.database)
    await victim.erased(the_dossier)
    await victim.rotate_master()
    await victim.destroy_replaced()
    assert await victim.attacked(backup) == everything(victim)
