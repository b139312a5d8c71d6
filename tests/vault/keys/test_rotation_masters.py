"""Another master for a tree, on both engines."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from models.database import Database
from models.errors import DatabaseUnavailableError
from models.tables import shard_key
from vault.errors import KeyStateError, SealBrokenError
from vault.keys import GeneratedKey, KeyState, Master, Name, ShardKeys, Tree, WrappedKey
from vault.keys.rotation.masters import count_below, primary_of, rewrap_shards, rotate_master
from vault.keys.rotation.progress import Done, again
from vault.local_keys import LocalKeyring

NAME = Name("dossier", b"owner", 1)
SHARDS = range(700)  # more than a batch


class Seen(list[int]):
    """What a progress was told."""

    def __call__(self, count: int) -> None:
        self.append(count)


@pytest.fixture
async def made(database: Database, shards: ShardKeys) -> list[GeneratedKey]:
    """A key under each of many shards."""
    async with database.begin() as connection:
        return await shards.generate(connection, Tree.DOSSIER, [(shard, NAME) for shard in SHARDS])


async def opened(database: Database, keyring: LocalKeyring, keys: Sequence[GeneratedKey]) -> None:
    """Each key opens for a process that has just begun."""
    fresh = ShardKeys(database, keyring)
    assert [await fresh.unwrap(NAME, key.wrapped) for key in keys] == [key.key for key in keys]


async def spoil(database: Database, shard: int, **values: object) -> None:
    async with database.begin() as connection:
        await connection.execute(update(shard_key).where(shard_key.c.shard == shard).values(values))


async def test_a_new_master_means_the_shards_keys_and_nothing_below_them(
    database: Database, keyring: LocalKeyring, made: list[GeneratedKey]
) -> None:
    """What these wrap stays as it is, and opens."""
    assert await rotate_master(database, keyring, Tree.DOSSIER) == Master(Tree.DOSSIER, 2, KeyState.PRIMARY)
    seen = Seen()
    assert await rewrap_shards(database, keyring, Tree.DOSSIER, seen) == Done(len(SHARDS))
    assert seen == [512, len(SHARDS) - 512]
    assert await count_below(database, Tree.DOSSIER) == {"dossier/2": len(SHARDS)}
    await opened(database, keyring, made)
    assert await rewrap_shards(database, keyring, Tree.DOSSIER, seen) == Done()


async def test_the_database_remembers_that_there_is_a_new_master(
    database: Database, keyring: LocalKeyring, made: list[GeneratedKey]
) -> None:
    """So an old copy of the keyring, which lacks it, is refused from then on."""
    await rotate_master(database, keyring, Tree.DOSSIER)
    assert list(map(tuple, await database.read("SELECT generation FROM keyring_seen"))) == [(keyring.generation,)]


async def test_a_shards_key_that_was_tampered_with_does_not_keep_the_others(
    database: Database, keyring: LocalKeyring, made: list[GeneratedKey]
) -> None:
    """It is counted, and stays as it was."""
    await rotate_master(database, keyring, Tree.DOSSIER)
    await spoil(database, 5, wrapped=b"nothing")
    assert await rewrap_shards(database, keyring, Tree.DOSSIER, Seen()) == Done(len(SHARDS) - 1, 1)
    assert await rewrap_shards(database, keyring, Tree.DOSSIER, Seen()) == Done(0, 1)
    assert await count_below(database, Tree.DOSSIER) == {"dossier/1": 1, "dossier/2": len(SHARDS) - 1}


async def test_what_is_under_a_master_that_does_not_unwrap_is_counted(
    database: Database, keyring: LocalKeyring, made: list[GeneratedKey]
) -> None:
    """Before anything is done."""
    await rotate_master(database, keyring, Tree.DOSSIER)
    await keyring.disable(Tree.DOSSIER, 1)
    with pytest.raises(KeyStateError, match="700 shard keys are under dossier/1, which does not unwrap"):
        await rewrap_shards(database, keyring, Tree.DOSSIER, Seen())
    await keyring.enable(Tree.DOSSIER, 1)
    await rewrap_shards(database, keyring, Tree.DOSSIER, Seen())
    await opened(database, keyring, made)


async def test_a_row_that_changed_meanwhile_is_left_to_whoever_changed_it(
    database: Database, keyring: LocalKeyring, made: list[GeneratedKey]
) -> None:
    """Of two who rewrap, one writes."""

    class Slow(LocalKeyring):
        async def rewrap(self, keys: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey]:
            rewrapped = await super().rewrap(keys)
            await spoil(database, 5, wrapped=b"by another", key_id="dossier/2")
            return rewrapped

    await rotate_master(database, keyring, Tree.DOSSIER)
    await rewrap_shards(database, Slow.open(keyring._path), Tree.DOSSIER, Seen())  # noqa: SLF001  # to open it again
    rows = await database.read("SELECT wrapped FROM shard_key WHERE shard = 5")
    assert list(map(tuple, rows)) == [(b"by another",)]


def test_a_tree_without_a_primary_has_no_master() -> None:
    """An empty token, or one that serves something else."""
    with pytest.raises(KeyStateError, match="no master for rows"):
        primary_of([Master(Tree.ROWS, 1, KeyState.ENABLED), Master(Tree.INDEX, 1, KeyState.PRIMARY)], Tree.ROWS)


@pytest.mark.parametrize("failures, fails", [(0, False), (4, False), (5, True)])
async def test_a_batch_that_the_database_refuses_is_tried_again(
    failures: int, *, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few times."""
    monkeypatch.setattr("vault.keys.rotation.progress._PAUSE_SECONDS", 0.0)
    tries = 0

    async def batch() -> str:
        nonlocal tries
        tries += 1
        if tries <= failures:
            raise DatabaseUnavailableError("the database does not answer (DeadlockDetectedError 40P01)")
        return "done"

    if fails:
        with pytest.raises(DatabaseUnavailableError):
            await again(batch)
    else:
        assert await again(batch) == "done"


async def test_a_failure_of_another_kind_is_not_tried_again() -> None:
    """It would fail again."""
    tries = 0

    async def batch() -> None:
        nonlocal tries
        tries += 1
        raise SealBrokenError

    with pytest.raises(SealBrokenError):
        await again(batch)
    assert tries == 1
