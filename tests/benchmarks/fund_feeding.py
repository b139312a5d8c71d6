"""How many lines a second the fund's feeds enter, with vault and journal, beside months written one by one.

`make bench` tells ratios. `python -m tests.benchmarks.fund_feeding [PERSONS]` tells figures, for each store and shape:
the months of two years sorted by person, one month sorted by person, one month shuffled, and what comes next.
"""

import asyncio
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import uvloop

from api.cli.deciding import uncounted
from api.identity import Caller, Client
from api.ndjson import Line
from api.parts import Parts, open_parts
from api.ruling import begin_rules
from api.schemas.feeds import FeedResult
from api.services.feeds import Feeding
from api.services.judging import Actor, Judging
from api.services.reimbursements import ReimbursementFeed
from api.services.treating_physicians import TreatingPhysicianFeed
from api.settings import Settings
from models.database import upgrade
from models.facts import Document
from models.identifiers import Ins
from models.importing import import_facts
from models.queries.documents import add_document
from models.vocabulary import Scope
from tests.benchmarks.frame import Work, benchmark
from tests.servers.minio import minio
from tests.servers.postgresql import postgresql
from vault.keys import Tree
from vault.local_keys import LocalKeyring

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
FUND, PHYSICIAN = "775685019", "10001234565"
CODES = ("G", "HBQK002", "AMI", "1234567")
LINES_A_MONTH = 8
MONTHS = 24
PERSONS = 20


@dataclass(frozen=True, slots=True)
class Fund:
    """Whatever a feed goes through, open."""

    parts: Parts
    reimbursements: ReimbursementFeed
    treating_physicians: TreatingPhysicianFeed
    actor: Actor

    async def know(self, persons: range) -> None:
        """Open dossiers."""
        secret = self.parts.secrets.pseudonym
        facts = (_encoded(kind="dossier", ins=ins_of(each), state="open", born="1960-05-12") for each in persons)
        seal = self.parts.dossier_keys.sealing()
        await import_facts(self.parts.database, lambda ins: ins.pseudonym(secret), facts, seal=seal)

    async def feed(self, lines: Sequence[bytes]) -> int:
        """How many were entered."""
        return await _entered(self.reimbursements.results(self.actor, _numbered(lines)))

    async def declare(self, lines: Sequence[bytes]) -> int:
        return await _entered(self.treating_physicians.results(self.actor, _numbered(lines)))

    async def write_one_by_one(self, person: int) -> None:
        """Months of a person as documents that are deposited each by itself."""
        dossier = Ins.parse(ins_of(person)).pseudonym(self.parts.secrets.pseudonym)
        vault = self.parts.documents
        for _ in range(MONTHS):
            document = Document(uuid4(), "REMB", self.actor.subject, NOW)
            content = _one(b"".join(lines_about(range(person, person + 1), months=1)))
            deposit = await vault.write(dossier, document.id, 1, "application/json", content)
            async with self.parts.database.begin() as connection:
                await add_document(connection, dossier, document)
                await vault.commit(connection, deposit, "Remboursements")


@asynccontextmanager
async def opened(url: str, vault: str, home: Path) -> AsyncGenerator[Fund]:
    """A fund's feed into an empty database, a vault and a journal."""
    LocalKeyring.create(home / "keys")
    settings = Settings(home, url, vault, f"file://{home / 'keys'}")
    async with open_parts(settings) as parts:
        await parts.shards.complete(Tree.DOSSIER)
        rules = await begin_rules(settings, parts, uncounted, NOW)
        judging = Judging(parts.database, rules, parts.ledger, lambda: NOW, uncounted)
        feeding = Feeding(parts.database, judging, parts.ledger, parts.secrets.pseudonym)
        fact = _encoded(kind="organization", id=FUND, type="insurance_fund", name="Fund")
        await import_facts(parts.database, lambda ins: ins.pseudonym(parts.secrets.pseudonym), [fact])
        actor = await feeding.fund(Caller(Client("fund", frozenset(Scope), organization=FUND), "request"))
        yield Fund(
            parts,
            ReimbursementFeed(
                parts.database, judging, parts.ledger, feeding, parts.small_documents, parts.secrets.pseudonym
            ),
            TreatingPhysicianFeed(parts.database, judging, parts.ledger, feeding),
            actor,
        )


