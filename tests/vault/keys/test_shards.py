"""Keys between the masters and the dossiers, on both engines."""

import asyncio
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import update

from models.database import Database
from models.tables import shard_key
from tests.conftest import ON_CITUS
from tests.vault.keys.clock import Clock
from tests.vault.keys.rotating import rotate, rotate_within
from tests.waiting import somebody_waits
from vault.errors import KeyStateError, SealBrokenError
from vault.keys import GeneratedKey, KeyState, Name, ShardKeys, Tree, WrappedKey, shard_key_id, shard_of
from vault.keys.shards import MOST_USES, parse_shard_key_id
from vault.local_keys import LocalKeyring

OF_ONE_SERVER = pytest.mark.skipif(
    ON_CITUS, reason="on a cluster who wraps anew waits: test_rotation_shards.py::test_whoever_wraps_is_waited_for"
)

NAME, OTHER = Name("dossier", b"owner", 1), Name("dossier", b"other", 1)


async def generated(
    shards: ShardKeys, database: Database, *names: tuple[int, Name], tree: Tree = Tree.DOSSIER
) -> list[GeneratedKey]:
    """Keys of shards, committed."""
    async with database.begin() as connection:
        return await shards.generate(connection, tree, names)


async def uses(database: Database) -> dict[str, int]:
    """How many keys each shard key has wrapped."""
    rows = await database.read("SELECT tree, shard, version, uses FROM shard_key")
    return {shard_key_id(Tree(tree), shard, version): count for tree, shard, version, count in rows}


async def having(database: Database, **values: object) -> None:
    """All rows changed."""
    async with database.begin() as connection:
        await connection.execute(update(shard_key).values(values))


@pytest.mark.parametrize(
    "dossier, shard",
    [
        (UUID("00000000-0000-0000-0000-000000000000"), 0),
        (UUID("000fffff-0000-0000-0000-000000000000"), 0),
        (UUID("0a100000-0000-0000-0000-000000000000"), 0x0A1),
        (UUID("ffffffff-ffff-ffff-ffff-ffffffffffff"), 4095),
    ],
)
def test_a_dossiers_shard_is_the_first_twelve_bits_of_its_id(dossier: UUID, shard: int) -> None:
    """Pseudonyms are uniform, so shards are alike."""
    assert shard_of(dossier) == shard


def test_a_shard_keys_id_is_read_as_it_is_written() -> None:
    """Tree, three hexadecimal digits, version."""
    assert shard_key_id(Tree.DOSSIER, 0x0A1, 3) == "dossier/0a1/3"
    assert parse_shard_key_id("dossier/0a1/3") == (Tree.DOSSIER, 0x0A1, 3)


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "dossier/1",
        "dossier/0a1/0",
        "dossier/0a1/03",
        "dossier/0A1/3",
        "dossier/a1/3",
        "x/0a1/3",
        "dossier/0a1/3\n",
        "dossier/0a1/1234567890",
        "dossier/0a1/3/4",
        "dossier/0a1/٣",
    ],
)
async def test_what_is_no_id_of_a_shard_key_opens_nothing(shards: ShardKeys, key_id: str) -> None:
    """Whoever may write rows writes such."""
    with pytest.raises(SealBrokenError):
        await shards.unwrap(NAME, WrappedKey(key_id, b""))


async def test_a_generated_key_unwraps_by_the_shard_key_that_it_names(database: Database, shards: ShardKeys) -> None:
    """In another process too, which finds the shards' keys in the database."""
    keys = await generated(shards, database, (5, NAME), (7, NAME), (5, OTHER))
    assert [key.wrapped.key_id for key in keys] == ["dossier/005/1", "dossier/007/1", "dossier/005/1"]
    assert len({key.key for key in keys}) == 3
    opened = [await shards.unwrap(name, key.wrapped) for name, key in zip([NAME, NAME, OTHER], keys, strict=True)]
    assert opened == [key.key for key in keys]
    with pytest.raises(SealBrokenError):
        await shards.unwrap(OTHER, keys[0].wrapped)
    with pytest.raises(SealBrokenError):
        await shards.unwrap(NAME, WrappedKey("dossier/006/1", keys[0].wrapped.wrapped))


async def test_nothing_is_generated_for_nobody(database: Database, shards: ShardKeys) -> None:
    """Nor any shard's key made."""
    assert await generated(shards, database) == []
    assert await uses(database) == {}


