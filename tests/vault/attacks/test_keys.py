"""Whoever holds the database moves wrapped keys: each opens in its own place, by the key that it names, or not at all.

Three dossiers, two of one shard and one of another, have each a document and a journal under keys of a real keyring.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ColumnElement, Table, insert, select, update

from models.database import Database
from models.queries.keys import KeyRow
from models.tables import content, dossier_key, journal_chain, keyring_seen, shard_key
from tests.doubles.blobs import MemoryBlobStore
from tests.vault.deposits import deposit, file, read
from tests.vault.journal.entries import an_entry
from tests.vault.keys.rotating import rotate
from vault.documents import Documents
from vault.errors import JournalEntryError, JournalUnavailableError, KeyringError, SealBrokenError
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
from vault.journal.erasing import erase_journal
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all
from vault.keys import (
    DossierKeys,
    KeyState,
    RowKeys,
    ShardKeys,
    Tree,
    WrappedKey,
    read_secrets,
    refuse_older,
    shard_name,
)
from vault.keys.rotation.destroying import KeyStates
from vault.keys.rotation.dossiers import DossierRotation
from vault.keys.rotation.masters import rewrap_shards, rotate_master
from vault.keys.rotation.rewrapping import Rewrapping
from vault.local_keys import LocalKeyring

OPAQUE = r"^what was stored does not open$"
INDEX = b"\x06" * 32
ONE, NEIGHBOUR, FAR = UUID(int=1), UUID(int=2), UUID(int=1 << 116)
DOSSIERS = (ONE, NEIGHBOUR, FAR)
SIGNER = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))

Where = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Vault:
    """What the service would read with; nothing is remembered from one use to the next."""

    database: Database
    store: MemoryBlobStore
    keyring: LocalKeyring

    @property
    def shards(self) -> ShardKeys:
        return ShardKeys(self.database, self.keyring)

    @property
    def documents(self) -> Documents:
        shards = self.shards
        return Documents(self.database, self.store, DossierKeys(self.database, shards), RowKeys(shards))

    @property
    def journal_keys(self) -> JournalKeys:
        return JournalKeys(self.shards, INDEX)

    async def rows(self, table: Table, where: Where) -> list[dict[str, Any]]:
        async with self.database.connect() as connection:
            return [row._asdict() for row in await connection.execute(select(table).where(where))]

    async def put(self, table: Table, where: Where, **values: object) -> None:
        async with self.database.begin() as connection:
            await connection.execute(update(table).where(where).values(values))

    async def exchange(self, table: Table, one: Where, other: Where, columns: Sequence[str]) -> None:
        """These columns of two rows change places."""
        (ours,), (theirs,) = await self.rows(table, one), await self.rows(table, other)
        assert any(ours[column] != theirs[column] for column in columns)
        await self.put(table, one, **{column: theirs[column] for column in columns})
        await self.put(table, other, **{column: ours[column] for column in columns})

    async def refuses(self, *dossiers: UUID) -> None:
        """Their documents are not opened; the others are."""
        for dossier in DOSSIERS:
            if dossier not in dossiers:
                assert await read(self.documents, dossier=dossier, document=document_of(dossier)) == dossier.bytes
                continue
            with pytest.raises(SealBrokenError, match=OPAQUE):
                await self.documents.find(dossier, document_of(dossier), 1)

    async def conceals(self, *dossiers: UUID) -> None:
        """Their journals are not shown, nor written, and the first of their entries is told to whoever verifies."""
        for dossier in DOSSIERS:
            reader = Reader(self.database, self.journal_keys, SIGNER)
            if dossier not in dossiers:
                assert [line.sequence for line in await reader.read(dossier, limit=9)] == [1]
                continue
            with pytest.raises(JournalEntryError, match=r"^it does not open$"):
                await reader.read(dossier, limit=9)
            with pytest.raises(JournalUnavailableError):
                await Ledger(self.database, self.journal_keys).record(an_entry(dossier=dossier))
        broken = (await verify_log(self.database, self.journal_keys, ())).broken
        assert broken is not None
        assert (broken.what, broken.line) == ("it does not open", (dossiers[0], 1))


def document_of(dossier: UUID) -> UUID:
    return UUID(int=dossier.int ^ 0xFF)


@pytest.fixture
async def vault(database: Database, store: MemoryBlobStore, keyring: LocalKeyring) -> Vault:
    """The content of each dossier's document is the dossier's id."""
    vault = Vault(database, store, keyring)
    ledger = Ledger(database, vault.journal_keys)
    for dossier in DOSSIERS:
        await deposit(vault.documents, database, dossier.bytes, dossier=dossier, document=document_of(dossier))
        await ledger.record(an_entry(dossier=dossier))
    await integrate_all(database)
    return vault


def key_of(dossier: UUID) -> Where:
    return dossier_key.c.dossier == dossier


def chain_of(dossier: UUID) -> Where:
    return journal_chain.c.dossier == dossier


def shard(tree: Tree, number: int, version: int = 1) -> Where:
    return (shard_key.c.tree == tree.value) & (shard_key.c.shard == number) & (shard_key.c.version == version)


async def test_what_is_where_it_was_written_opens(vault: Vault) -> None:
    """So that the attacks below fail for what they moved."""
    await vault.refuses()
    verdict = await verify_log(vault.database, vault.journal_keys, ())
    assert (verdict.size, verdict.broken) == (3, None)


COLUMNS = pytest.mark.parametrize(
    "columns", [["wrapped"], ["key_id", "wrapped"]], ids=["wrapped", "key_id and wrapped"]
)
PAIRS = pytest.mark.parametrize("other", [NEIGHBOUR, FAR], ids=["same shard", "another shard"])


@COLUMNS
@PAIRS
async def test_dossiers_keys_cannot_change_places(vault: Vault, other: UUID, columns: list[str]) -> None:
    """Of one shard neither: the owner is authenticated with the key."""
    await vault.exchange(dossier_key, key_of(ONE), key_of(other), columns)
    await vault.refuses(ONE, other)


async def test_a_dossiers_key_opens_by_the_shard_that_it_names_only(vault: Vault) -> None:
    """Not by the next one, although both are there."""
    await vault.exchange(dossier_key, key_of(ONE), key_of(FAR), ["key_id"])
    await vault.refuses(ONE, FAR)


@COLUMNS
@PAIRS
async def test_journals_keys_cannot_change_places(vault: Vault, other: UUID, columns: list[str]) -> None:
    """An access that could only be written under another's key is not given."""
    await vault.exchange(journal_chain, chain_of(ONE), chain_of(other), columns)
    await vault.conceals(ONE, other)


