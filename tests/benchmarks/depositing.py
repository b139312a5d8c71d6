"""What a deposit over HTTP costs, and an opening, beside bare storing of the same bytes and a bare row for each.

`python -m tests.benchmarks.depositing [SECONDS] [STORE]` prints for each store, on PostgreSQL, one at a time and 16 at
once: how many a second, and milliseconds of processor time of the service for each. Service, database, store and client
share the machine. `make bench` holds one deposit at a time to its reference.
"""

import asyncio
import http.client
import json
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import count
from pathlib import Path

import asyncpg
import psutil
from minio import Minio

from loadtests.forms import CONTENT_TYPE, PDF, Deposit, form
from models.database import upgrade
from tests.benchmarks.frame import Work, benchmark
from tests.benchmarks.fund_feeding import ins_of
from tests.benchmarks.record_copy import HOSPITAL, archive
from tests.servers.minio import MinioServer, minio
from tests.servers.postgresql import postgresql
from vault.durable_files import create

DOSSIERS, AT_ONCE = 100, 16
SIZES = {"10 kB": 10_000, "1 MB": 1_000_000}
STORES = ("files", "MinIO")
BUCKET = "benchmark"

Do = Callable[[int], object]
"""One piece of work, by its number; of several threads."""

Placed = tuple[str, str]
"""A dossier, and a document there."""