async def test_every_wrapping_is_counted_in_its_transaction(database: Database, shards: ShardKeys) -> None:
    """By the key that wrapped, in whatever order the shards were named; on a cluster in one apart, kept or not."""

    class RolledBackError(Exception):
        """Ends the transaction."""

    async def failing(connection_names: Sequence[tuple[int, Name]]) -> None:
        async with database.begin() as connection:
            await shards.generate(connection, Tree.DOSSIER, connection_names)
            raise RolledBackError

    await generated(shards, database, (7, NAME), (5, NAME), (5, OTHER), (6, NAME))
    await generated(shards, database, (5, NAME), tree=Tree.JOURNAL)
    await generated(shards, database, (5, NAME))
    with pytest.raises(RolledBackError):
        await failing([(5, NAME), (9, NAME)])
    kept = {"dossier/005/1": 3, "dossier/006/1": 1, "dossier/007/1": 1, "journal/005/1": 1}
    apart = ON_CITUS and database.dialect == "postgresql"
    assert await uses(database) == kept | ({"dossier/005/1": 4, "dossier/009/1": 1} if apart else {})


async def test_a_key_that_was_rolled_back_is_not_used_again(database: Database, shards: ShardKeys) -> None:
    """The shard's first key is then another."""

    class RolledBackError(Exception):
        """Ends the transaction."""

    async def failing() -> None:
        async with database.begin() as connection:
            await shards.generate(connection, Tree.DOSSIER, [(5, NAME)])
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await failing()
    (key,) = await generated(shards, database, (5, NAME))
    assert await shards.unwrap(NAME, key.wrapped) == key.key


async def test_a_tree_is_completed_at_once(database: Database, shards: ShardKeys) -> None:
    """What there is stays, and doing it again changes nothing."""
    await generated(shards, database, (7, NAME))
    for _ in range(2):
        await shards.complete(Tree.DOSSIER)
        kept = await uses(database)
        assert (len(kept), kept["dossier/007/1"], kept["dossier/fff/1"]) == (4096, 1, 0)


async def test_two_processes_agree_on_a_shards_first_key(
    database: Database, keyring: LocalKeyring, migrated_url: str
) -> None:
    """However closely they meet."""
    ours, theirs = ShardKeys(database, keyring), ShardKeys(database, keyring)
    both = await asyncio.gather(*(generated(each, database, (5, NAME), (6, NAME)) for each in [ours, theirs] * 4))
    assert {key.wrapped.key_id for keys in both for key in keys} == {"dossier/005/1", "dossier/006/1"}
    for keys in both:
        assert await ours.unwrap(NAME, keys[0].wrapped) == keys[0].key
    assert await uses(database) == {"dossier/005/1": 8, "dossier/006/1": 8}


async def test_transactions_that_meet_at_shards_do_not_wait_for_each_other_in_a_circle(
    database: Database, shards: ShardKeys
) -> None:
    """Whatever the order in which they name them."""
    names = [(shard, NAME) for shard in range(40)]
    await generated(shards, database, *names)
    await asyncio.gather(*(generated(shards, database, *names[:: (-1) ** turn]) for turn in range(20)))
    assert set((await uses(database)).values()) == {21}


async def test_a_rotation_is_seen_by_the_next_transaction(
    database: Database, shards: ShardKeys, keyring: LocalKeyring
) -> None:
    """What the key before wrapped is still opened."""
    (before,) = await generated(shards, database, (5, NAME))
    await rotate(database, keyring, Tree.DOSSIER, 5)
    (after,) = await generated(shards, database, (5, NAME))
    assert [before.wrapped.key_id, after.wrapped.key_id] == ["dossier/005/1", "dossier/005/2"]
    assert [await shards.unwrap(NAME, key.wrapped) for key in (before, after)] == [before.key, after.key]
    assert await uses(database) == {"dossier/005/1": 1, "dossier/005/2": 1}
    versions = await shards.versions(Tree.DOSSIER, 5)
    assert {version: state for version, (state, _) in versions.items()} == {1: KeyState.ENABLED, 2: KeyState.PRIMARY}


@OF_ONE_SERVER
async def test_a_rotation_waits_for_who_wraps_under_the_primary(
    database: Database, shards: ShardKeys, keyring: LocalKeyring
) -> None:
    """So that what it goes through afterwards is all that there is; who comes meanwhile takes the next key."""
    await generated(shards, database, (5, OTHER))
    async with database.begin() as connection:
        (during,) = await shards.generate(connection, Tree.DOSSIER, [(5, NAME)])
        rotation = asyncio.create_task(rotate(database, keyring, Tree.DOSSIER, 5))
        await somebody_waits(database, rotation)
    await rotation
    (after,) = await generated(shards, database, (5, NAME))
    assert [during.wrapped.key_id, after.wrapped.key_id] == ["dossier/005/1", "dossier/005/2"]
    assert (await uses(database))["dossier/005/1"] == 2


