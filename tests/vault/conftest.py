"""What tests of the vault share: stores of both kinds, a keyring, documents."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.database import Database
from vault.blobs import BlobStore
from vault.documents import Documents
from vault.keys import DossierKeys, RowKeys, ShardKeys
from vault.local_keys import LocalKeyring
from vault.locations import store_from_url


@pytest.fixture
def keyring(tmp_path: Path) -> LocalKeyring:
    """A new keyring without a passphrase."""
    return LocalKeyring.create(tmp_path / "keyring.json")


@pytest.fixture
def shards(database: Database, keyring: LocalKeyring) -> ShardKeys:
    """Shards' keys in each database engine in turn."""
    return ShardKeys(database, keyring)


@pytest.fixture
def dossier_keys(database: Database, shards: ShardKeys) -> DossierKeys:
    """Dossiers' keys in each database engine in turn."""
    return DossierKeys(database, shards)


@pytest.fixture
def rows(shards: ShardKeys) -> RowKeys:
    """The keys of rows in each database engine in turn."""
    return RowKeys(shards)


@pytest.fixture(params=["filesystem", "minio"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an object store of each kind in turn."""
    if request.param == "filesystem":
        return f"file://{tmp_path / 'blobs'}"
    return str(request.getfixturevalue("minio_url"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[BlobStore]:
    """An object store of each kind in turn, ready."""
    opened = store_from_url(store_url)
    await opened.prepare()
    yield opened
    await opened.close()


@pytest.fixture
def documents(database: Database, store: BlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """Documents in each database engine and each object store in turn."""
    return Documents(database, store, dossier_keys, rows)
