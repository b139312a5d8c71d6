"""What sharing a commit saves when many accesses are written down at once, on each engine."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import uvloop

from models.database import open_database, upgrade
from models.facts import Reference
from tests.benchmarks.frame import Work, benchmark
from tests.servers.postgresql import postgresql
from tests.vault.journal.shards import fixed_keys
from vault.journal.entry import Entry
from vault.journal.ledger import Ledger

CALLERS = 200
SUBJECT = "Ledger.record"
REFERENCE = "a commit for each"


@benchmark(f"write down {CALLERS} accesses at once, SQLite", subject=SUBJECT, reference=REFERENCE)
def on_sqlite() -> Iterator[tuple[Work, Work]]:
    with tempfile.TemporaryDirectory() as folder, _writing(f"sqlite:///{folder}/dmp.sqlite") as works:
        yield works


@benchmark(f"write down {CALLERS} accesses at once, PostgreSQL", subject=SUBJECT, reference=REFERENCE)
def on_postgresql() -> Iterator[tuple[Work, Work]]:
    with postgresql() as server, _writing(server.create("benchmark")) as works:
        yield works


@contextmanager
def _writing(url: str) -> Iterator[tuple[Work, Work]]:
    upgrade(url)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        database = runner.run(open_database(url))
        ledger = Ledger(database, fixed_keys())
        entries = [accessed(number) for number in range(CALLERS)]

        async def commit(entry: Entry) -> None:
            async with database.begin() as connection:
                await ledger.append(connection, [entry])

        async def together() -> None:
            await asyncio.gather(*map(ledger.record, entries))

        async def apart() -> None:
            await asyncio.gather(*map(commit, entries))

        yield lambda: runner.run(together()), lambda: runner.run(apart())
        runner.run(ledger.aclose())
        runner.run(database.close())


def accessed(number: int) -> Entry:
    return Entry(
        at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        dossier=UUID(int=number + 1),
        subject=Reference("professional", "10001234565"),
        action="document:read",
        resource=Reference("document", str(UUID(int=number))),
        allowed=True,
        rule="care-team",
        revision="5f" * 32,
        client="viewer",
        request_id=f"r-{number}",
        authentication="cps",
        organization="750000002",
        obligations=("write_down",),
        situation=("document:read", "physician", "normal", "open", "current", "in_care_team", "habilitated"),
    )