@OF_ONE_SERVER
async def test_whoever_waited_for_a_rotation_takes_the_next_key(
    database: Database, shards: ShardKeys, keyring: LocalKeyring
) -> None:
    """The row that it waited for is no longer the primary's."""
    await generated(shards, database, (5, OTHER))
    async with database.begin() as connection:
        await rotate_within(connection, keyring, Tree.DOSSIER, 5)
        waiting = asyncio.create_task(generated(shards, database, (5, NAME)))
        await somebody_waits(database, waiting)
    (after,) = await waiting
    assert after.wrapped.key_id == "dossier/005/2"


@pytest.mark.parametrize("state", [KeyState.DISABLED, KeyState.DESTROYED])
async def test_a_key_out_of_use_is_forgotten_after_a_while(
    database: Database, keyring: LocalKeyring, state: KeyState
) -> None:
    """At once by whoever does not remember it."""
    clock = Clock()
    shards = ShardKeys(database, keyring, clock=clock, seconds=60)
    (key,) = await generated(shards, database, (5, NAME))
    assert await shards.unwrap(NAME, key.wrapped) == key.key
    await having(database, state=state.value)
    clock.now += 59
    assert await shards.unwrap(NAME, key.wrapped) == key.key
    clock.now += 1
    for each in (shards, ShardKeys(database, keyring)):
        with pytest.raises(SealBrokenError):
            await each.unwrap(NAME, key.wrapped)
    assert await shards.versions(Tree.DOSSIER, 5) == {}


async def test_a_key_whose_master_is_below_the_floor_is_forgotten_after_a_while(
    database: Database, keyring: LocalKeyring
) -> None:
    """As one whose master is destroyed."""
    clock = Clock()
    shards = ShardKeys(database, keyring, clock=clock, seconds=60)
    (key,) = await generated(shards, database, (5, NAME))
    await keyring.rotate(Tree.DOSSIER)
    await keyring.set_floor(Tree.DOSSIER, 2)
    clock.now += 60
    with pytest.raises(SealBrokenError):
        await shards.unwrap(NAME, key.wrapped)


async def test_an_edited_row_of_a_shard_opens_nothing(database: Database, keyring: LocalKeyring) -> None:
    """Its key is bound to its place."""
    shards = ShardKeys(database, keyring)
    (key,) = await generated(shards, database, (5, NAME))
    await having(database, version=2)
    with pytest.raises(SealBrokenError):
        await ShardKeys(database, keyring).unwrap(NAME, WrappedKey("dossier/005/2", key.wrapped.wrapped))
    with pytest.raises(SealBrokenError):
        await ShardKeys(database, keyring).unwrap(NAME, key.wrapped)


async def test_a_key_that_has_wrapped_its_fill_wraps_no_more(database: Database, shards: ShardKeys) -> None:
    """Well before two random nonces may be the same."""
    await generated(shards, database, (5, NAME))
    await having(database, uses=MOST_USES)
    with pytest.raises(KeyStateError, match=f"^dossier/005/1 has wrapped {2**31} keys: rotate it$"):
        await generated(shards, database, (5, NAME))


async def test_a_shard_without_a_primary_wraps_nothing(database: Database, shards: ShardKeys) -> None:
    """Somebody edited its rows: no first key comes in the place of the ones that are there."""
    await generated(shards, database, (5, NAME))
    await having(database, state=KeyState.ENABLED.value)
    with pytest.raises(KeyStateError, match=r"^dossier/005 has no primary key$"):
        await generated(shards, database, (5, NAME), (6, NAME))


class Reads:
    """A database that counts what is read of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect = database.dialect
        self.count = 0

    async def read(self, statement: str, *values: object) -> Sequence[Sequence[object]]:
        self.count += 1
        return await self._database.read(statement, *values)


async def test_many_keys_are_learnt_in_one_statement(
    database: Database, shards: ShardKeys, keyring: LocalKeyring
) -> None:
    """And are at hand from then on; what is no key, or must not be used, is passed over and refused when asked for."""
    made = await generated(shards, database, *((shard, NAME) for shard in range(20)))
    async with database.begin() as connection:
        disabled = update(shard_key).where(shard_key.c.shard == 1).values(state=KeyState.DISABLED.value)
        altered = update(shard_key).where(shard_key.c.shard == 2).values(wrapped=b"x" * 60)
        await connection.execute(disabled)
        await connection.execute(altered)
    reads = Reads(database)
    others = ShardKeys(cast("Database", reads), keyring)
    await others.learn([each.wrapped.key_id for each in made] + ["none", "dossier/fff/1"])
    assert reads.count == 1
    for shard, each in enumerate(made):
        if shard not in {1, 2}:
            assert await others.unwrap(NAME, each.wrapped) == each.key
    assert reads.count == 1
    await others.learn([made[0].wrapped.key_id])
    assert reads.count == 1
    for shard in (1, 2):
        with pytest.raises(SealBrokenError):
            await others.unwrap(NAME, made[shard].wrapped)
