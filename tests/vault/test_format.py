"""An independent reader, written after vault/FORMAT.md, opens what the vault wrote."""

import ast
import base64
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
from tests.vault.independent_reader import DossierReader, document_opened, keyring_keys
from vault.documents import Documents
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keys import INS_PURPOSE, DossierKeys, Secret
from vault.local_keys import LocalKeyring

INS = "185057800608491"


def one_row(path: str, table: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(f"SELECT * FROM {table}").fetchone()


@pytest.fixture
def dialect() -> str:
    """The reader has a driver for one of both."""
    return "sqlite"


@pytest.mark.parametrize("passphrase", [None, b"correct horse"], ids=["plain keyring", "keyring under a passphrase"])
@pytest.mark.parametrize("size", [0, 100, 16_384, 50_000])
async def test_an_independent_reader_opens_what_the_vault_wrote(
    database: Database, migrated_url: str, keyring: LocalKeyring, tmp_path: Path, size: int, passphrase: bytes | None
) -> None:
    """From the keyring's file, the database's rows and the object's file."""
    if passphrase:
        keyring.protect(passphrase, scrypt_cost=2**10)
    plaintext = bytes(range(250)) * 200
    store = FilesystemBlobStore(tmp_path / "blobs")
    await store.prepare()
    dossier_keys = DossierKeys(database, keyring)
    documents = Documents(database, store, dossier_keys, rows)
    await deposit(documents, database, plaintext[:size], version=7, content_type="text/plain; charset=utf-8")
    async with database.begin() as connection:
        ins_sealed = await dossier_keys.seal_text(connection, DOSSIER, INS_PURPOSE, INS.encode())
    await store.close()

    database_file = migrated_url.removeprefix("sqlite:///")
    row = one_row(database_file, "content")
    dossier = DossierReader(
        keyring_keys(tmp_path / "keyring.json", passphrase), one_row(database_file, "dossier_key"), DOSSIER
    )
    name = row["object_name"]
    data = _read(tmp_path / "blobs" / "documents" / name[:2] / name)
    assert document_opened(dossier.document_key(row, 7), row, 7, data) == plaintext[:size]
    assert dossier.text(f"title/{DOCUMENT}", row["title_sealed"]).decode() == TITLE
    assert dossier.text(f"sha256/{DOCUMENT}", row["sha256"]) == hashlib.sha256(plaintext[:size]).digest()
    assert dossier.text("ins", ins_sealed).decode() == INS


def test_the_reader_knows_nothing_of_the_vault() -> None:
    """Else it would prove nothing."""
    imported = [
        name
        for node in ast.walk(ast.parse(Path(independent_reader.__file__).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.module if isinstance(node, ast.ImportFrom) else None, *(each.name for each in node.names))
    ]
    assert [name for name in imported if name and name.split(".")[0] in {"vault", "models", "tests"}] == []


async def test_a_pseudonym_is_as_described(keyring: LocalKeyring, tmp_path: Path) -> None:
    """§1."""
    secret = base64.b64decode(keyring_keys(tmp_path / "keyring.json", None)["secrets"]["pseudonym"])
    expected = UUID(bytes=hmac.digest(secret, INS[:13].encode(), "sha256")[:16])
    assert Ins.parse(INS).pseudonym(await keyring.secret(Secret.PSEUDONYM)) == expected


def _read(path: Path) -> bytes:
    return path.read_bytes()
