"""A process that records entries until it is killed: `python -m tests.vault.journal.recorder URL NAME`.

It prints the request id and the place of each entry that was acknowledged.
"""

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from uuid import uuid5

from models.database import open_database
from tests.vault.journal.entries import DOSSIER, an_entry
from vault.journal.ledger import Ledger

CALLERS = 40


async def record(url: str, name: str) -> None:
    ledger = Ledger(await open_database(url))
    numbers = itertools.count()

    async def call() -> None:
        for number in numbers:
            dossier = uuid5(DOSSIER, str(number % 7))
            entry = an_entry(at=datetime.now(UTC), dossier=dossier, request_id=f"{name}-{number}")
            receipt = await ledger.record(entry)
            sys.stdout.write(f"{entry.request_id} {dossier} {receipt.sequence} {receipt.position}\n")
            sys.stdout.flush()

    await asyncio.gather(*(call() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(record(*sys.argv[1:]))