async def test_a_journals_key_opens_by_the_shard_that_it_names_only(vault: Vault) -> None:
    """As a dossier's."""
    await vault.exchange(journal_chain, chain_of(ONE), chain_of(FAR), ["key_id"])
    await vault.conceals(ONE, FAR)


@pytest.mark.parametrize("columns", [("wrapped",), ("key_id", "wrapped")], ids=["wrapped", "key_id and wrapped"])
async def test_a_dossiers_two_keys_cannot_change_places(vault: Vault, columns: tuple[str, ...]) -> None:
    """What each is for is authenticated with it."""
    (sealing,), (tracing,) = await vault.rows(dossier_key, key_of(ONE)), await vault.rows(journal_chain, chain_of(ONE))
    await vault.put(dossier_key, key_of(ONE), **{column: tracing[column] for column in columns})
    await vault.put(journal_chain, chain_of(ONE), **{column: sealing[column] for column in columns})
    await vault.refuses(ONE)
    await vault.conceals(ONE)


@pytest.mark.parametrize("version", [0, 2, -1, 2**31 - 1])
async def test_a_dossiers_key_has_its_version(vault: Vault, version: int) -> None:
    """Another number makes it another key, or none."""
    await vault.put(dossier_key, key_of(ONE), version=version)
    await vault.refuses(ONE)


@pytest.mark.parametrize("columns", [["wrapped"], ["key_id", "wrapped"], ["uses", "made_at", "wrapped"]], ids=str)
async def test_shards_keys_cannot_change_places(vault: Vault, columns: list[str]) -> None:
    """Neither between the shards of a tree."""
    await vault.exchange(shard_key, shard(Tree.DOSSIER, 0), shard(Tree.DOSSIER, 1), columns)
    await vault.refuses(*DOSSIERS)


@pytest.mark.parametrize("one, other", list(combinations(Tree, 2)))
@COLUMNS
async def test_shards_keys_cannot_change_trees(vault: Vault, one: Tree, other: Tree, columns: list[str]) -> None:
    """Nor between the trees: keys that wrap, sign, authenticate and hash are no others."""
    await read_secrets(vault.database, vault.shards)
    await vault.exchange(shard_key, shard(one, 0), shard(other, 0), columns)
    trees = {one, other}
    if Tree.ROWS in trees:
        await vault.refuses(*DOSSIERS)
    elif Tree.DOSSIER in trees:
        await vault.refuses(ONE, NEIGHBOUR)
    if Tree.JOURNAL in trees:
        await vault.conceals(ONE, NEIGHBOUR)
    if trees & {Tree.INDEX, Tree.SIGNING}:
        with pytest.raises(KeyringError, match=r"does not open this database's (index|signing) key"):
            await read_secrets(vault.database, vault.shards)


