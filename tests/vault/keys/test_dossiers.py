"""Dossiers' keys, and what is sealed under them."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.keys import KeyRow
from models.tables import dossier_key, shard_key
from tests.vault.keys.clock import Clock
from vault.errors import NoContentError, SealBrokenError
from vault.keys import (
    INS_PURPOSE,
    DossierKey,
    DossierKeys,
    GeneratedKey,
    Name,
    ShardKeys,
    Tree,
    WrappedKey,
    dossier_key_name,
    shard_key_id,
)
from vault.local_keys import LocalKeyring

DOSSIER, OTHER = UUID(int=1), UUID(int=2)


class CountingShards(ShardKeys):
    """Shards' keys that count what they are asked."""

    unwrapped = 0

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        self.unwrapped += 1
        return await super().unwrap(name, wrapped)


async def ensured(keys: DossierKeys, database: Database, dossier: UUID = DOSSIER) -> DossierKey:
    """The dossier's key, committed."""
    async with database.begin() as connection:
        return await keys.ensure(connection, dossier)


async def row_of(database: Database, dossier: UUID) -> KeyRow:
    """A dossier's key as it is kept."""
    rows = await database.read("SELECT version, key_id, wrapped FROM dossier_key WHERE dossier = $1::uuid", dossier)
    return KeyRow(*rows[0])


async def test_a_dossiers_key_is_made_once(database: Database, dossier_keys: DossierKeys) -> None:
    """And read by everybody afterwards."""
    sealed = (await ensured(dossier_keys, database)).seal_text("title", b"x")
    assert (await ensured(dossier_keys, database)).open_text("title", sealed) == b"x"
    assert (await dossier_keys.read(DOSSIER)).open_text("title", sealed) == b"x"


async def test_a_dossier_without_a_key_has_nothing_to_open(dossier_keys: DossierKeys) -> None:
    """Never opened, or erased."""
    with pytest.raises(NoContentError):
        await dossier_keys.read(DOSSIER)


async def test_a_small_value_opens_in_its_dossier_for_its_purpose(
    database: Database, dossier_keys: DossierKeys
) -> None:
    """And nowhere else."""
    async with database.begin() as connection:
        sealed = await dossier_keys.seal_text(connection, DOSSIER, "message/1", "né".encode())
        await dossier_keys.ensure(connection, OTHER)
    rows = {dossier: await row_of(database, dossier) for dossier in (DOSSIER, OTHER)}
    assert await dossier_keys.open_text(DOSSIER, rows[DOSSIER], "message/1", sealed) == "né".encode()
    for dossier, purpose in [(OTHER, "message/1"), (DOSSIER, "message/2")]:
        with pytest.raises(SealBrokenError):
            await dossier_keys.open_text(dossier, rows[dossier], purpose, sealed)
    with pytest.raises(NoContentError):
        await dossier_keys.open_text(DOSSIER, None, "message/1", sealed)


async def test_a_key_row_moved_to_another_dossier_opens_nothing(database: Database, dossier_keys: DossierKeys) -> None:
    """The owner is authenticated with the key."""
    await ensured(dossier_keys, database)
    async with database.begin() as connection:
        row = (await connection.execute(select(dossier_key))).one()
        await connection.execute(insert(dossier_key).values(row._asdict() | {"dossier": OTHER}))
    with pytest.raises(SealBrokenError):
        await dossier_keys.read(OTHER)


async def test_a_key_that_was_rolled_back_is_not_remembered(database: Database, dossier_keys: DossierKeys) -> None:
    """The next one is another."""

    class RolledBackError(Exception):
        """Ends the transaction."""

    async def begun() -> bytes:
        async with database.begin() as connection:
            await dossier_keys.seal_text(connection, DOSSIER, "title", b"x")
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await begun()
    with pytest.raises(NoContentError):
        await dossier_keys.read(DOSSIER)


async def test_an_erased_dossiers_key_is_not_used_for_its_successor(
    database: Database, dossier_keys: DossierKeys
) -> None:
    """However recently it was used."""
    sealed = (await ensured(dossier_keys, database)).seal_text("title", b"x")
    async with database.begin() as connection:
        await connection.execute(delete(dossier_key))
    await ensured(dossier_keys, database)
    with pytest.raises(SealBrokenError):
        (await dossier_keys.read(DOSSIER)).open_text("title", sealed)


async def test_an_edited_key_row_opens_nothing(database: Database, dossier_keys: DossierKeys) -> None:
    """Not even while the right one is remembered."""
    await ensured(dossier_keys, database)
    await dossier_keys.read(DOSSIER)
    async with database.begin() as connection:
        await connection.execute(update(dossier_key).values(key_id="dossier/000/2"))
    with pytest.raises(SealBrokenError):
        await dossier_keys.read(DOSSIER)


async def test_a_key_of_another_version_is_another_key(database: Database, dossier_keys: DossierKeys) -> None:
    """The version is authenticated with it."""
    await ensured(dossier_keys, database)
    async with database.begin() as connection:
        await connection.execute(update(dossier_key).values(version=2))
    with pytest.raises(SealBrokenError):
        await dossier_keys.read(DOSSIER)


