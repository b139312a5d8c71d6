"""An independent reader, written after vault/FORMAT.md, opens what the vault wrote."""

import ast
import hashlib
import hmac
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.database import Database
from models.identifiers import Ins
from tests.vault import independent_reader
from tests.vault.deposits import DOCUMENT, DOSSIER, TITLE, deposit
from tests.vault.independent_reader import (
    DossierReader,
    document_opened,
    hkdf_expand,
    keyring_trees,
    pack,
    row_mac,
    shard_key,
)
from vault.documents import Documents
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keyring_file import KeyFile, Passphrase, Protection, Unprotected
from vault.keys import INS_PURPOSE, DossierKeys, RowKeys, ShardKeys, Tree, read_secrets
from vault.local_keys import LocalKeyring

INS = "185057800608491"


def one_row(path: str, table: str, condition: str = "true") -> Any:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute(f"SELECT * FROM {table} WHERE {condition}").fetchall()
        return row


@pytest.fixture
def dialect() -> str:
    """The reader has a driver for one of both."""
    return "sqlite"


@pytest.mark.parametrize(
    "protection, secret",
    [
        (Unprotected(), b""),
        (Passphrase(b"correct horse", cost=2**10), b"correct horse"),
        (KeyFile(bytes(range(32))), bytes(range(32))),
    ],
    ids=["open keyring", "keyring under a passphrase", "keyring under a key file"],
)
@pytest.mark.parametrize("size", [0, 100, 16_384, 50_000])
async def test_an_independent_reader_opens_what_the_vault_wrote(
    database: Database, migrated_url: str, tmp_path: Path, size: int, protection: Protection, secret: bytes
) -> None:
    """From the keyring's file, the database's rows and the object's file."""
    keyring = LocalKeyring.create(tmp_path / "keyring.json", protection)
    await keyring.rotate(Tree.DOSSIER)
    plaintext = bytes(range(250)) * 200
    store = FilesystemBlobStore(tmp_path / "blobs")
    await store.prepare()
    shards = ShardKeys(database, keyring)
    dossier_keys = DossierKeys(database, shards)
    documents = Documents(database, store, dossier_keys, RowKeys(shards))
    await deposit(documents, database, plaintext[:size], version=7, content_type="text/plain; charset=utf-8")
    async with database.begin() as connection:
        ins_sealed = await dossier_keys.seal_text(connection, DOSSIER, INS_PURPOSE, INS.encode())
    await store.close()

    database_file = migrated_url.removeprefix("sqlite:///")
    row = one_row(database_file, "content")
    trees = keyring_trees(tmp_path / "keyring.json", secret)
    shard = shard_key(trees, one_row(database_file, "shard_key", "tree = 'dossier'"))
    dossier = DossierReader(shard, one_row(database_file, "dossier_key"), DOSSIER)
    name = row["object_name"]
    data = _read(tmp_path / "blobs" / "documents" / name[:2] / name)
    assert document_opened(dossier.document_key(row, 7), row, 7, data) == plaintext[:size]
    assert dossier.text(f"title/{DOCUMENT}", row["title_sealed"]).decode() == TITLE
    assert dossier.text(f"sha256/{DOCUMENT}", row["sha256"]) == hashlib.sha256(plaintext[:size]).digest()
    assert dossier.text("ins", ins_sealed).decode() == INS
    rows = shard_key(trees, one_row(database_file, "shard_key", "tree = 'rows'"))
    assert row["mac"] == row_mac(rows, row)


def test_the_reader_knows_nothing_of_the_vault() -> None:
    """Else it would prove nothing."""
    imported = [
        name
        for node in ast.walk(ast.parse(Path(independent_reader.__file__).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.module if isinstance(node, ast.ImportFrom) else None, *(each.name for each in node.names))
    ]
    assert [name for name in imported if name and name.split(".")[0] in {"vault", "models", "tests"}] == []


async def test_a_pseudonym_is_as_described(
    database: Database, shards: ShardKeys, migrated_url: str, keyring: LocalKeyring, tmp_path: Path
) -> None:
    """§3."""
    secrets = await read_secrets(database, shards)
    row = one_row(migrated_url.removeprefix("sqlite:///"), "shard_key", "tree = 'index'")
    index = shard_key(keyring_trees(tmp_path / "keyring.json", b""), row)
    secret = hkdf_expand(index, pack(b"dmp-authz/derive", b"pseudonym"), 32)
    expected = UUID(bytes=hmac.digest(secret, INS[:13].encode(), "sha256")[:16])
    assert Ins.parse(INS).pseudonym(secrets.pseudonym) == expected


def _read(path: Path) -> bytes:
    return path.read_bytes()
