"""A process that records entries and integrates them until it is killed, and tells of each that was acknowledged."""

import asyncio
import itertools
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from uuid import uuid5

from models.database import open_database
from tests.vault.journal.entries import DOSSIER, an_entry
from tests.vault.journal.shards import fixed_keys
from vault.journal.entry import Receipt
from vault.journal.ledger import Ledger
from vault.journal.sequencer import sequence

CALLERS = 40


def run(url: str, name: str, told: "Connection[tuple[str, Receipt], None]") -> None:
    """Send the request id and the receipt of each acknowledged entry."""
    asyncio.run(_record(url, name, told))


async def _record(url: str, name: str, told: "Connection[tuple[str, Receipt], None]") -> None:
    database = await open_database(url)
    ledger = Ledger(database, fixed_keys())
    numbers = itertools.count()

    async def call() -> None:
        for number in numbers:
            dossier = uuid5(DOSSIER, str(number % 7))
            entry = an_entry(at=datetime.now(UTC), dossier=dossier, request_id=f"{name}-{number}")
            told.send((entry.request_id, await ledger.record(entry)))

    await asyncio.gather(sequence(database, seconds=0.02, batch=50), *(call() for _ in range(CALLERS)))
