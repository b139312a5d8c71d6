"""Does it pay to partition the dossiers by hash on one server? `python -m tests.benchmarks.partitioned [DOSSIERS]`.

The hot statement, for 32 dossiers and for one, on a table and on the same rows in 16 partitions, by turns; and how long
the upkeep of all rows takes. On a server of its own; 0.9 GB of disk for a million dossiers. Not part of `make bench`.
"""

import asyncio
import sys
import time
from hashlib import md5
from random import Random
from uuid import UUID

import asyncpg

from models.queries.statements import DOCUMENTS, Keys, facts_statement, values_of
from tests.benchmarks.frame import measure
from tests.servers.postgresql import postgresql

PARTITIONS = 16
_NEEDS = frozenset({"dossier", DOCUMENTS})
_COLUMNS = """
    id uuid PRIMARY KEY, state text NOT NULL DEFAULT 'open', born date, protected boolean NOT NULL DEFAULT false,
    care_team_consent boolean NOT NULL DEFAULT false, refuses_break_glass boolean NOT NULL DEFAULT false,
    refuses_centre_15 boolean NOT NULL DEFAULT false, masked_in_emergency boolean NOT NULL DEFAULT false,
    ties bytea, documents bytea
"""


def main(dossiers: int) -> None:
    with postgresql() as server, asyncio.Runner() as runner:
        url = server.create("partitions")
        parted, whole = (runner.run(_filled(url, partitions, dossiers)) for partitions in (PARTITIONS, 0))
        for upkeep in ("VACUUM (FREEZE, ANALYZE) dossier", "REINDEX TABLE dossier", "CHECKPOINT"):
            took = [_timed(runner, each, upkeep) for each in (parted, whole)]
            print(f"{upkeep}: {PARTITIONS} partitions {took[0]:.1f} s, one table {took[1]:.1f} s", flush=True)
        for at_once in (32, 1):
            _compare(runner, parted, whole, dossiers, at_once)


def _compare(
    runner: asyncio.Runner, parted: asyncpg.Connection, whole: asyncpg.Connection, dossiers: int, at_once: int
) -> None:
    numbers = Random(1)
    found = measure(
        lambda: runner.run(_look(parted, numbers, dossiers, at_once)),
        lambda: runner.run(_look(whole, numbers, dossiers, at_once)),
        pieces=(at_once, at_once),
    )
    print(
        f"{at_once} of {dossiers:,} looked up: {PARTITIONS} partitions {found.subject * 1e6:.1f} µs each, "
        f"one table {found.reference * 1e6:.1f} µs, ratio {found.ratio:.2f}",
        flush=True,
    )


async def _filled(url: str, partitions: int, dossiers: int) -> asyncpg.Connection:
    """A connection that sees one of the two tables, filled with rows of the size that dossiers have."""
    connection = await asyncpg.connect(url, command_timeout=3600)
    await connection.execute(f"CREATE SCHEMA in_{partitions}; SET search_path TO in_{partitions}")
    await connection.execute(f"CREATE TABLE dossier ({_COLUMNS}){' PARTITION BY HASH (id)' if partitions else ''}")
    for part in range(partitions):
        await connection.execute(
            f"CREATE TABLE dossier_{part} PARTITION OF dossier FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        )
    await connection.execute(
        "INSERT INTO dossier (id, ties, documents) SELECT md5(n::text)::uuid, "
        "decode(repeat(md5(n::text), 5), 'hex'), decode(repeat(md5(n::text), 28), 'hex') "
        f"FROM generate_series(0, {dossiers - 1}) AS n"
    )
    return connection


async def _look(connection: asyncpg.Connection, numbers: Random, dossiers: int, at_once: int) -> None:
    keys = [Keys(dossier=_identity(numbers.randrange(dossiers))) for _ in range(at_once)]
    rows = await connection.fetch(facts_statement(_NEEDS, at_once), *values_of(_NEEDS, keys))
    assert len(rows) == at_once


def _timed(runner: asyncio.Runner, connection: asyncpg.Connection, statement: str) -> float:
    began = time.perf_counter()
    runner.run(connection.execute(statement))
    return time.perf_counter() - began


def _identity(number: int) -> UUID:
    return UUID(bytes=md5(str(number).encode(), usedforsecurity=False).digest())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
