"""Dossiers' keys, and what is sealed under them."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import dossier_key
from vault.errors import NoContentError, SealBrokenError
from vault.keys import INS_PURPOSE, DossierKey, DossierKeys, GeneratedKey, KeyService, Secret, WrappedKey
from vault.local_keys import LocalKeyring

DOSSIER, OTHER = UUID(int=1), UUID(int=2)


class CountingKeys:
    """A key service that counts what it is asked."""

    def __init__(self, service: KeyService) -> None:
        self._service = service
        self.unwrapped = 0

    async def generate(self, purpose: str, owners: Sequence[bytes]) -> list[GeneratedKey]:
        return await self._service.generate(purpose, owners)

    async def unwrap(self, purpose: str, owner: bytes, wrapped: WrappedKey) -> bytes:
        self.unwrapped += 1
        return await self._service.unwrap(purpose, owner, wrapped)

    async def secret(self, name: Secret) -> bytes:
        return await self._service.secret(name)

    async def probe(self) -> None:
        await self._service.probe()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def ensured(keys: DossierKeys, database: Database, dossier: UUID = DOSSIER) -> DossierKey:
    """The dossier's key, committed."""
    async with database.begin() as connection:
        return await keys.ensure(connection, dossier)


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
    assert await dossier_keys.open_text(DOSSIER, "message/1", sealed) == "né".encode()
    for dossier, purpose in [(OTHER, "message/1"), (DOSSIER, "message/2")]:
        with pytest.raises(SealBrokenError):
            await dossier_keys.open_text(dossier, purpose, sealed)


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
        await dossier_keys.open_text(DOSSIER, "title", sealed)


async def test_an_edited_key_row_opens_nothing(database: Database, dossier_keys: DossierKeys) -> None:
    """Not even while the right one is remembered."""
    await ensured(dossier_keys, database)
    await dossier_keys.read(DOSSIER)
    async with database.begin() as connection:
        await connection.execute(update(dossier_key).values(key_id="master/2"))
    with pytest.raises(SealBrokenError):
        await dossier_keys.read(DOSSIER)


async def test_an_unwrapped_key_is_remembered_for_a_while(database: Database, keyring: LocalKeyring) -> None:
    """For sixty seconds here, and not for one more."""
    service, clock = CountingKeys(keyring), Clock()
    keys = DossierKeys(database, service, clock=clock, seconds=60)
    await ensured(keys, database)
    clock.now += 59
    await keys.read(DOSSIER)
    assert service.unwrapped == 1
    clock.now += 1
    await keys.read(DOSSIER)
    assert service.unwrapped == 2


async def test_only_so_many_keys_are_remembered(database: Database, keyring: LocalKeyring) -> None:
    """The one not used for longest goes."""
    service = CountingKeys(keyring)
    keys = DossierKeys(database, service, capacity=2)
    for dossier in (UUID(int=1), UUID(int=2), UUID(int=1), UUID(int=3)):
        await ensured(keys, database, dossier)
    assert service.unwrapped == 3
    await keys.read(UUID(int=1))
    assert service.unwrapped == 3
    await keys.read(UUID(int=2))
    assert service.unwrapped == 4


async def test_many_dossiers_get_their_keys_at_once(database: Database, dossier_keys: DossierKeys) -> None:
    """As an import writes them: the key's row, and the INS under the key."""
    new = await dossier_keys.seal_ins_batch([(DOSSIER, b"185057800608491"), (OTHER, b"160127511200161")])
    async with database.begin() as connection:
        for each in new:
            row = {"dossier": each.dossier, "key_id": each.key_id, "wrapped": each.wrapped}
            await connection.execute(insert(dossier_key).values(row))
    opened = [await dossier_keys.open_text(each.dossier, INS_PURPOSE, each.ins_sealed) for each in new]
    assert opened == [b"185057800608491", b"160127511200161"]


async def test_a_dossiers_key_shows_only_whose_it_is() -> None:
    """When printed."""
    assert repr(DossierKey(DOSSIER, b"S" * 32)) == f"DossierKey({DOSSIER})"
