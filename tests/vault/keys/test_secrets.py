"""The deployment's secrets, and the database's memory of the key service."""

from pathlib import Path

import pytest

from models.database import Database
from tests.vault.keys.rotating import rotate
from vault.errors import KeyringError
from vault.keys import ShardKeys, Tree, read_secrets, refuse_older
from vault.local_keys import LocalKeyring
from vault.sealing import derive


async def test_the_secrets_are_made_once(database: Database, keyring: LocalKeyring) -> None:
    """Whoever begins later finds the same."""
    first = await read_secrets(database, ShardKeys(database, keyring))
    again = await read_secrets(database, ShardKeys(database, keyring))
    assert (first.index, first.seeds, first.signing) == (again.index, again.seeds, again.signing)
    assert first.pseudonym == derive(first.index, b"pseudonym")
    secrets = {first.index, first.pseudonym, first.signing_seed}
    assert [len(secret) for secret in secrets] == [32] * 3
    assert repr(first).startswith("<vault.keys.secrets.Secrets object")


async def test_the_primary_signs_and_the_others_are_known(
    database: Database, keyring: LocalKeyring, shards: ShardKeys
) -> None:
    """Checkpoints of before are still verified."""
    before = await read_secrets(database, shards)
    seed = await rotate(database, keyring, Tree.SIGNING)
    after = await read_secrets(database, shards)
    assert (after.signing, after.seeds) == (2, {1: before.signing_seed, 2: seed})


async def test_another_databases_keys_are_refused(database: Database, keyring: LocalKeyring, tmp_path: Path) -> None:
    """By a sentence, before anything is served."""
    await read_secrets(database, ShardKeys(database, keyring))
    other = LocalKeyring.create(tmp_path / "other.json")
    with pytest.raises(KeyringError, match="does not open this database's index key: is it another's"):
        await read_secrets(database, ShardKeys(database, other))


async def test_a_keyring_that_was_set_back_is_refused(
    database: Database, keyring: LocalKeyring, tmp_path: Path
) -> None:
    """An old copy of its file holds keys that were destroyed since."""
    path = tmp_path / "keyring.json"
    before = path.read_bytes()
    await refuse_older(database, keyring)
    await keyring.rotate(Tree.DOSSIER)
    await refuse_older(database, keyring)
    await refuse_older(database, LocalKeyring.open(path))
    path.write_bytes(before)
    with pytest.raises(KeyringError, match="is of generation 1, and this database has seen generation 2: an old copy"):
        await refuse_older(database, LocalKeyring.open(path))
    assert [tuple(row) for row in await database.read("SELECT generation FROM keyring_seen")] == [(2,)]
