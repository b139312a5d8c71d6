"""A ledger and a reader on each engine, and a key that signs checkpoints."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.database import Database
from tests.vault.journal.shards import fixed_keys
from vault.journal.checkpoint import Signer
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader


@pytest.fixture
def signer() -> Signer:
    return Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))


@pytest.fixture
def journal_keys() -> JournalKeys:
    return fixed_keys()


@pytest.fixture
async def ledger(database: Database, journal_keys: JournalKeys) -> AsyncIterator[Ledger]:
    opened = Ledger(database, journal_keys)
    yield opened
    await opened.aclose()


@pytest.fixture
def reader(database: Database, journal_keys: JournalKeys, signer: Signer) -> Reader:
    return Reader(database, journal_keys, signer)
