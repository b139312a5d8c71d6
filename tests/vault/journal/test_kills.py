"""Processes that record and integrate are killed at any moment; no acknowledged entry is missing, the tree is right."""

import asyncio
import multiprocessing
import random
import sys

import pytest

from models.database import open_database
from tests.vault.journal.entries import an_entry
from tests.vault.journal.recorder import run
from tests.vault.journal.shards import fixed_keys
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
from vault.journal.entry import Receipt
from vault.journal.ledger import Ledger
from vault.journal.proof import verify_inclusion
from vault.journal.reading import Reader
from vault.journal.sequencer import integrate_all

# The processes are forked from one that has imported everything, so that starting one takes no time.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.vault.journal.recorder"])


@pytest.fixture
def seed() -> int:
    """Shown when a test fails, so that it can be played again."""
    drawn = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {drawn}\n")
    return drawn


def killed_after(url: str, name: str, entries: int) -> dict[str, Receipt]:
    """Kill a process that records once it acknowledged so many; all that it acknowledged, by request id."""
    heard, told = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=run, args=(url, name, told))
    process.start()
    told.close()
    receipts = dict(heard.recv() for _ in range(entries))
    process.kill()
    try:
        while True:
            receipts.update([heard.recv()])
    except EOFError:
        process.join()
    heard.close()
    return receipts


async def kill_and_look(url: str, signer: Signer, kills: int, seed: int) -> None:
    drawn = random.Random(seed)
    receipts: dict[str, Receipt] = {}
    for number in range(kills // 2):
        pair = [asyncio.to_thread(killed_after, url, f"{number}{name}", drawn.randrange(1, 200)) for name in "ab"]
        for told in await asyncio.gather(*pair):
            receipts |= told
    database = await open_database(url)
    keys = fixed_keys()
    reader = Reader(database, keys, signer)
    for request_id, receipt in receipts.items():
        line = await reader.line(receipt.dossier, receipt.sequence)
        assert line is not None
        assert line.entry is not None
        assert line.entry.request_id == request_id
    before = await verify_log(database, keys, [signer.verifier])
    assert before.broken is None
    await integrate_all(database)
    verdict = await verify_log(database, keys, [signer.verifier])
    assert (verdict.broken, verdict.waiting, verdict.size) == (None, 0, before.size + before.waiting)
    assert verdict.size >= len(receipts) >= kills
    receipt = await Ledger(database, keys).record(an_entry())
    proof = await reader.proof(receipt.dossier, receipt.sequence)
    assert proof is not None
    assert verify_inclusion(proof, [signer.verifier]).sequence == receipt.sequence
    await database.close()


async def test_killed_processes_lose_nothing(migrated_url: str, signer: Signer, seed: int) -> None:
    """Ten processes killed, two at a time: what they acknowledged stands, the journal verifies and goes on."""
    await kill_and_look(migrated_url, signer, 10, seed)


@pytest.mark.long
async def test_killed_processes_lose_nothing_a_hundred_times(migrated_url: str, signer: Signer, seed: int) -> None:
    """The same with a hundred processes."""
    await kill_and_look(migrated_url, signer, 100, seed)