def lines_about(persons: range, months: int, feed: int = 0) -> list[bytes]:
    """The lines of these persons, person by person, month by month, ending with this one."""
    last = NOW.year * 12 + NOW.month - 1
    return [
        _encoded(
            id=f"l-{feed}-{month}-{number}",
            ins=ins_of(person),
            care_date=f"{month // 12}-{month % 12 + 1:02}-{number + 1:02}",
            code=CODES[number % len(CODES)],
            label="Consultation au cabinet",
            amount="30.00",
            reimbursed="21.00",
            prescriber=PHYSICIAN,
        )
        for person in persons
        for month in range(last - months + 1, last + 1)
        for number in range(LINES_A_MONTH)
    ]


def ins_of(person: int) -> str:
    """Of nobody: there is no such year with such a place of birth."""
    body = f"1{person % 100:02}{person // 100 % 12 + 1:02}75{person // 1200 % 1000:03}{person // 1_200_000 + 1:03}"
    return f"{body}{97 - int(body) % 97:02}"


@contextmanager
def _feeding(url: str, vault: str, home: Path) -> Iterator[tuple[Work, Work]]:
    """Both sides write for people who are new each time."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        opening = opened(url, vault, home)
        fund = runner.run(opening.__aenter__())
        turns, persons = count(), PERSONS + 1
        runner.run(fund.know(range(60 * persons)))

        def together() -> int:
            first = next(turns) * persons
            return runner.run(fund.feed(lines_about(range(first, first + PERSONS), MONTHS)))

        def apart() -> None:
            runner.run(fund.write_one_by_one(next(turns) * persons))

        yield together, apart
        runner.run(opening.__aexit__(None, None, None))


@contextmanager
def _in_files() -> Iterator[tuple[str, str, Path]]:
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        url = server.create("benchmark")
        upgrade(url)
        yield url, f"file://{folder}/vault", Path(folder)


@contextmanager
def _on_minio() -> Iterator[tuple[str, str, Path]]:
    with _in_files() as (url, _, home), minio() as server:
        yield url, server.url("benchmark"), home


Ready = Callable[[], AbstractContextManager[tuple[str, str, Path]]]
STORES: Mapping[str, Ready] = {"files": _in_files, "MinIO": _on_minio}


def _history(ready: Ready) -> Iterator[tuple[Work, Work]]:
    with ready() as (url, vault, home), _feeding(url, vault, home) as works:
        yield works


for _store, _ready in STORES.items():
    benchmark(
        f"feed {MONTHS} months of {LINES_A_MONTH} lines, {_store}",
        subject="ReimbursementFeed, PostgreSQL",
        reference="the vault, one by one, without journal",
        pieces=(PERSONS * MONTHS, MONTHS),
    )(partial(_history, _ready))


async def _numbered(lines: Sequence[bytes]) -> AsyncGenerator[Line]:
    for number, each in enumerate(lines, 1):
        yield Line(number, each)


async def _one(content: bytes) -> AsyncGenerator[bytes]:
    yield content


async def _entered(results: AsyncGenerator[list[FeedResult]]) -> int:
    return sum([sum(each.ok for each in batch) async for batch in results])


def _encoded(**members: object) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


async def _tell(store: str, persons: int, url: str, vault: str, home: Path) -> None:
    async with opened(url, vault, home) as fund:
        old, month, mixed = range(persons // 16), range(persons, 2 * persons), range(2 * persons, 3 * persons)
        for each in (old, month, mixed):
            await fund.know(each)
        gc.collect()
        gc.freeze()  # as the service does
        shuffled = lines_about(mixed, 1)
        random.Random(0).shuffle(shuffled)
        declared = [_encoded(id=f"t-{each}", ins=ins_of(each), professional=PHYSICIAN) for each in (*month, *mixed)]
        for name, lines in (
            (f"{MONTHS} months, by person", lines_about(old, MONTHS)),
            ("the same again", lines_about(old, MONTHS)),
            ("a month, by person", lines_about(month, 1)),
            ("the same again", lines_about(month, 1)),
            ("more of that month", lines_about(month, 1, feed=1)),
            ("a month, shuffled", shuffled),
        ):
            await _timed(store, name, fund.feed(lines), len(lines))
        await _timed(store, "treating physicians", fund.declare(declared), len(declared))


async def _timed(store: str, name: str, feeding: Coroutine[object, object, int], lines: int) -> None:
    begin, worked = time.perf_counter(), time.process_time()
    entered = await feeding
    seconds, own = time.perf_counter() - begin, time.process_time() - worked
    print(f"{store:8} {name:24} {lines:8,} lines {lines / seconds:8,.0f} a second, {own / seconds:4.0%} of a core here")
    if entered != lines:
        raise AssertionError(f"{lines - entered} lines were refused")


def main() -> None:
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 8_000
    for store, ready in STORES.items():
        with ready() as (url, vault, home), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_tell(store, persons, url, vault, home))


if __name__ == "__main__":
    main()
