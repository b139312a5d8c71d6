"""Keys put out of use and destroyed, and what may be told of keys, on both engines."""

import os
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from models.database import Database
from models.tables import shard_key
from tests.vault.deposits import DOSSIER, deposit
from vault.documents import Documents
from vault.errors import KeyStateError, SealBrokenError
from vault.keys import DossierKeys, KeyState, RowKeys, ShardKeys, Tree, read_secrets, shard_of
from vault.keys.rotation.destroying import KeyStates, MasterId, ShardKeyId, parse_key_id
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.rewrapping import Rewrapping
from vault.keys.rotation.rows import RowRotation
from vault.keys.rotation.shards import ShardRotation
from vault.keys.rotation.standing import read_standing
from vault.local_keys import LocalKeyring

OTHER = UUID(int=0x7FF << 116)


def ignored(_: int) -> None:
    """Of whom nobody wants to know how far he is."""


class Settling:
    """Waits for nobody, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """Objects are nothing to keys: one store is enough."""
    return f"file://{tmp_path / 'blobs'}"


@pytest.fixture
def settling() -> Settling:
    return Settling()


@pytest.fixture
def states(database: Database, keyring: LocalKeyring, settling: Settling) -> KeyStates:
    return KeyStates(database, keyring, settling)


@pytest.fixture
async def dossiers(database: Database, dossier_keys: DossierKeys) -> list[UUID]:
    """Two dossiers with keys, in different shards."""
    async with database.begin() as connection:
        for each in (DOSSIER, OTHER):
            await dossier_keys.ensure(connection, each)
    return [DOSSIER, OTHER]


async def rotate_shards(database: Database, keyring: LocalKeyring, tree: Tree = Tree.DOSSIER) -> None:
    """New primaries, and nothing else."""
    await ShardRotation(database, keyring).rotate(tree, None, ignored)


async def rewrap(database: Database, shards: ShardKeys) -> None:
    await Rewrapping(database, shards, randomness=os.urandom).rewrap(Tree.DOSSIER, None, ignored)


async def masters(keyring: LocalKeyring, tree: Tree = Tree.DOSSIER) -> dict[int, KeyState]:
    return {each.version: each.state for each in (await keyring.status()).masters if each.tree is tree}


async def shard_states(database: Database, shard: int) -> list[tuple[int, str, bool]]:
    """Versions, their states, and whether anything is left of them."""
    rows = await database.read("SELECT version, state, wrapped FROM shard_key WHERE shard = $1 ORDER BY version", shard)
    return [(version, state, bool(wrapped)) for version, state, wrapped in rows]


def test_a_key_is_named_by_its_id() -> None:
    """A master's has two parts, a shard key's three."""
    assert parse_key_id("rows/12") == MasterId(Tree.ROWS, 12)
    assert parse_key_id("dossier/0a1/3") == ShardKeyId(Tree.DOSSIER, 0x0A1, 3)


@pytest.mark.parametrize(
    "key_id", ["", "dossier", "dossier/0", "other/1", "dossier/1/2/3", "dossier/0A1/3", "dossier/1\n"]
)
def test_what_is_no_id_of_a_key_is_refused(key_id: str) -> None:
    """By saying what one is."""
    with pytest.raises(KeyStateError, match="a key is named like dossier/1"):
        parse_key_id(key_id)


async def test_a_master_is_destroyed_once_nothing_is_under_it(
    database: Database, keyring: LocalKeyring, states: KeyStates, settling: Settling, dossiers: list[UUID]
) -> None:
    """Refused before with a count; afterwards the floor is above it, and what it wrapped in old copies is noise."""
    await rotate_master(database, keyring, Tree.DOSSIER)
    with pytest.raises(KeyStateError, match="2 shard keys are still under dossier/1: `dmp keys rewrap` first"):
        await states.destroy(["dossier/1"], ignored)
    assert settling.times == 0
    await rewrap_shards(database, keyring, Tree.DOSSIER, ignored)
    done: list[int] = []
    await states.destroy(["dossier/1"], done.append)
    assert (settling.times, done) == (1, [1])
    assert await masters(keyring) == {1: KeyState.DESTROYED, 2: KeyState.PRIMARY}
    assert (await keyring.status()).floors[Tree.DOSSIER] == 2
    fresh = DossierKeys(database, ShardKeys(database, keyring))
    for each in dossiers:
        await fresh.read(each)


async def test_a_shard_key_that_appears_late_keeps_its_master(
    database: Database, keyring: LocalKeyring, dossiers: list[UUID]
) -> None:
    """Another process had not seen the new master yet, and made a key under the old one."""
    await rotate_master(database, keyring, Tree.DOSSIER)
    await rewrap_shards(database, keyring, Tree.DOSSIER, ignored)

    async def meanwhile() -> None:
        async with database.begin() as connection:
            row = (await connection.execute(select(shard_key).limit(1))).one()._asdict()
            await connection.execute(insert(shard_key).values(row | {"shard": 9, "key_id": "dossier/1"}))

    with pytest.raises(KeyStateError, match="1 shard keys are still under dossier/1"):
        await KeyStates(database, keyring, meanwhile).destroy(["dossier/1"], ignored)
    assert await masters(keyring) == {1: KeyState.ENABLED, 2: KeyState.PRIMARY}


async def test_the_floor_stays_below_a_master_that_is_not_destroyed(
    database: Database, keyring: LocalKeyring, states: KeyStates
) -> None:
    """It may have something under it."""
    for _ in range(3):
        await rotate_master(database, keyring, Tree.DOSSIER)
    await states.destroy(["dossier/2"], ignored)
    assert (await keyring.status()).floors[Tree.DOSSIER] == 1
    await states.destroy(["dossier/1"], ignored)
    assert (await keyring.status()).floors[Tree.DOSSIER] == 3
    await states.destroy(["dossier/1"], ignored)
    assert await masters(keyring) == {
        1: KeyState.DESTROYED,
        2: KeyState.DESTROYED,
        3: KeyState.ENABLED,
        4: KeyState.PRIMARY,
    }


@pytest.mark.parametrize(
    "key_id, why", [("dossier/1", "dossier/1 is primary: rotate first"), ("dossier/7", "there is no dossier/7")]
)
async def test_a_master_that_stays_is_not_destroyed(states: KeyStates, key_id: str, why: str) -> None:
    """It says why."""
    with pytest.raises(KeyStateError, match=why):
        await states.destroy([key_id], ignored)
    with pytest.raises(KeyStateError, match=why):
        await states.disable(key_id)


async def test_a_master_is_put_out_of_use_and_back(
    database: Database, keyring: LocalKeyring, states: KeyStates
) -> None:
    """The database remembers both."""
    await rotate_master(database, keyring, Tree.ROWS)
    await states.disable("rows/1")
    assert await masters(keyring, Tree.ROWS) == {1: KeyState.DISABLED, 2: KeyState.PRIMARY}
    await states.enable("rows/1")
    assert await masters(keyring, Tree.ROWS) == {1: KeyState.ENABLED, 2: KeyState.PRIMARY}
    assert list(map(tuple, await database.read("SELECT generation FROM keyring_seen"))) == [(keyring.generation,)]


async def test_a_shards_key_is_destroyed_once_nothing_is_under_it(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, states: KeyStates, dossiers: list[UUID]
) -> None:
    """Refused before with a count; afterwards nothing is left of it."""
    await rotate_shards(database, keyring)
    for act in (states.disable("dossier/7ff/1"), states.destroy(["dossier/7ff/1"], ignored)):
        with pytest.raises(KeyStateError, match="1 keys of dossiers are still under dossier/7ff/1"):
            await act
    await rewrap(database, shards)
    await states.disable("dossier/7ff/1")
    await states.enable("dossier/7ff/1")
    await states.enable("dossier/7ff/1")
    assert await shard_states(database, 0x7FF) == [(1, "enabled", True), (2, "primary", True)]
    await states.destroy(["dossier/7ff/1"], ignored)
    assert await shard_states(database, 0x7FF) == [(1, "destroyed", False), (2, "primary", True)]
    with pytest.raises(KeyStateError, match="dossier/7ff/1 is destroyed"):
        await states.enable("dossier/7ff/1")
    with pytest.raises(SealBrokenError):
        await ShardKeys(database, keyring).key("dossier/7ff/1")


@pytest.mark.parametrize(
    "key_id, why",
    [
        ("dossier/7ff/1", "dossier/7ff/1 is primary: rotate first"),
        ("dossier/7ff/7", "there is no dossier/7ff/7"),
        ("dossier/123/1", "there is no dossier/123/1"),
    ],
)
async def test_a_shards_key_that_stays_is_not_destroyed(
    states: KeyStates, dossiers: list[UUID], key_id: str, why: str
) -> None:
    """It says why."""
    with pytest.raises(KeyStateError, match=why):
        await states.destroy([key_id], ignored)


async def test_a_signing_key_is_never_destroyed(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, states: KeyStates
) -> None:
    """What it signed is verified with it."""
    await read_secrets(database, shards)
    await rotate_shards(database, keyring, Tree.SIGNING)
    with pytest.raises(KeyStateError, match="signing/000/1 stays: what it signed is verified with it"):
        await states.destroy(["signing/000/1"], ignored)
    secrets = await read_secrets(database, ShardKeys(database, keyring))
    assert (sorted(secrets.seeds), secrets.signing) == ([1, 2], 2)


async def test_a_key_of_rows_is_destroyed_once_no_row_is_under_it(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, states: KeyStates, documents: Documents
) -> None:
    """Refused before with a count."""
    await deposit(documents, database, b"content")
    await rotate_shards(database, keyring, Tree.ROWS)
    with pytest.raises(KeyStateError, match="1 rows are still under rows/000/1"):
        await states.destroy(["rows/000/1"], ignored)
    await RowRotation(database, RowKeys(shards), ShardRotation(database, keyring)).renew(ignored)
    await states.destroy(["rows/000/1"], ignored)


async def test_whatever_was_replaced_is_listed(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, states: KeyStates, dossiers: list[UUID]
) -> None:
    """Shards' keys before masters, since these wrap them; what signed is not among them."""
    await read_secrets(database, shards)
    assert await states.replaced(Tree.DOSSIER) == []
    for tree in (Tree.DOSSIER, Tree.SIGNING):
        await rotate_master(database, keyring, tree)
        await rewrap_shards(database, keyring, tree, ignored)
        await rotate_shards(database, keyring, tree)
    assert await states.replaced(Tree.DOSSIER) == [
        f"dossier/{shard_of(DOSSIER):03x}/1",
        "dossier/7ff/1",
        "dossier/1",
    ]
    assert await states.replaced(Tree.SIGNING) == ["signing/1"]
    await rewrap(database, shards)
    done: list[int] = []
    await states.destroy(await states.replaced(Tree.DOSSIER), done.append)
    assert (done, await states.replaced(Tree.DOSSIER)) == ([2, 1], [])


