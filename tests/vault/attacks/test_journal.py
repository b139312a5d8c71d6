"""Whoever holds the database writes into the journal what no entry can be: it is named, and nothing else escapes."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from models.database import Database
from models.tables import journal_entry, journal_leaf
from tests.vault.journal.entries import DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.errors import JournalEntryError
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
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
