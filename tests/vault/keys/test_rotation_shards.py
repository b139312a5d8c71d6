"""New keys of shards, and the keys of dossiers and journals brought under them, on both engines."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from models.database import Database
from models.tables import dossier_key, journal_chain
from tests.conftest import ON_CITUS
from tests.vault.keys.rotating import rotate
from tests.waiting import somebody_waits
from vault.errors import KeyStateError
from vault.journal.erasing import erase_journal
from vault.journal.keys import JournalKeys
from vault.keys import DossierKeys, GeneratedKey, KeyState, Name, ShardKeys, Tree, WrappedKey
from vault.keys.rotation.progress import Done
from vault.keys.rotation.rewrapping import Rewrapping, span_of
from vault.keys.rotation.shards import ShardRotation
from vault.local_keys import LocalKeyring

AT = datetime(2026, 11, 2, tzinfo=UTC)
DOSSIERS = [UUID(int=shard << 116 | number) for shard in (0, 1, 2, 0xFFF) for number in range(5)]
LAST = UUID(int=2**128 - 1)


def ignored(_: int) -> None:
    """Of whom nobody wants to know how far he is."""


@pytest.fixture
def rotation(database: Database, keyring: LocalKeyring) -> ShardRotation:
    return ShardRotation(database, keyring, lambda: AT)


@pytest.fixture
def rewrapping(database: Database, shards: ShardKeys) -> Rewrapping:
    """In batches that end within shards, and between them."""
    return Rewrapping(database, shards, randomness=os.urandom, batch=3)


@pytest.fixture
async def sealed(database: Database, dossier_keys: DossierKeys) -> dict[UUID, bytes]:
    """Dossiers with keys, and something sealed under each."""
    async with database.begin() as connection:
        return {each: await dossier_keys.seal_text(connection, each, "x", each.bytes) for each in [*DOSSIERS, LAST]}


async def named(database: Database, table: str = "dossier_key") -> list[str]:
    """Which keys are named, once each."""
    rows = await database.read(f"SELECT DISTINCT key_id FROM {table} WHERE wrapped IS NOT NULL ORDER BY key_id")
    return [row[0] for row in rows]


async def opened(database: Database, keyring: LocalKeyring, sealed: dict[UUID, bytes]) -> list[bytes]:
    """What a process reads that has just begun."""
    keys = DossierKeys(database, ShardKeys(database, keyring))
    return [(await keys.read(dossier)).open_text("x", value) for dossier, value in sealed.items()]


async def test_shards_get_new_keys_and_dossiers_come_under_them(
    database: Database,
    keyring: LocalKeyring,
    rotation: ShardRotation,
    rewrapping: Rewrapping,
    sealed: dict[UUID, bytes],
) -> None:
    """Of the shards that have one; what the dossiers' keys seal stays as it is."""
    assert await rotation.rotate(Tree.DOSSIER, None, ignored) == 4
    assert await rotation.primaries(Tree.DOSSIER) == {0: 2, 1: 2, 2: 2, 0xFFF: 2}
    assert await rewrapping.rewrap(Tree.DOSSIER, None, ignored) == Done(len(sealed))
    assert await named(database) == ["dossier/000/2", "dossier/001/2", "dossier/002/2", "dossier/fff/2"]
    assert await opened(database, keyring, sealed) == [each.bytes for each in sealed]
    assert await rewrapping.rewrap(Tree.DOSSIER, None, ignored) == Done()


async def test_what_is_wrapped_anew_is_counted(
    database: Database, rotation: ShardRotation, rewrapping: Rewrapping, sealed: dict[UUID, bytes]
) -> None:
    """By the key that wraps it from then on."""
    await rotation.rotate(Tree.DOSSIER, None, ignored)
    await rewrapping.rewrap(Tree.DOSSIER, None, ignored)
    rows = await database.read(
        "SELECT version, state, uses, made_at FROM shard_key WHERE shard = 4095 ORDER BY version"
    )
    assert [tuple(row[:3]) for row in rows] == [(1, "enabled", 6), (2, "primary", 6)]
    assert rows[1][3] == AT


async def test_single_shards_are_rotated(
    database: Database, rotation: ShardRotation, rewrapping: Rewrapping, sealed: dict[UUID, bytes]
) -> None:
    """Those that are named and have a key, and the keys below them."""
    assert await rotation.rotate(Tree.DOSSIER, [2, 1, 7], ignored) == 2
    assert await rewrapping.rewrap(Tree.DOSSIER, [1, 2, 7], ignored) == Done(10)
    assert await named(database) == ["dossier/000/1", "dossier/001/2", "dossier/002/2", "dossier/fff/1"]


async def test_what_is_under_the_primary_already_stays_as_it_is(
    database: Database, rotation: ShardRotation, rewrapping: Rewrapping, sealed: dict[UUID, bytes]
) -> None:
    """In a batch with what is not."""
    await rotation.rotate(Tree.DOSSIER, [2], ignored)
    assert await rewrapping.rewrap(Tree.DOSSIER, None, ignored) == Done(5)
    assert await named(database) == ["dossier/000/1", "dossier/001/1", "dossier/002/2", "dossier/fff/1"]


async def test_the_last_dossier_that_can_be_is_wrapped_anew(
    database: Database, shards: ShardKeys, rotation: ShardRotation, sealed: dict[UUID, bytes]
) -> None:
    """Beyond which there is none to go on from."""
    await rotation.rotate(Tree.DOSSIER, [0xFFF], ignored)
    one_by_one = Rewrapping(database, shards, randomness=os.urandom, batch=1)
    assert await one_by_one.rewrap(Tree.DOSSIER, [0xFFF], ignored) == Done(6)
    assert span_of(0xFFF)[1] == LAST


