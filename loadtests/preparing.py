"""Everything that has to run before load is put on: the service with its population, its database and its store."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import click

from loadtests import plan
from loadtests.population import FUND, Population
from loadtests.population.clients import remove_clients
from loadtests.population.loading import RefusedError, refuse_another
from loadtests.processes import listening
from loadtests.service import dmp, environment_of, free_port, running_service, stop

_SCOPES = ("decide", "documents", "dossiers", "journal")
_DATABASE, _STORE = "DMP_DATABASE_URL", "DMP_VAULT_URL"
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to put load on. `seeded`: the environment's settings lead to a population that is there."""

    population: Population
    workers: int
    folder: Path
    seeded: bool = False
    postgresql: bool = False
    minio: bool = False
    slow: str | None = None
    slow_milliseconds: float = 50.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A service that answers, the keys of its clients, and the processes that carry it."""

    address: str
    key: str = field(repr=False)
    fund_key: str | None = field(repr=False)
    roots: Mapping[str, int]
    database_url: str | None = field(repr=False)
    home: Path | None
    told: str


@contextmanager
def prepared(wanted: Wanted) -> Iterator[Prepared]:
    """It all ends with the block. Raises RuntimeError, and UnavailableError where a server cannot be had."""
    with ExitStack() as stack:
        environment = _environment(wanted, stack)
        roots = _servers(environment)
        database_url = environment.get(_DATABASE)
        if wanted.seeded:
            _refuse_another(database_url, wanted.population)
        else:
            _import(environment, wanted.population)
        key, fund_key = _clients(environment, stack)
        if wanted.slow is not None:
            environment |= _delayed(environment, wanted, stack)
        log = wanted.folder / "serve.log"
        address, pid = stack.enter_context(running_service(environment, log, wanted.workers))
        told = f"{wanted.workers} worker{'s' if wanted.workers > 1 else ''}, {_told(environment)}"
        home = Path(environment["DMP_HOME"])
        yield Prepared(address, key, fund_key, {"service": pid, **roots}, database_url, home, told)


def _environment(wanted: Wanted, stack: ExitStack) -> dict[str, str]:
    if wanted.seeded:
        return dict(os.environ) | {"DMP_HOME": os.environ.get("DMP_HOME", "var")}
    given = {name: os.environ[name] for name in (_DATABASE, _STORE) if name in os.environ}
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dmp-loadtest-")))
    environment = environment_of(home)
    if wanted.postgresql:
        environment[_DATABASE] = given.get(_DATABASE) or _postgresql(stack)
    if wanted.minio:
        environment[_STORE] = given.get(_STORE) or _minio(stack)
    return environment


def _postgresql(stack: ExitStack) -> str:
    from tests.servers.postgresql import postgresql  # noqa: PLC0415 - only a checkout has servers of its own

    return stack.enter_context(postgresql()).create("loadtest")


def _minio(stack: ExitStack) -> str:
    from tests.servers.minio import minio  # noqa: PLC0415 - as above

    return stack.enter_context(minio()).url("loadtest")


def _servers(environment: Mapping[str, str]) -> Mapping[str, int]:
    """Processes of this machine that listen where the settings lead."""
    found = {
        name: listening(port)
        for name, variable in (("PostgreSQL", _DATABASE), ("MinIO", _STORE))
        if (port := urlsplit(environment.get(variable, "")).port)
    }
    return {name: pid for name, pid in found.items() if pid is not None}


def _import(environment: Mapping[str, str], population: Population) -> None:
    dmp(environment, "init")
    with tempfile.TemporaryDirectory(prefix="dmp-loadtest-") as folder:
        facts = Path(folder) / "population.ndjson"
        population.write(facts)
        dmp(environment, "import", str(facts))


def _refuse_another(database_url: str | None, population: Population) -> None:
    """Asked of another population, every answer would be wrong."""
    if database_url is None:
        raise RuntimeError(f"--seeded needs {_DATABASE}: of a PostgreSQL that `dmp-loadtest seed` filled")
    try:
        asyncio.run(refuse_another(database_url, population))
    except RefusedError as error:
        msg = f"--seeded with --dossiers {population.dossiers} --seed {population.seed}: {error}"
        raise RuntimeError(msg) from None


def _clients(environment: Mapping[str, str], stack: ExitStack) -> tuple[str, str]:
    """A name stands once, and a database may have been under load before. They go when the service has ended."""
    name = f"loadtest-{datetime.now(UTC):%Y%m%d%H%M%S}"
    if _DATABASE in environment:
        stack.callback(_remove_clients, environment[_DATABASE], (name, f"{name}-fund"))
    key = dmp(environment, "client", "add", name, *(f"--scope={scope}" for scope in _SCOPES))
    fund = dmp(environment, "client", "add", f"{name}-fund", "--scope=feeds", f"--organization={FUND}")
    return key, fund


def _remove_clients(database_url: str, names: Sequence[str]) -> None:
    if not asyncio.run(remove_clients(database_url, names)):
        click.echo(f"the clients {' and '.join(names)} stay in the database: it does not answer", err=True)


def _delayed(environment: Mapping[str, str], wanted: Wanted, stack: ExitStack) -> Mapping[str, str]:
    """The setting by which the service reaches a dependency through what can make it late."""
    variable = _DATABASE if wanted.slow == "database" else _STORE
    url = urlsplit(environment.get(variable, ""))
    if not url.port:
        msg = f"a slow {wanted.slow} needs one that is reached over the network: --postgres, --minio or {variable}"
        raise RuntimeError(msg)
    port, flag = free_port(), wanted.folder / f"measured{plan.SLOW}"
    flag.unlink(missing_ok=True)
    target, milliseconds = f"{url.hostname}:{url.port}", str(wanted.slow_milliseconds)
    process = subprocess.Popen(  # noqa: S603 - our own program, with arguments of ours
        [sys.executable, "-m", "loadtests.delaying", str(port), target, str(flag), milliseconds],
        stdin=subprocess.DEVNULL,
    )
    stack.callback(stop, process, f"what delays the {wanted.slow}", _STOP_SECONDS)
    account = url.netloc.rpartition("@")[0]
    there = f"{account}@127.0.0.1:{port}" if account else f"127.0.0.1:{port}"
    return {variable: urlunsplit(url._replace(netloc=there))}


def _told(environment: Mapping[str, str]) -> str:
    database = "PostgreSQL" if _DATABASE in environment else "SQLite"
    store = "documents in MinIO" if environment.get(_STORE, "").startswith("s3") else "documents in files"
    return f"{database}, {store}"
