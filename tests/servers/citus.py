"""A Citus cluster on this machine: a coordinator that holds no dossier, and workers that hold them all.

Citus is used where it is installed beside the PostgreSQL that `tests.servers.postgresql` finds, and fetched from
nowhere. All nodes have one owner and one password, and a file from which each takes it to speak to the others.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.servers.errors import UnavailableError
from tests.servers.postgresql import (
    USER,
    Initialised,
    PostgresqlServer,
    initialised,
    obtain,
    started,
)
from tests.servers.processes import PATIENCE

WORKERS = 2
SHARDS = 4
"""Of each table, and few: a test has a database of its own, in which each shard is some files."""

_EMPTY = "knows_its_nodes"
_SETTINGS = {
    "shared_preload_libraries": "citus",
    "max_connections": "300",
    "max_prepared_transactions": "300",
    "max_worker_processes": "200",
    "citus.node_conninfo": "sslmode=disable",
    "citus.shard_count": str(SHARDS),
    "citus.recover_2pc_interval": "1s",
    "citus.enable_statistics_collection": "off",
}


@dataclass(slots=True)
class Node:
    """One PostgreSQL of the cluster, which can be killed and started again."""

    made: Initialised
    _running: ExitStack = field(default_factory=ExitStack)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def server(self) -> PostgresqlServer:
        return self.made.server

    def start(self) -> None:
        """Returns once it takes connections."""
        file = self.made.folder / "passwords"
        if not file.exists():
            file.write_text(f"*:*:*:{USER}:{self.server.password}\n")
            file.chmod(0o600)
            if self.made.owner:
                os.chown(file, *self.made.owner)
        self._process = self._running.enter_context(started(self.made, _SETTINGS, PGPASSFILE=str(file)))

    def kill(self) -> None:
        """As if its power failed: nobody is told anything, and it recovers from its log when it is started again."""
        if self._process is None:
            raise AssertionError("a node is started before it is killed")
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self.stop()

    def stop(self) -> None:
        self._process = None
        self._running.close()


@dataclass(frozen=True, slots=True)
class CitusServer(PostgresqlServer):
    """The coordinator, through which a cluster is what one server is; databases are made on every node."""

    coordinator: Node
    workers: Sequence[Node]

    def create(self, database: str, template: str = _EMPTY) -> str:
        """A new database, a copy of the template on every node. Answers with its URL."""
        # Workers first: the coordinator's processes look for theirs.
        for node in (*self.workers, self.coordinator):
            _copy(node.server, database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        # The coordinator last: it ends what it had prepared on a worker, whose database would stay in use.
        for node in (*self.workers, self.coordinator):
            _unless_in_use(partial(node.server.drop, database))


def find(programs: Path) -> Path:
    """Citus' library beside these programs. Raises UnavailableError."""
    asked = shutil.which("pg_config", path=programs)
    told = subprocess.run([asked, "--pkglibdir"], check=True, capture_output=True, text=True).stdout if asked else ""
    library = (Path(told.strip()) if told else programs.parent / "lib") / "citus.so"
    if not library.exists():
        raise UnavailableError(f"there is no {library}")
    return library


@contextmanager
def citus(programs: Path | None = None) -> Iterator[CitusServer]:
    """A cluster of its own in temporary folders. Raises UnavailableError where Citus is not installed."""
    programs = programs or obtain()
    find(programs)
    password = secrets.token_hex(16)
    with ExitStack() as stack:
        nodes = [Node(stack.enter_context(initialised(programs, password))) for _ in range(1 + WORKERS)]
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        coordinator, *workers = nodes
        one = coordinator.server
        version = f"{one.version}, a Citus coordinator and {WORKERS} workers"
        made = CitusServer(one.port, one.password, version, one.programs, coordinator, workers)
        _introduce(made)
        yield made


def _introduce(made: CitusServer) -> None:
    """Make the database in which the nodes know each other."""
    for node in (made.coordinator, *made.workers):
        node.server.create(_EMPTY)
        node.server.execute("CREATE EXTENSION citus", _EMPTY)
    port = made.coordinator.server.port
    made.coordinator.server.execute(f"SELECT citus_set_coordinator_host('127.0.0.1', {port})", _EMPTY)
    for node in made.workers:
        made.coordinator.server.execute(f"SELECT citus_add_node('127.0.0.1', {node.server.port})", _EMPTY)


def _copy(server: PostgresqlServer, database: str, template: str) -> None:
    """A template in use cannot be copied."""

    def copy() -> None:
        server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{template}'")
        server.create(database, template)

    _unless_in_use(copy)


def _unless_in_use(act: Callable[[], object]) -> None:
    """Tried again while a database is in use: Citus comes back to each that it knows."""
    from asyncpg import ObjectInUseError  # noqa: PLC0415 -- servers are obtained before anything is installed

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            act()
        except ObjectInUseError:
            if time.monotonic() > deadline:
                raise
        else:
            return
