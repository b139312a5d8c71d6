"""How many decisions a second are written down, and come into the tree, on PostgreSQL on this machine.

`python -m tests.benchmarks.journal_rate [SECONDS]`: with one process and with two, each with many callers who wait for
each entry to be durable before they ask the next; a sequencer runs in each. Figures, and no verdict: this machine is
not another.
"""

import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import uvloop
from msgspec.structs import replace

from models.database import open_database, upgrade
from tests.benchmarks.vault_journal import accessed
from tests.servers.postgresql import postgresql
from vault.journal.audit import verify_log
from vault.journal.entry import Entry
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.sequencer import integrate_all, sequence
from vault.keys import ShardKeys
from vault.local_keys import LocalKeyring

CALLERS = 400
DOSSIERS = 10_000
INDEX = bytes(32)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        keyring = Path(folder) / "keys"
        LocalKeyring.create(keyring)
        for processes in (1, 2):
            url = server.create(f"rate_{processes}")
            upgrade(url)
            _run(url, keyring, 0, 0.0)
            with multiprocessing.get_context("fork").Pool(processes) as pool:
                began = time.perf_counter()
                args = [(url, keyring, number, seconds) for number in range(1, processes + 1)]
                written = sum(pool.starmap(_run, args))
                took = time.perf_counter() - began
            lag = uvloop.run(_settle(url, keyring))
            rate = f"{written / seconds:,.0f} entries a second ({written:,} in {took:.1f} s)"
            sys.stdout.write(f"{processes} processes: {rate}, {lag}\n")


def _run(url: str, keyring: Path, number: int, seconds: float) -> int:
    return uvloop.run(_write(url, keyring, random.Random(number), seconds))


async def _write(url: str, keyring: Path, drawn: random.Random, seconds: float) -> int:
    database = await open_database(url)
    ledger = Ledger(database, JournalKeys(ShardKeys(database, LocalKeyring.open(keyring, None)), INDEX))
    if not seconds:
        await ledger.record_all(_entry(number) for number in range(DOSSIERS))
        await database.close()
        return 0
    sequencer = asyncio.create_task(sequence(database))
    end = time.perf_counter() + seconds
    written = 0

    async def call() -> None:
        nonlocal written
        while time.perf_counter() < end:
            await ledger.record(_entry(drawn.randrange(DOSSIERS)))
            written += 1

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    sequencer.cancel()
    await asyncio.wait({sequencer})
    await ledger.aclose()
    await database.close()
    return written


def _entry(number: int) -> Entry:
    """Of a dossier anywhere among the shards."""
    return replace(accessed(number), dossier=UUID(int=number << 108 | 1))


async def _settle(url: str, keyring: Path) -> str:
    """What was left to integrate, and whether all is right."""
    database = await open_database(url)
    began = time.perf_counter()
    left = await integrate_all(database)
    settled = time.perf_counter() - began
    keys = JournalKeys(ShardKeys(database, LocalKeyring.open(keyring, None)), INDEX)
    began = time.perf_counter()
    verdict = await verify_log(database, keys, ())
    took = time.perf_counter() - began
    await database.close()
    assert verdict.broken is None
    return f"{left:,} were left to integrate, {settled:.1f} s; {verdict.size / took:,.0f} verified a second"


if __name__ == "__main__":
    main()
