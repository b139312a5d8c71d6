"""Other keys for dossiers and for rows, on both engines."""

import asyncio
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import content, dossier, idempotency, message
from tests.vault.deposits import (
    AT,
    DOCUMENT,
    DOSSIER,
    OTHER_DOCUMENT,
    OTHER_DOSSIER,
    TITLE,
    deposit,
    file,
    forget,
    read,
)
from tests.waiting import somebody_waits
from vault.documents import Documents
from vault.errors import SealBrokenError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keys import INS_PURPOSE, DossierKeys, RowKeys, ShardKeys, Tree
from vault.keys.rotation.dossiers import DossierRotation, SealedColumn
from vault.keys.rotation.progress import Done
from vault.keys.rotation.rows import RowRotation, count_by_version
from vault.keys.rotation.shards import ShardRotation
from vault.local_keys import LocalKeyring

INS = b"185057800608491"
LETTER = UUID(int=0xB1)
SEALED = (
    SealedColumn(message.c.dossier, message.c.sealed, lambda row: f"message/{row.id}"),
    SealedColumn(idempotency.c.dossier, idempotency.c.answer, lambda row: f"answer/{row.key}", as_text=True),
)


@dataclass
class Vault:
    """Documents and all that belongs to them."""

    database: Database
    shards: ShardKeys
    keys: DossierKeys
    rows: RowKeys
    documents: Documents

    @classmethod
    def of(cls, database: Database, keyring: LocalKeyring, folder: Path) -> "Vault":
        shards = ShardKeys(database, keyring)
        keys, rows = DossierKeys(database, shards), RowKeys(shards)
        return cls(database, shards, keys, rows, Documents(database, FilesystemBlobStore(folder), keys, rows))

    async def add(self, identity: UUID, about: UUID, plaintext: bytes) -> None:
        """A document with its facts."""
        await deposit(self.documents, self.database, plaintext, dossier=identity, document=about, version=3)
        await file(self.database, identity, about, version=3)

    async def values(self) -> list[bytes]:
        """Every small value of the first dossier, opened."""
        async with self.database.connect() as connection:
            ins = await connection.scalar(select(dossier.c.ins_sealed).where(dossier.c.id == DOSSIER))
            letter = await connection.scalar(select(message.c.sealed))
            answer = await connection.scalar(select(idempotency.c.answer))
        key = await self.keys.read(DOSSIER)
        assert ins is not None
        assert letter is not None
        assert answer is not None
        return [
            key.open_text(INS_PURPOSE, ins),
            key.open_text(f"message/{LETTER}", letter),
            key.open_text("answer/k", b64decode(answer)),
        ]


@pytest.fixture
async def vault(database: Database, keyring: LocalKeyring, tmp_path: Path) -> Vault:
    """Two dossiers; of the first, two documents and one of everything else."""
    vault = Vault.of(database, keyring, tmp_path / "blobs")
    await FilesystemBlobStore(tmp_path / "blobs").prepare()
    for identity, about in ((DOSSIER, DOCUMENT), (DOSSIER, OTHER_DOCUMENT), (OTHER_DOSSIER, UUID(int=0xA3))):
        await vault.add(identity, about, about.bytes)
    async with database.begin() as connection:
        key = await vault.keys.ensure(connection, DOSSIER)
        ins = key.seal_text(INS_PURPOSE, INS)
        await connection.execute(update(dossier).where(dossier.c.id == DOSSIER).values(ins_sealed=ins))
        letter = {"dossier": DOSSIER, "id": LETTER, "sender": "1", "addressee": "2", "sent_at": AT}
        await connection.execute(insert(message).values(letter | {"sealed": key.seal_text(f"message/{LETTER}", b"?")}))
        answer = {"dossier": DOSSIER, "client": "c", "key": "k", "request": b"", "answered_at": AT}
        told = b64encode(key.seal_text("answer/k", b"!")).decode()
        await connection.execute(insert(idempotency).values(answer | {"answer": told}))
    return vault


@pytest.fixture
def rotation(vault: Vault) -> DossierRotation:
    return DossierRotation(vault.database, vault.shards, vault.keys, vault.rows, SEALED)


@pytest.fixture
def row_rotation(vault: Vault, keyring: LocalKeyring) -> RowRotation:
    return RowRotation(vault.database, vault.rows, ShardRotation(vault.database, keyring))


def ignored(_: object) -> None:
    """Of whom nobody wants to know how far he is."""


async def versions(database: Database) -> list[tuple[Any, ...]]:
    """Of the dossiers' keys."""
    return list(map(tuple, await database.read("SELECT dossier, version FROM dossier_key ORDER BY dossier")))