async def test_a_text_and_the_key_that_was_read_with_it_open_whatever_came_after(
    database: Database, dossier_keys: DossierKeys, shards: ShardKeys
) -> None:
    """Another key may take the place of both while they are under way."""
    sealed = (await ensured(dossier_keys, database)).seal_text("title", b"x")
    before = await row_of(database, DOSSIER)
    async with database.begin() as connection:
        named = [(0, dossier_key_name(DOSSIER, 2))]
        (fresh,) = await shards.generate(connection, Tree.DOSSIER, named)
        after = KeyRow(2, fresh.wrapped.key_id, fresh.wrapped.wrapped)
        await connection.execute(update(dossier_key).values(after._asdict()))
    assert await dossier_keys.open_text(DOSSIER, before, "title", sealed) == b"x"
    second = await dossier_keys.read(DOSSIER)
    assert (second.version, second.seal_text("title", b"x")[:5]) == (2, b"\x01\x00\x00\x00\x02")
    with pytest.raises(SealBrokenError):
        await dossier_keys.open_text(DOSSIER, after, "title", sealed)


async def test_what_is_sealed_twice_in_the_first_transaction_of_a_shard_opens(
    database: Database, dossier_keys: DossierKeys
) -> None:
    """Although nobody else sees the keys yet."""
    async with database.begin() as connection:
        first = await dossier_keys.ensure(connection, DOSSIER)
        again = await dossier_keys.ensure(connection, DOSSIER)
        assert again.open_text("title", first.seal_text("title", b"x")) == b"x"


async def test_who_comes_second_takes_the_first_ones_key(
    database: Database, dossier_keys: DossierKeys, keyring: LocalKeyring
) -> None:
    """Two deposits may find a dossier without a key at the same moment."""

    class OvertakenShards(ShardKeys):
        """Another is quicker."""

        async def generate(
            self, connection: AsyncConnection, tree: Tree, names: Sequence[tuple[int, Name]]
        ) -> list[GeneratedKey]:
            await dossier_keys.ensure(connection, DOSSIER)
            return await super().generate(connection, tree, names)

    await ensured(dossier_keys, database, OTHER)
    second = await ensured(DossierKeys(database, OvertakenShards(database, keyring)), database)
    first = await dossier_keys.read(DOSSIER)
    assert second.open_text("title", first.seal_text("title", b"x")) == b"x"


async def test_the_keys_of_many_dossiers_are_made_and_read_together(
    database: Database, dossier_keys: DossierKeys, keyring: LocalKeyring
) -> None:
    """Those that are there are read, the others made; whoever reads them later has the same."""
    dossiers = [UUID(int=number << 112) for number in range(1, 40)]
    before = await ensured(dossier_keys, database, dossiers[3])
    async with database.begin() as connection:
        keys = await dossier_keys.ensure_all(connection, dossiers)
    assert set(keys) == set(dossiers)
    assert keys[dossiers[3]].open_text("title", before.seal_text("title", b"x")) == b"x"
    another = DossierKeys(database, ShardKeys(database, keyring))
    async with database.begin() as connection:
        for dossier, key in (await another.ensure_all(connection, dossiers)).items():
            assert key.open_text("title", keys[dossier].seal_text("title", b"x")) == b"x"


async def test_an_unwrapped_key_is_remembered_for_a_while(database: Database, keyring: LocalKeyring) -> None:
    """For sixty seconds here, and not for one more."""
    shards, clock = CountingShards(database, keyring), Clock()
    keys = DossierKeys(database, shards, clock=clock, seconds=60)
    await ensured(keys, database)
    clock.now += 59
    await keys.read(DOSSIER)
    assert shards.unwrapped == 0
    clock.now += 1
    await keys.read(DOSSIER)
    assert shards.unwrapped == 1


async def test_many_dossiers_get_their_keys_at_once(database: Database, dossier_keys: DossierKeys) -> None:
    """As an import writes them: the key's row, and the INS under the key; each wrapping is counted when it settles."""
    sealing = dossier_keys.sealing()
    third = UUID(int=1 << 116)
    async with database.begin() as connection:
        new = await sealing.seal(connection, [(DOSSIER, b"185057800608491"), (OTHER, b"160127511200161")])
        new += await sealing.seal(connection, [(third, b"255081416802538")])
        new += await sealing.seal(connection, [])
        for each in new:
            row = {
                "dossier": each.dossier,
                "version": each.version,
                "key_id": each.key_id,
                "wrapped": each.wrapped,
            }
            await connection.execute(insert(dossier_key).values(row))
        await sealing.settle(connection)
    opened = [(await dossier_keys.read(each.dossier)).open_text(INS_PURPOSE, each.ins_sealed) for each in new]
    assert opened == [b"185057800608491", b"160127511200161", b"255081416802538"]
    assert [each.key_id for each in new] == [shard_key_id(Tree.DOSSIER, shard, 1) for shard in (0, 0, 1)]
    async with database.connect() as connection:
        counted = await connection.execute(select(shard_key.c.shard, shard_key.c.uses).order_by(shard_key.c.shard))
        assert [tuple(row) for row in counted] == [(0, 2), (1, 1)]


async def test_an_import_of_no_dossier_settles(database: Database, dossier_keys: DossierKeys) -> None:
    """Nothing was wrapped, nothing is counted."""
    async with database.begin() as connection:
        await dossier_keys.sealing().settle(connection)
    assert await database.read("SELECT uses FROM shard_key") == []


async def test_a_dossiers_key_shows_only_whose_it_is() -> None:
    """When printed."""
    assert repr(DossierKey(DOSSIER, 3, b"S" * 32)) == f"DossierKey({DOSSIER}, version=3)"