async def test_what_hangs_below_what_is_counted(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, documents: Documents, dossiers: list[UUID]
) -> None:
    """And no key is told."""
    await read_secrets(database, shards)
    await deposit(documents, database, b"content")
    told = await read_standing(database, keyring)
    assert [tree.tree for tree in told.trees] == list(Tree)
    assert (told.service, told.generation, told.limit) == ("local keyring", keyring.generation, 2**31)
    for tree in (Tree.DOSSIER, Tree.ROWS, Tree.SIGNING):
        await rotate_master(database, keyring, tree)
        await rotate_shards(database, keyring, tree)
    async with database.begin() as connection:
        await connection.execute(update(shard_key).where(shard_key.c.shard == 0x7FF).values(uses=12))
    trees = {tree.tree: tree for tree in (await read_standing(database, keyring)).trees}
    found = trees[Tree.DOSSIER]
    assert (found.primary, found.floor, found.below) == ("dossier/2", 1, {"dossier/1": 2, "dossier/2": 2})
    assert found.shards == {KeyState.PRIMARY: 2, KeyState.ENABLED: 2}
    assert (found.highest_version, found.most_used[:12], found.uses, found.outdated) == (2, "dossier/7ff/", 12, 2)
    assert (trees[Tree.ROWS].outdated, trees[Tree.SIGNING].outdated, trees[Tree.INDEX].outdated) == (1, 0, 0)
    assert (trees[Tree.JOURNAL].shards, trees[Tree.JOURNAL].most_used) == ({}, "")
    await rewrap(database, shards)
    assert (await read_standing(database, keyring)).trees[0].outdated == 0
