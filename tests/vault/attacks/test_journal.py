"""Whoever holds the database or the store writes what no entry, checkpoint or tile can be: it is named."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from models.database import Database
from models.tables import journal_entry, journal_leaf
from tests.vault.journal.entries import DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.errors import JournalEntryError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
from vault.journal.comparing import compare_tiles, read_checkpoints
from vault.journal.entry import place
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all
from vault.journal.tree import leaf_hash

SIGNER = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))


@pytest.fixture
async def row(database: Database) -> dict[str, Any]:
    """The only entry of a journal."""
    await Ledger(database, fixed_keys()).record(an_entry())
    await integrate_all(database)
    async with database.connect() as connection:
        return (await connection.execute(select(journal_entry))).one()._asdict()


IMPOSSIBLE: list[dict[str, Any]] = [
    {"sequence": -1},
    {"sequence": 0},
    {"sequence": -(2**63)},
    {"sequence": 2**63 - 1},
    {"sealed": b""},
    {"sealed": bytes(16)},
    {"commitment": b""},
    {"commitment": bytes(31)},
]
CHAINED: list[dict[str, Any]] = [{"previous": b"\x00"}, {"previous": bytes(1000)}]


async def forge(database: Database, told: dict[str, Any]) -> None:
    """Put a line in the place of the only one, under its hash, in the tree too."""
    told["leaf"] = leaf_hash(place(DOSSIER, told["sequence"], told["previous"], told["commitment"]))
    async with database.begin() as connection:
        await connection.execute(update(journal_entry).values(told))
        placed = {"sequence": told["sequence"], "leaf": told["leaf"]}
        await connection.execute(update(journal_leaf).values(placed))


@pytest.mark.parametrize("changes", IMPOSSIBLE + CHAINED, ids=lambda changes: str(changes)[:30])
async def test_a_line_that_cannot_be_is_named(database: Database, row: dict[str, Any], changes: dict[str, Any]) -> None:
    """By the dossier and the number that it claims, to who verifies the journal."""
    await forge(database, row | changes)
    broken = (await verify_log(database, fixed_keys(), ())).broken
    assert broken is not None
    assert broken.position == 0
    assert broken.line is not None
    assert broken.line[0] == DOSSIER


@pytest.mark.parametrize("changes", IMPOSSIBLE, ids=str)
async def test_a_line_that_cannot_be_is_not_shown(
    database: Database, row: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Nor counted in the patient's page as if it were one."""
    await forge(database, row | changes)
    with pytest.raises(JournalEntryError):
        await Reader(database, fixed_keys(), SIGNER).read(DOSSIER, limit=9)


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint/" + "9" * 20,
        "checkpoint/" + str(2**63).zfill(20),
        "checkpoint/" + str(2**62).zfill(20),
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/63/999",
    ],
)
async def test_a_record_of_a_tree_that_cannot_be_is_named(database: Database, tmp_path: Path, name: str) -> None:
    """Larger than any database counts: somebody who has the object store put it there."""
    store = FilesystemBlobStore(tmp_path / "vault")
    await store.prepare()
    await store.keep(f"journal/{name}", bytes(32 * 256))
    signed = await read_checkpoints(database, store, [SIGNER.verifier])
    assert signed.largest == 0
    _, wrong = await compare_tiles(database, store, signed.largest)
    assert [
        sentence for sentence in [*signed.wrong, *wrong] if name.removeprefix("checkpoint/").lstrip("0") in sentence
    ] != []
    await store.close()