async def test_everything_of_a_dossier_is_sealed_anew(
    database: Database, keyring: LocalKeyring, tmp_path: Path, vault: Vault, rotation: DossierRotation
) -> None:
    """Under a key that the one before says nothing of; objects are as they were, and read."""
    before = list(map(tuple, await database.read("SELECT * FROM content WHERE dossier = $1::uuid", DOSSIER)))
    objects = {path: path.read_bytes() for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
    old = await vault.keys.read(DOSSIER)
    assert await rotation.rotate(DOSSIER) == Done(1)
    assert await versions(database) == [(DOSSIER, 2), (OTHER_DOSSIER, 1)]
    fresh = Vault.of(database, keyring, tmp_path / "blobs")
    for each in (DOCUMENT, OTHER_DOCUMENT):
        assert await read(fresh.documents, document=each, version=3) == each.bytes
    assert (await fresh.documents.find(DOSSIER, DOCUMENT, 3)).title == TITLE
    assert await fresh.values() == [INS, b"?", b"!"]
    assert objects == {path: path.read_bytes() for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
    after = list(map(tuple, await database.read("SELECT * FROM content WHERE dossier = $1::uuid", DOSSIER)))
    changed = {content.columns.keys()[index] for index in range(len(after[0])) if before[0][index] != after[0][index]}
    assert changed == {"data_key", "sha256", "title_sealed", "mac"}
    async with database.connect() as connection:
        letter = await connection.scalar(select(message.c.sealed))
    assert letter is not None
    with pytest.raises(SealBrokenError):
        old.open_text(f"message/{LETTER}", letter)


async def test_all_dossiers_are_gone_through_in_order(
    database: Database, vault: Vault, rotation: DossierRotation
) -> None:
    """From the first, or from beyond one that is named."""
    reached: list[UUID] = []
    assert await rotation.rotate_all(None, reached.append) == Done(2)
    assert reached == [DOSSIER, OTHER_DOSSIER]
    assert await rotation.rotate_all(DOSSIER, reached.append) == Done(1)
    assert await versions(database) == [(DOSSIER, 2), (OTHER_DOSSIER, 3)]


async def test_a_dossier_without_a_key_gets_none(rotation: DossierRotation) -> None:
    """It was erased, or never was."""
    assert await rotation.rotate(UUID(int=5)) == Done()


@pytest.mark.parametrize(
    "what",
    [
        update(message).values(sealed=b"nothing"),
        update(content).where(content.c.document == DOCUMENT).values(size=1),
    ],
    ids=["a letter", "a row"],
)
async def test_a_dossier_of_which_something_does_not_open_keeps_its_key(
    database: Database, vault: Vault, rotation: DossierRotation, what: Any
) -> None:
    """Nothing of it is changed, and it is counted."""
    async with database.begin() as connection:
        await connection.execute(what)
    assert await rotation.rotate_all(None, ignored) == Done(1, 1)
    assert await versions(database) == [(DOSSIER, 1), (OTHER_DOSSIER, 2)]
    assert await read(vault.documents, document=OTHER_DOCUMENT, version=3) == OTHER_DOCUMENT.bytes


async def test_a_dossier_of_which_a_document_has_no_facts_keeps_its_key(
    database: Database, vault: Vault, rotation: DossierRotation
) -> None:
    """There is no telling which version its key names; nor where there is no dossier any more."""
    await forget(database, DOSSIER, DOCUMENT)
    assert await rotation.rotate(DOSSIER) == Done(broken=1)
    async with database.begin() as connection:
        await connection.execute(delete(dossier))
    assert await rotation.rotate_all(None, ignored) == Done(broken=2)
    assert await versions(database) == [(DOSSIER, 1), (OTHER_DOSSIER, 1)]


async def test_whoever_seals_under_the_old_key_is_waited_for(
    database: Database, vault: Vault, rotation: DossierRotation
) -> None:
    """What he sealed is found once he has committed."""
    async with database.begin() as connection:
        sealed = await vault.keys.seal_text(connection, DOSSIER, f"message/{LETTER}", b"later")
        rotating = asyncio.create_task(rotation.rotate(DOSSIER))
        await somebody_waits(database, rotating)
        await connection.execute(update(message).values(sealed=sealed))
    assert await rotating == Done(1)
    assert await vault.values() == [INS, b"later", b"!"]


async def test_rows_get_new_macs(
    database: Database, vault: Vault, row_rotation: RowRotation, keyring: LocalKeyring
) -> None:
    """Under the primary; a second time there is nothing to do."""
    await ShardRotation(database, keyring).rotate(Tree.ROWS, None, ignored)
    assert await count_by_version(database) == {1: 3}
    assert await row_rotation.renew(ignored) == Done(3)
    assert await count_by_version(database) == {2: 3}
    assert await row_rotation.renew(ignored) == Done()
    assert await read(vault.documents, version=3) == DOCUMENT.bytes


async def test_a_row_that_was_tampered_with_gets_no_new_mac(
    database: Database, vault: Vault, row_rotation: RowRotation, keyring: LocalKeyring
) -> None:
    """It would be believed."""
    await ShardRotation(database, keyring).rotate(Tree.ROWS, None, ignored)
    async with database.begin() as connection:
        await connection.execute(update(content).where(content.c.document == DOCUMENT).values(size=1))
    assert await row_rotation.renew(ignored) == Done(2, 1)
    with pytest.raises(SealBrokenError):
        await read(vault.documents, version=3)


async def test_without_rows_there_is_no_key_of_rows(
    database: Database, shards: ShardKeys, keyring: LocalKeyring
) -> None:
    """And nothing to do."""
    rotation = RowRotation(database, RowKeys(shards), ShardRotation(database, keyring))
    assert await rotation.renew(ignored) == Done()
