"""The "bouton DMP": a consultation day's persons in one request, on PostgreSQL with many dossiers, over the loopback.

`python -m tests.benchmarks.button [RUNS]` prints how long an answer takes to arrive, with the service in a process of
its own and one client that keeps its connection: half the persons of each request have a dossier, no two requests ask
about the same ones, and every answer is checked. `make bench` tells what asking together saves.
"""

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from itertools import count
from statistics import median
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from models.facts import Reference, Relation
from models.sheets import pack_ties
from models.vocabulary import RelationKind
from tests.benchmarks.frame import Work, benchmark
from tests.benchmarks.http_deciding import POPULATION, service
from tests.servers.postgresql import postgresql

DOSSIERS, PERSONS = 120_000, 500
REQUESTS, WARM_UP = 400, 50
PATH = "/v1/dossiers/exist"


@dataclass(frozen=True, slots=True)
class Button:
    """A practice's software: it asks on behalf of a physician."""

    connection: http.client.HTTPConnection
    headers: dict[str, str]
    numbers: Iterator[int]

    def ask(self, persons: int = PERSONS) -> float:
        """Ask about so many, half of whom have a dossier; seconds until the whole answer is there."""
        known = [next(self.numbers) % 2 == 0 for _ in range(persons)]
        asked = [_pseudonym(1 + next(self.numbers) % DOSSIERS if each else -next(self.numbers)) for each in known]
        body = msgspec.json.encode({"persons": asked})
        began = time.perf_counter()
        self.connection.request("POST", PATH, body, self.headers)
        answer = self.connection.getresponse().read()
        took = time.perf_counter() - began
        assert msgspec.json.decode(answer) == {"exist": known}, answer[:200]
        return took


@benchmark(
    f"HTTP, PostgreSQL: who of {PERSONS} has a dossier",
    subject=f"POST {PATH}, all at once",
    reference=f"POST {PATH}, one a request",
    pieces=(PERSONS, 20),
)
def asking() -> Iterator[tuple[Work, Work]]:
    with _button() as button:
        yield button.ask, lambda: [button.ask(1) for _ in range(20)]


def main(runs: int) -> None:
    with _button() as button:
        for _ in range(WARM_UP):
            button.ask()
        taken = [sorted(button.ask() for _ in range(REQUESTS)) for _ in range(runs)]
    half, most = ([1000 * run[int(share * REQUESTS)] for run in taken] for share in (0.5, 0.99))
    sys.stdout.write(
        f"{PERSONS} persons, {DOSSIERS + POPULATION.dossiers:,} dossiers, {runs} runs of {REQUESTS} requests: "
        f"p50 {median(half):.1f} ms, p99 {median(most):.1f} ms ({min(most):.1f} to {max(most):.1f})\n"
    )


@contextmanager
def _button() -> Iterator[Button]:
    with postgresql() as server:
        url = server.create("benchmark")
        with service(url, "dossiers") as (port, key):
            uvloop.run(_fill(url))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            physician = next(dossier.stranger for dossier in map(POPULATION.dossier, count()))
            headers = {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "DMP-Subject": f"professional/{physician}",
                "DMP-Authentication": "cps",
            }
            yield Button(connection, headers, count())
            connection.close()


async def _fill(url: str) -> None:
    """Open dossiers, each with somebody's treating physician."""
    connection = await asyncpg.connect(url)
    directory = await connection.fetch("SELECT rpps FROM professional ORDER BY rpps")
    kind, now = RelationKind.TREATING_PHYSICIAN, datetime.now(UTC)
    ties = [pack_ties([Relation(Reference("professional", row[0]), kind)], ()) for row in directory]
    dossiers = ((_pseudonym(n), "open", now, ties[n % len(ties)]) for n in range(1, DOSSIERS + 1))
    columns = ["id", "state", "state_since", "ties"]
    await connection.copy_records_to_table("dossier", records=dossiers, columns=columns)
    await connection.execute("ANALYZE")
    await connection.close()


def _pseudonym(number: int) -> UUID:
    """Of the dossier of this number; negative ones are nobody's."""
    return UUID(md5(str(number).encode(), usedforsecurity=False).hexdigest())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