@pytest.mark.parametrize(
    "tree, number, version",
    [(Tree.DOSSIER, 1, 1), (Tree.JOURNAL, 0, 1), (Tree.DOSSIER, 0, 2)],
    ids=["shard", "tree", "version"],
)
async def test_the_key_service_is_told_whose_key_it_opens(vault: Vault, tree: Tree, number: int, version: int) -> None:
    """It opens none as another's, whatever would become of it below."""
    (row,) = await vault.rows(shard_key, shard(Tree.DOSSIER, 0))
    wrapped = WrappedKey(row["key_id"], row["wrapped"])
    assert len(await vault.keyring.unwrap(shard_name(Tree.DOSSIER, 0, 1), wrapped)) == 32
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await vault.keyring.unwrap(shard_name(tree, number, version), wrapped)


async def test_versions_of_a_shards_key_cannot_change_places(vault: Vault) -> None:
    """The version is authenticated with the key."""
    await rotate(vault.database, vault.keyring, Tree.DOSSIER)
    await vault.exchange(shard_key, shard(Tree.DOSSIER, 0, 1), shard(Tree.DOSSIER, 0, 2), ["wrapped"])
    await vault.refuses(ONE, NEIGHBOUR)


async def test_a_shards_key_opens_by_the_master_that_it_names_only(vault: Vault) -> None:
    """Not by the next one, nor one of another tree."""
    await rotate_master(vault.database, vault.keyring, Tree.DOSSIER)
    for key_id in ("dossier/2", "journal/1", "dossier/3", ""):
        await vault.put(shard_key, shard(Tree.DOSSIER, 0), key_id=key_id)
        await vault.refuses(ONE, NEIGHBOUR)


@pytest.mark.parametrize("state", ["", "PRIMARY", "primary ", "disabled", "destroyed"])
async def test_a_shards_key_in_no_state_of_use_opens_nothing(vault: Vault, state: str) -> None:
    """Whatever else stands there."""
    await vault.put(shard_key, shard(Tree.DOSSIER, 0), state=state)
    await vault.refuses(ONE, NEIGHBOUR)


async def rotated(vault: Vault, dossier: UUID) -> None:
    """Another key for a dossier, and everything sealed anew under it."""
    await file(vault.database, dossier, document_of(dossier))
    shards = vault.shards
    keys, rows = DossierKeys(vault.database, shards), RowKeys(shards)
    done = await DossierRotation(vault.database, shards, keys, rows, []).rotate(dossier)
    assert (done.changed, done.broken) == (1, 0)


async def test_a_dossiers_key_cannot_be_set_back(vault: Vault) -> None:
    """What was sealed since then names another key."""
    (before,) = await vault.rows(dossier_key, key_of(ONE))
    await rotated(vault, ONE)
    await vault.refuses()
    await vault.put(dossier_key, key_of(ONE), **before)
    await vault.refuses(ONE)


async def test_a_documents_row_cannot_be_set_back_behind_its_dossiers_key(vault: Vault) -> None:
    """It is the row that was written, MAC and all, and its key is gone."""
    row = content.c.dossier == ONE
    (before,) = await vault.rows(content, row)
    await rotated(vault, ONE)
    await vault.put(content, row, **before)
    await vault.refuses(ONE)


async def destroy(vault: Vault, key_id: str) -> None:
    async def settle() -> None:
        """Nobody else is there."""

    await KeyStates(vault.database, vault.keyring, settle).destroy([key_id], lambda _: None)


async def destroyed(vault: Vault) -> dict[str, Any]:
    """The first key of shard 0 of the dossiers is destroyed, after all that it wrapped was wrapped anew; as it was."""
    (before,) = await vault.rows(shard_key, shard(Tree.DOSSIER, 0))
    await rotate(vault.database, vault.keyring, Tree.DOSSIER)
    shards = vault.shards
    await Rewrapping(vault.database, shards, randomness=os.urandom).rewrap(Tree.DOSSIER, None, lambda _: None)
    await destroy(vault, "dossier/000/1")
    await vault.refuses()
    return before


async def master_destroyed(vault: Vault) -> None:
    """And so is the master that everything was under at first."""
    await rotate_master(vault.database, vault.keyring, Tree.DOSSIER)
    await rewrap_shards(vault.database, vault.keyring, Tree.DOSSIER, lambda _: None)
    await destroy(vault, "dossier/1")


