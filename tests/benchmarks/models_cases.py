"""What a case costs beside the cheapest round trip to the same database."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from models.database import open_database, upgrade
from models.facts import Reference
from models.queries import fetch_case, fetch_cases
from models.queries.documents import add_document
from tests.benchmarks.frame import Work, benchmark
from tests.models import world
from tests.models.world import ALICE, JULIE, professional, question
from tests.servers.postgresql import postgresql

REFERENCE = "SELECT of a constant"
BATCH = 64


@benchmark("one case, SQLite", subject="fetch_case", reference=REFERENCE)
def one_on_sqlite() -> Iterator[tuple[Work, Work]]:
    with tempfile.TemporaryDirectory() as folder, _asking(f"sqlite:///{folder}/dmp.sqlite", 1) as works:
        yield works


@benchmark("one case, PostgreSQL", subject="fetch_case", reference=REFERENCE)
def one_on_postgresql() -> Iterator[tuple[Work, Work]]:
    with postgresql() as server, _asking(server.create("benchmark"), 1) as works:
        yield works


@benchmark(f"{BATCH} cases at once, PostgreSQL", subject="fetch_cases", reference=f"{BATCH} × {REFERENCE}")
def many_on_postgresql() -> Iterator[tuple[Work, Work]]:
    with postgresql() as server, _asking(server.create("benchmark"), BATCH) as works:
        yield works


@contextmanager
def _asking(url: str, number: int) -> Iterator[tuple[Work, Work]]:
    upgrade(url)
    document = world.document(1)
    asked = question(professional(JULIE), Reference("document", str(document.id)))
    with asyncio.Runner() as runner:
        database = runner.run(open_database(url))

        async def settle() -> None:
            await world.settle(database)
            async with database.begin() as connection:
                await add_document(connection, ALICE, document)

        async def cases() -> None:
            if number == 1:
                await fetch_case(database, asked)
            else:
                await fetch_cases(database, [asked] * number)

        async def trips() -> None:
            for _ in range(number):
                await database.read("SELECT 1")

        runner.run(settle())
        yield lambda: runner.run(cases()), lambda: runner.run(trips())
        runner.run(database.close())
