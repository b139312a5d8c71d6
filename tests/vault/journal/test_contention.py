"""Writers of several processes, and transactions that change rights, never wait for each other in a circle."""

import asyncio
import random
import sys
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert, open_database
from models.tables import dossier, has_read, journal_entry
from tests.vault.journal.entries import AT, DOSSIER, HOLDER, NURSE, PHYSICIAN, an_entry
from vault.journal.audit import verify_log
from vault.journal.entry import Entry, Receipt
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.sequencer import integrate_all, sequence
from vault.keys import ShardKeys
from vault.local_keys import LocalKeyring

INDEX = b"\x06" * 32
INSTANCES = 3
WRITERS = 8


@pytest.fixture
def seed() -> int:
    """Shown when a test fails, so that it can be played again."""
    drawn = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {drawn}\n")
    return drawn


class Instance:
    """As a process has them: a database, keys that are soon forgotten, and a ledger with small commits."""

    def __init__(self, database: Database, keyring: LocalKeyring, drawn: random.Random) -> None:
        self.database = database
        self.keys = JournalKeys(ShardKeys(database, keyring), INDEX, seconds=drawn.choice([0.0, 0.01, 60.0]))
        self.ledger = Ledger(database, self.keys, largest_commit=drawn.choice([1, 3, 50]), patience=60.0)

    async def record(self, entries: list[Entry]) -> list[Receipt]:
        return await self.ledger.record_all(entries)

    async def change(self, entries: list[Entry]) -> list[Receipt]:
        """As a change of rights or a feed does: it holds the dossiers' rows, and tells of it last."""
        async with self.database.begin() as connection:
            for one in sorted({entry.dossier for entry in entries}):
                await hold(connection, one)
            return await self.ledger.append(connection, entries)

    async def erase(self, entries: list[Entry]) -> list[Receipt]:
        """As an erasure does: it takes away who has read, and tells of itself."""
        erased = an_entry(dossier=entries[0].dossier, subject=HOLDER, action="dossier:erase")
        async with self.database.begin() as connection:
            await hold(connection, erased.dossier)
            await connection.execute(delete(has_read).where(has_read.c.dossier == erased.dossier))
            return await self.ledger.append(connection, [erased])


async def hold(connection: AsyncConnection, one: UUID) -> None:
    row = {"id": one, "state": "open", "state_since": AT}
    await connection.execute(insert(connection, dossier).values(row).on_conflict_do_nothing())
    await connection.execute(select(dossier.c.id).where(dossier.c.id == one).with_for_update())


def entries_of(drawn: random.Random, dossiers: list[UUID]) -> list[Entry]:
    """Of a few dossiers in any order, some of which nobody has written of before."""
    return [
        an_entry(dossier=one, subject=drawn.choice([PHYSICIAN, NURSE]))
        for one in drawn.choices(dossiers, k=drawn.randrange(1, 8))
    ]


async def contend(url: str, keyring: LocalKeyring, rounds: int, seed: int) -> None:
    """In each round all instances write at once of the same dossiers, old and new; nobody is ever refused."""
    drawn = random.Random(seed)
    databases = [await open_database(url) for _ in range(INSTANCES)]
    instances = [Instance(database, keyring, drawn) for database in databases]
    sequencers = [asyncio.create_task(sequence(database, seconds=0.01, batch=20)) for database in databases[:2]]
    written = 0
    for number in range(rounds):
        dossiers = [uuid5(DOSSIER, str(drawn.randrange(number + 6))) for _ in range(6)]
        writing = []
        for _ in range(WRITERS):
            instance, entries = drawn.choice(instances), entries_of(drawn, dossiers)
            writing.append(drawn.choice([instance.record, instance.change, instance.erase])(entries))
        written += sum(len(receipts) for receipts in await asyncio.gather(*writing))
    for task in sequencers:
        task.cancel()
    await asyncio.wait(sequencers)
    await integrate_all(databases[0])
    verdict = await verify_log(databases[0], instances[0].keys, ())
    assert (verdict.size, verdict.broken) == (written, None)
    async with databases[0].connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(journal_entry)) == written
    for instance in instances:
        await instance.ledger.aclose()
        await instance.database.close()


async def test_writers_never_wait_in_a_circle(migrated_postgresql_url: str, tmp_path: Path, seed: int) -> None:
    """Three hundred and twenty interleavings of group commits, changes of rights and erasures: all are written."""
    await contend(migrated_postgresql_url, LocalKeyring.create(tmp_path / "keys"), 40, seed)


@pytest.mark.long
async def test_writers_never_wait_in_a_circle_for_long(migrated_postgresql_url: str, tmp_path: Path, seed: int) -> None:
    """The same, four thousand times."""
    await contend(migrated_postgresql_url, LocalKeyring.create(tmp_path / "keys"), 500, seed)