@dataclass(slots=True)
class Service:
    """A service of its own, some dossiers, and what was deposited there."""

    address: str
    process: psutil.Process
    headers: Mapping[str, str]
    dossiers: list[str]
    documents: list[Placed]
    _lines: threading.local
    _opened: ExitStack

    def deposit(self, body: bytes, number: int) -> None:
        dossier = self.dossiers[number % DOSSIERS]
        told = self._asked("POST", f"/v1/dossiers/{dossier}/documents", 201, f"organization/{HOSPITAL}", body)
        self.documents.append((dossier, json.loads(told)["id"]))

    def open(self, documents: list[Placed], number: int) -> None:
        dossier, document = documents[number % len(documents)]
        self._asked("GET", f"/v1/documents/{document}/content", 200, f"person/{dossier}")

    def _asked(self, method: str, path: str, expected: int, subject: str, body: bytes | None = None) -> bytes:
        line = getattr(self._lines, "line", None)
        if line is None:
            fresh = http.client.HTTPConnection(self.address, timeout=60)
            line = self._lines.line = self._opened.enter_context(closing(fresh))
        line.request(method, path, body, {**self.headers, "DMP-Subject": subject})
        answer = line.getresponse()
        content: bytes = answer.read()
        if answer.status != expected:
            raise AssertionError(content[:500])
        return content

    def spent(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(slots=True)
class Bare:
    """The same bytes into the same kind of store by what the service itself uses there, and a row by the driver."""

    pool: asyncpg.Pool
    loop: asyncio.AbstractEventLoop
    put: Callable[[str, bytes], object]

    def store(self, content: bytes, number: int) -> None:
        name = secrets.token_hex(16)
        self.put(name, content)
        row = self.pool.execute("INSERT INTO kept VALUES ($1, $2)", name, number)
        asyncio.run_coroutine_threadsafe(row, self.loop).result()


def _deposits(store: str, size: int) -> Iterator[tuple[Work, Work]]:
    with both(store) as (service, bare):
        body, content = _form(size), _content(size)
        numbers = count()
        yield lambda: service.deposit(body, next(numbers)), lambda: bare.store(content, next(numbers))


for _store in STORES:
    for _name, _size in SIZES.items():
        benchmark(
            f"HTTP, a deposit of {_name}, PostgreSQL and {_store}",
            subject="POST .../documents",
            reference="storing, and a row",
        )(partial(_deposits, _store, _size))


@contextmanager
def both(store: str) -> Iterator[tuple[Service, Bare]]:
    """A service on PostgreSQL and such a store, and what it is compared with on the same two."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as database:
        url, plain = database.create("benchmark"), database.create("plain")
        upgrade(url)
        if store == "files":
            with _served({"DMP_DATABASE_URL": url}) as service, _bare(plain, partial(_write, Path(folder))) as bare:
                yield service, bare
            return
        with minio() as server:
            variables = {"DMP_DATABASE_URL": url, "DMP_VAULT_URL": server.url(BUCKET)}
            with _served(variables) as service, _bare(plain, partial(_send, _client(server))) as bare:
                yield service, bare


@contextmanager
def _served(variables: Mapping[str, str]) -> Iterator[Service]:
    people = [ins_of(number) for number in range(DOSSIERS)]
    facts = [{"kind": "dossier", "ins": ins, "state": "open", "born": "1960-05-12"} for ins in people]
    with archive(variables, facts) as made, ExitStack() as opened:
        headers = {
            "Authorization": made.http.headers["authorization"],
            "DMP-Authentication": "cps",
            "Content-Type": CONTENT_TYPE,
        }
        ids = [
            made.http.post("/v1/identities", json={"ins": ins}).raise_for_status().json()["person"] for ins in people
        ]
        base = made.http.base_url
        address, process = f"{base.host}:{base.port}", psutil.Process(made.process)
        service = Service(address, process, headers, ids, [], threading.local(), opened)
        for number in range(DOSSIERS):  # the first in a dossier makes its journal's key
            service.deposit(_form(1_000), number)
        yield service


@contextmanager
def _bare(url: str, put: Callable[[str, bytes], object]) -> Iterator[Bare]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def opened() -> asyncpg.Pool:
        pool = await asyncpg.create_pool(url, min_size=1, max_size=AT_ONCE)
        await pool.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, number INTEGER)")
        return pool

    pool = asyncio.run_coroutine_threadsafe(opened(), loop).result()
    try:
        yield Bare(pool, loop, put)
    finally:
        asyncio.run_coroutine_threadsafe(pool.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _write(folder: Path, name: str, content: bytes) -> None:
    create(folder / name, content)


def _send(client: Minio, name: str, content: bytes) -> None:
    client.put_object(BUCKET, f"bare/{name}", BytesIO(content), len(content))


def _client(server: MinioServer) -> Minio:
    return Minio(server.address, server.access_key, server.secret_key, secure=False)


def _content(size: int) -> bytes:
    return PDF + secrets.token_bytes(size - len(PDF))


def _form(size: int) -> bytes:
    return form([Deposit("18748-4", _content(size))])


def _told(what: str, do: Do, seconds: float, at_once: int, spent: Callable[[], float]) -> float:
    """Prints and gives how many a second."""
    numbers, end = count(), time.perf_counter() + seconds

    def work() -> int:
        done = 0
        while time.perf_counter() < end:
            do(next(numbers))
            done += 1
        return done

    before, begin = spent(), time.perf_counter()
    with ThreadPoolExecutor(at_once) as threads:
        working = [threads.submit(work) for _ in range(at_once)]
    done, took = sum(each.result() for each in working), time.perf_counter() - begin
    cost = (spent() - before) / done * 1e3
    print(f"{what:32} {at_once:2} at once {done / took:7,.0f} a second {cost:7.2f} ms", flush=True)
    return done / took


def main(seconds: float, stores: list[str]) -> None:
    for store in stores or STORES:
        with both(store) as (service, bare):
            for name, size in SIZES.items():
                for at_once in (1, AT_ONCE):
                    body, content, before = _form(size), _content(size), len(service.documents)
                    kept = _told(
                        f"{store}, deposit {name}", partial(service.deposit, body), seconds, at_once, service.spent
                    )
                    own = time.process_time
                    plain = _told(f"{store}, bare {name}", partial(bare.store, content), seconds, at_once, own)
                    documents = service.documents[before:]
                    _told(f"{store}, open {name}", partial(service.open, documents), seconds, at_once, service.spent)
                    print(f"{'':32} {plain / kept:.1f} times what is bare", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0, sys.argv[2:])
