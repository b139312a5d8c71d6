"""Rotations that are killed, and begun again, on both engines."""

import os
import random
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from models.database import Database
from tests.vault.deposits import deposit, file, read
from vault.documents import Documents
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keys import DossierKeys, KeyState, RowKeys, ShardKeys, Tree
from vault.keys.rotation.standing import read_standing
from vault.local_keys import LocalKeyring

DOSSIERS = [UUID(int=shard << 116 | number) for shard in (1, 0xABC) for number in (1, 2, 3)]
TRANSACTIONS = 45
"""About so many take all rotations."""


def documents_of(database: Database, keyring: LocalKeyring, folder: Path) -> Documents:
    """As a process sees them that has just begun."""
    shards = ShardKeys(database, keyring)
    return Documents(database, FilesystemBlobStore(folder), DossierKeys(database, shards), RowKeys(shards))


async def fill(database: Database, documents: Documents) -> None:
    for each in DOSSIERS:
        await deposit(documents, database, each.bytes, dossier=each, document=each)
        await file(database, each, each)


def rotated(url: str, keyring: Path, life: int) -> int:
    """The status with which a process ended that rotates everything."""
    return subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "tests.vault.keys.rotator", url, str(keyring), str(life)],
        check=False,
        env=dict(os.environ),
    ).returncode


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
async def test_a_rotation_that_is_killed_is_finished_by_the_next(
    database: Database, migrated_url: str, keyring: LocalKeyring, tmp_path: Path, kills: int
) -> None:
    """At any instant, and again while it finishes; everything reads in between, and in the end no old key is left."""
    folder = tmp_path / "blobs"
    await FilesystemBlobStore(folder).prepare()
    await fill(database, documents_of(database, keyring, folder))
    drawn = random.Random(os.urandom(8))
    for life in (drawn.randint(1, TRANSACTIONS) for _ in range(kills)):
        assert rotated(migrated_url, tmp_path / "keyring.json", life) in {0, -9}
        documents = documents_of(database, LocalKeyring.open(tmp_path / "keyring.json"), folder)
        for each in DOSSIERS:
            assert await read(documents, dossier=each, document=each) == each.bytes, life
    assert rotated(migrated_url, tmp_path / "keyring.json", 0) == 0
    service = LocalKeyring.open(tmp_path / "keyring.json")
    documents = documents_of(database, service, folder)
    for each in DOSSIERS:
        assert await read(documents, dossier=each, document=each) == each.bytes
    for tree in (await read_standing(database, service)).trees:
        if tree.tree in {Tree.DOSSIER, Tree.ROWS}:
            assert {master.state for master in tree.masters} == {KeyState.PRIMARY, KeyState.DESTROYED}
            assert set(tree.shards) == {KeyState.PRIMARY, KeyState.DESTROYED}
            assert tree.outdated == 0
