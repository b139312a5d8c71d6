"""Processes that record are killed at any moment; no entry that was acknowledged is missing."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from uuid import UUID

import pytest

from models.database import Database, open_database
from tests.vault.journal.entries import an_entry
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
from vault.journal.entry import Receipt
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader

RECORDER = "tests.vault.journal.recorder"
KILLS = 5


@pytest.fixture
def seed() -> int:
    """Printed when a test fails, so that it can be played again."""
    drawn = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {drawn}\n")
    return drawn


async def start(url: str, name: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", RECORDER, url, name, stdout=PIPE, limit=2**20)


async def killed_after(process: Process, lines: int) -> dict[str, Receipt]:
    """Kill the process once it acknowledged so many entries; all that it acknowledged, by request id."""
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    rest, _ = await process.communicate()
    whole = rest[: rest.rfind(b"\n") + 1]
    receipts = {}
    for line in [*told, *whole.splitlines()]:
        request_id, dossier, sequence, position = line.decode().split()
        receipts[request_id] = Receipt(UUID(dossier), int(sequence), int(position))
    return receipts


async def missing(database: Database, signer: Signer, receipts: dict[str, Receipt]) -> dict[str, Receipt]:
    """What was acknowledged and is not there, under that dossier, at that place."""
    reader = Reader(database, signer)
    absent = {}
    for request_id, receipt in receipts.items():
        line = await reader.line(receipt.dossier, receipt.sequence)
        if line is None or (line.position, line.entry.request_id) != (receipt.position, request_id):
            absent[request_id] = receipt
    return absent


async def kill_and_look(url: str, signer: Signer, kills: int, seed: int) -> None:
    drawn = random.Random(seed)
    receipts: dict[str, Receipt] = {}
    database = await open_database(url)
    for number in range(kills):
        processes = [await start(url, f"{number}-{name}") for name in "ab"]
        lines = [drawn.randrange(1, 150) for _ in processes]
        for told in await asyncio.gather(*map(killed_after, processes, lines)):
            receipts |= told
    assert await missing(database, signer, receipts) == {}
    verdict = await verify_log(database)
    assert verdict.broken is None
    assert verdict.size >= len(receipts) > kills
    ledger = Ledger(database)
    assert (await ledger.record(an_entry())).position == verdict.size
    await database.close()


async def test_killed_processes_lose_nothing(migrated_url: str, signer: Signer, seed: int) -> None:
    """Two processes at a time, killed ten in all: what they acknowledged stands, the journal verifies and goes on."""
    await kill_and_look(migrated_url, signer, KILLS, seed)


@pytest.mark.long
async def test_killed_processes_lose_nothing_a_hundred_times(migrated_url: str, signer: Signer, seed: int) -> None:
    """The same with a hundred processes."""
    await kill_and_look(migrated_url, signer, 50, seed)
