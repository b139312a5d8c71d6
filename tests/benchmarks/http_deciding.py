"""Decisions a second over HTTP, on each engine: one worker, loopback, 32 connections, the client in its own process.

The reference is the same client, with the same requests, on an application that decides nothing: what is above it is
ours. Facts are those of a synthetic population, and every answer is checked against it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import httpx
import msgspec

from loadtests.drawing import Source
from loadtests.population import Population
from loadtests.questions import Asked, anybody, batch, of_one_dossier
from tests.benchmarks.frame import Work, benchmark
from tests.benchmarks.http_client import Exchange
from tests.servers.postgresql import postgresql
from tests.servers.processes import free_port, running

POPULATION = Population(500)
CONNECTIONS = 32
BATCH = 50
SINGLE, BATCHED = "/access/v1/evaluation", "/access/v1/evaluations"

_REQUESTS = {SINGLE: 640, BATCHED: 64}
_PIECES = {SINGLE: (640, 640), BATCHED: (64 * BATCH, 64)}
_WHAT = {SINGLE: "single", BATCHED: f"in batches of {BATCH}"}


def _declare(engine: str, path: str, *, dry_run: bool) -> None:
    @benchmark(
        f"HTTP, {engine}: a decision, {'dry run' if dry_run else 'journaled'}, {_WHAT[path]}",
        subject=f"POST {path}",
        reference="bare ASGI, a request",
        pieces=_PIECES[path],
    )
    def deciding() -> Iterator[tuple[Work, Work]]:
        with ExitStack() as stack:
            url = stack.enter_context(postgresql()).create("benchmark") if engine == "PostgreSQL" else None
            port, key = stack.enter_context(service(url))
            other = stack.enter_context(bare())
            posts = [post(path, number, dry_run=dry_run) for number in range(_REQUESTS[path])]
            constant = [(body, [True]) for body, _ in posts]
            yield (
                stack.enter_context(client(Exchange(port, path, key, CONNECTIONS, posts))),
                stack.enter_context(client(Exchange(other, path, key, CONNECTIONS, constant))),
            )


for _engine in ("SQLite", "PostgreSQL"):
    for _path in (SINGLE, BATCHED):
        for _dry_run in (True, False):
            _declare(_engine, _path, dry_run=_dry_run)


@contextmanager
def service(database_url: str | None, scope: str = "decide") -> Iterator[tuple[int, str]]:
    """The service on an imported population: its port, and the key of a client of that scope."""
    with tempfile.TemporaryDirectory(prefix="dmp-benchmark-") as folder:
        home = Path(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DMP_")}
        environment = kept | {"DMP_HOME": str(home)} | ({"DMP_DATABASE_URL": database_url} if database_url else {})
        POPULATION.write(home / "population.ndjson")
        _dmp(environment, "init")
        _dmp(environment, "import", str(home / "population.ndjson"))
        key = _dmp(environment, "client", "add", "benchmark", f"--scope={scope}")
        port = free_port()
        command = [sys.executable, "-m", "api.cli.main", "serve", f"--port={port}"]
        with running(
            command, log=home / "log", answers=lambda: _answers(port, "/health/ready"), environment=environment
        ):
            yield port, key


@contextmanager
def bare() -> Iterator[int]:
    """The port of an application that decides nothing."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.http_bare:app", f"--port={port}"]
    command += ["--http=httptools", "--loop=uvloop", "--lifespan=off", "--no-access-log"]
    root = str(Path(__file__).parents[2])
    with (
        tempfile.TemporaryDirectory(prefix="dmp-benchmark-") as folder,
        running(
            command,
            log=Path(folder) / "log",
            answers=lambda: _answers(port, "/"),
            environment=os.environ | {"PYTHONPATH": root},
        ),
    ):
        yield port


@contextmanager
def client(exchange: Exchange) -> Iterator[Callable[[], None]]:
    """What sends all of the exchange once. Raises AssertionError on a wrong answer."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.http_client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told, heard = process.stdin, process.stdout
        told.write(msgspec.json.encode(exchange) + b"\n")

        def send() -> None:
            told.write(b"\n")
            answer = heard.readline().decode().strip()
            assert answer == "right", answer

        yield send
        told.close()


def post(path: str, number: int, *, dry_run: bool) -> tuple[str, list[bool]]:
    """The body of the request of that number, and the decisions that its answer must hold."""
    source = Source(POPULATION, Random(number))
    if path == SINGLE:
        asked = anybody(source)
        return _written(asked.body(dry_run=dry_run)), [asked.expected]
    many: list[Asked] = of_one_dossier(source, BATCH)
    return _written(batch(many, dry_run=dry_run)), [each.expected for each in many]


def _written(body: Mapping[str, object]) -> str:
    """Without spaces, as most programs write it."""
    return json.dumps(body, separators=(",", ":"))


def _dmp(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "api.cli.main", *arguments]
    done = subprocess.run(  # noqa: S603 - our own command line, with arguments of ours
        command, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}").is_success
    except httpx.TransportError:
        return False