async def test_the_index_is_not_rotated_below_its_master(rotation: ShardRotation) -> None:
    """Every pseudonym would be another's."""
    with pytest.raises(KeyStateError, match="the key of the index has no successor"):
        await rotation.rotate(Tree.INDEX, None, ignored)


async def test_whoever_wraps_is_waited_for(
    database: Database,
    keyring: LocalKeyring,
    dossier_keys: DossierKeys,
    rotation: ShardRotation,
    rewrapping: Rewrapping,
    sealed: dict[UUID, bytes],
) -> None:
    """What he wrapped under the old key is found once he has committed, and brought under the new one.

    The rotation waits for him, or on a cluster whoever wraps anew after it.
    """
    late = UUID(int=2 << 116 | 99)

    async def replaced() -> tuple[int, Done]:
        rotated = await rotation.rotate(Tree.DOSSIER, None, ignored)
        return rotated, await rewrapping.rewrap(Tree.DOSSIER, None, ignored)

    async with database.begin() as connection:
        value = await dossier_keys.seal_text(connection, late, "x", late.bytes)
        replacing = asyncio.create_task(replaced())
        if ON_CITUS and database.dialect == "postgresql":
            async with asyncio.timeout(30):
                while set((await rotation.primaries(Tree.DOSSIER)).values()) != {2}:  # noqa: ASYNC110 - the database is who changes it
                    await asyncio.sleep(0.01)
            assert not replacing.done()
        else:
            await somebody_waits(database, replacing)
    assert await replacing == (4, Done(len(sealed) + 1))
    assert await opened(database, keyring, {**sealed, late: value}) == [each.bytes for each in (*sealed, late)]
    assert "dossier/002/1" not in await named(database)


async def test_of_two_rotations_that_meet_one_makes_the_key(
    database: Database, keyring: LocalKeyring, sealed: dict[UUID, bytes]
) -> None:
    """The other finds it made."""

    class Slow(LocalKeyring):
        async def generate(self, tree: Tree, names: Sequence[Name]) -> list[GeneratedKey]:
            await rotate(database, keyring, tree, 1)
            return await super().generate(tree, names)

    slow = ShardRotation(database, Slow.open(keyring._path), lambda: AT)  # noqa: SLF001  # to open it again
    await slow.rotate(Tree.DOSSIER, [1], ignored)
    assert await slow.primaries(Tree.DOSSIER, [1]) == {1: 2}


async def test_a_key_that_does_not_open_is_left_and_counted(
    database: Database, rotation: ShardRotation, rewrapping: Rewrapping, sealed: dict[UUID, bytes]
) -> None:
    """The others of its batch are wrapped anew."""
    await rotation.rotate(Tree.DOSSIER, None, ignored)
    async with database.begin() as connection:
        spoilt = update(dossier_key).where(dossier_key.c.dossier.in_(DOSSIERS[:2]))
        await connection.execute(spoilt.values(wrapped=b"nothing"))
        await connection.execute(
            update(dossier_key).where(dossier_key.c.dossier == DOSSIERS[2]).values(key_id="dossier/000/9")
        )
    assert await rewrapping.rewrap(Tree.DOSSIER, None, ignored) == Done(len(sealed) - 3, 3)


async def test_journals_keys_come_under_new_keys_of_their_shards(
    database: Database, shards: ShardKeys, rotation: ShardRotation, rewrapping: Rewrapping
) -> None:
    """An erased one stays erased."""
    keys = JournalKeys(shards, bytes(32))
    async with database.begin() as connection:
        fresh = await keys.generate(connection, DOSSIERS)
        rows = [
            {"dossier": each, "sequence": 0, "leaf": b"", "key_id": wrapped.key_id, "wrapped": wrapped.wrapped}
            for each, (wrapped, _) in fresh.items()
        ]
        await connection.execute(insert(journal_chain), rows)
        await erase_journal(connection, DOSSIERS[0])
    values = {each: key.seal(1, b"payload", bytes(44)) for each, (_, key) in fresh.items()}
    await rotation.rotate(Tree.JOURNAL, None, ignored)
    assert await rewrapping.rewrap(Tree.JOURNAL, None, ignored) == Done(len(DOSSIERS) - 1)
    assert await named(database, "journal_chain") == [
        "journal/000/2",
        "journal/001/2",
        "journal/002/2",
        "journal/fff/2",
    ]
    async with database.connect() as connection:
        for row in await connection.execute(select(journal_chain)):
            if row.dossier == DOSSIERS[0]:
                assert (row.key_id, row.wrapped) == (None, None)
            else:
                key = await keys.unwrap(row.dossier, WrappedKey(row.key_id, row.wrapped))
                assert key.open(1, values[row.dossier]) == (bytes(32), b"payload")


async def test_a_primary_stays_the_only_one(
    database: Database, rotation: ShardRotation, sealed: dict[UUID, bytes]
) -> None:
    """However often a shard is rotated."""
    for _ in range(3):
        await rotation.rotate(Tree.DOSSIER, [1], ignored)
    rows = await database.read("SELECT version, state FROM shard_key WHERE shard = 1 ORDER BY version")
    enabled = [(version, KeyState.ENABLED) for version in (1, 2, 3)]
    assert list(map(tuple, rows)) == [*enabled, (4, KeyState.PRIMARY)]
