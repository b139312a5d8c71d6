"""What the hot path of the database saves, on each engine."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select

from models.database import open_database, upgrade
from models.tables import dossier
from tests.benchmarks.frame import Work, benchmark
from tests.servers.postgresql import postgresql

SUBJECT = "Database.read, prepared"
REFERENCE = "SQLAlchemy Core, connected"
NOBODY = UUID(int=1)


@benchmark("read one dossier by its key, SQLite", subject=SUBJECT, reference=REFERENCE)
def on_sqlite() -> Iterator[tuple[Work, Work]]:
    with tempfile.TemporaryDirectory() as folder, _reading(f"sqlite:///{folder}/dmp.sqlite") as works:
        yield works


@benchmark("read one dossier by its key, PostgreSQL", subject=SUBJECT, reference=REFERENCE)
def on_postgresql() -> Iterator[tuple[Work, Work]]:
    with postgresql() as server, _reading(server.create("benchmark")) as works:
        yield works


@contextmanager
def _reading(url: str) -> Iterator[tuple[Work, Work]]:
    upgrade(url)
    with asyncio.Runner() as runner:
        database = runner.run(open_database(url))

        async def hot() -> None:
            await database.read("SELECT id, state, state_since, born FROM dossier WHERE id = $1::uuid", NOBODY)

        async def cold() -> None:
            wanted = select(dossier.c.id, dossier.c.state, dossier.c.state_since, dossier.c.born)
            async with database.connect() as connection:
                (await connection.execute(wanted.where(dossier.c.id == NOBODY))).all()

        yield lambda: runner.run(hot()), lambda: runner.run(cold())
        runner.run(database.close())