async def test_a_destroyed_key_that_is_put_back_takes_no_dossier_back(vault: Vault) -> None:
    """What it wrapped has been wrapped anew, and names another key: the destroyed one is asked for by nobody."""
    (kept,) = await vault.rows(dossier_key, key_of(ONE))
    before = await destroyed(vault)
    await vault.put(dossier_key, key_of(ONE), **kept)
    for back in ({"state": before["state"]}, {"wrapped": before["wrapped"]}):
        await vault.put(shard_key, shard(Tree.DOSSIER, 0), state=KeyState.DESTROYED.value, wrapped=b"")
        await vault.put(shard_key, shard(Tree.DOSSIER, 0), **back)
        await vault.refuses(ONE)


async def test_a_destroyed_key_that_is_put_back_is_noise_once_its_master_is_destroyed(vault: Vault) -> None:
    """From a copy of the database all rows can be had again; the master cannot."""
    (kept,) = await vault.rows(dossier_key, key_of(ONE))
    before = await destroyed(vault)
    await master_destroyed(vault)
    await vault.refuses()
    await vault.put(shard_key, shard(Tree.DOSSIER, 0), **before | {"state": KeyState.ENABLED.value})
    await vault.put(dossier_key, key_of(ONE), **kept)
    await vault.refuses(ONE)


async def test_a_shards_key_cannot_be_set_back_under_a_master_below_the_floor(vault: Vault) -> None:
    """Although the master is there still."""
    where = shard(Tree.DOSSIER, 0)
    (before,) = await vault.rows(shard_key, where)
    await rotate_master(vault.database, vault.keyring, Tree.DOSSIER)
    await rewrap_shards(vault.database, vault.keyring, Tree.DOSSIER, lambda _: None)
    await vault.put(shard_key, where, **before)
    await vault.refuses()
    await vault.keyring.set_floor(Tree.DOSSIER, 2)
    await vault.refuses(ONE, NEIGHBOUR)


async def test_a_journals_key_cannot_be_set_back(vault: Vault) -> None:
    """After an erasure the next entry is under another key; the one before opens none of them."""
    (before,) = await vault.rows(journal_chain, chain_of(ONE))
    async with vault.database.begin() as connection:
        await erase_journal(connection, ONE)
    await Ledger(vault.database, vault.journal_keys).record(an_entry(dossier=ONE))
    await vault.put(journal_chain, chain_of(ONE), key_id=before["key_id"], wrapped=before["wrapped"])
    with pytest.raises(JournalEntryError, match=r"^it does not open$"):
        await Reader(vault.database, vault.journal_keys, SIGNER).read(ONE, limit=9)


@pytest.mark.parametrize("table, where", [(dossier_key, key_of(ONE)), (journal_chain, chain_of(ONE))], ids=str)
async def test_no_bit_of_a_wrapped_key_can_be_flipped(vault: Vault, table: Table, where: Where) -> None:
    """Nor one cut off or added, by who has the database alone; nor does any other shard's key take its place."""
    (row,) = await vault.rows(table, where)
    wrapped: bytes = row["wrapped"]
    altered = [wrapped[:length] for length in range(len(wrapped))] + [wrapped + b"\x00"]
    for bit in range(8 * len(wrapped)):
        flipped = bytearray(wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        altered.append(bytes(flipped))
    keys, journal_keys = DossierKeys(vault.database, vault.shards), vault.journal_keys

    async def unwrapped(value: bytes) -> object:
        if table is dossier_key:
            return await keys.unwrap(ONE, KeyRow(row["version"], row["key_id"], value))
        return await journal_keys.unwrap(ONE, WrappedKey(row["key_id"], value))

    await unwrapped(wrapped)
    for each in altered:
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await unwrapped(each)


async def test_what_was_seen_of_a_key_service_is_not_lowered_by_who_comes_late(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two who look at once the one who saw less may write last."""

    async def as_it_was(_statement: str) -> list[tuple[int]]:
        return [(1,)]

    await vault.keyring.rotate(Tree.DOSSIER)
    async with vault.database.begin() as connection:
        await connection.execute(insert(keyring_seen).values(id=1, generation=3))
    with monkeypatch.context() as late:
        late.setattr(vault.database, "read", as_it_was)
        await refuse_older(vault.database, vault.keyring)
    assert [tuple(row) for row in await vault.database.read("SELECT generation FROM keyring_seen")] == [(3,)]
