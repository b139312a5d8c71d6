"""MinIO, built from its last sources and kept in the user's cache.

The community project is archived; its last tag lacks a fix of the conditional PUT on which deposits rely, so the
last commit is built. That takes two to three minutes, once for a user.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.servers import cache
from tests.servers.errors import UnavailableError
from tests.servers.processes import free_port, running

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
MODULE = f"github.com/minio/minio@{VERSION}"
GO_LOCK = Path(__file__).parents[2] / "requirements" / "go.txt"
"""The Go toolchain as a Python package, for a machine without Go."""


@dataclass(frozen=True, slots=True)
class MinioServer:
    """A store that listens on the loopback interface, and the keys to all of it."""

    address: str
    access_key: str
    secret_key: str = field(repr=False)
    version: str = VERSION
    drives: tuple[Path, ...] = ()

    def url(self, bucket: str) -> str:
        return f"s3://{self.access_key}:{self.secret_key}@{self.address}/{bucket}?secure=false"


def obtain() -> Path:
    """The program, built now if this user has never built it. Raises UnavailableError."""
    return cache.kept(f"minio-{VERSION}", _build, cache.folder())


@contextmanager
def minio(*, drives: int = 1) -> Iterator[MinioServer]:
    """A store of its own in a temporary folder; four drives or more make it erasure-coded."""
    program = obtain()
    with tempfile.TemporaryDirectory(prefix="dmp-minio-") as temporary:
        folder = Path(temporary)
        paths = new_drives(folder, drives)
        server = new_server(f"127.0.0.1:{free_port()}", paths)
        command = [str(program), "server", "--address", server.address, *map(str, paths)]
        with running(
            command, log=folder / "log", answers=lambda: judges(server.address), environment=settings(server, folder)
        ):
            yield server


def new_drives(folder: Path, count: int) -> tuple[Path, ...]:
    """Empty folders."""
    paths = tuple(folder / f"drive{number}" for number in range(1, count + 1))
    for path in paths:
        path.mkdir()
    return paths


def new_server(address: str, drives: tuple[Path, ...]) -> MinioServer:
    """With keys that nobody else has."""
    return MinioServer(address, secrets.token_hex(8), secrets.token_hex(16), drives=drives)


def settings(server: MinioServer, home: Path) -> dict[str, str]:
    """Of a process of this store."""
    variables = {
        "HOME": str(home),
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
    }
    if len(server.drives) > 1:
        variables["MINIO_CI_CD"] = "1"  # lets several drives share one disk
    return variables


def judges(address: str) -> bool:
    """Whether it judges requests: one without keys is refused. Its health checks say yes a little too early."""
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 403
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _build(workshop: Path) -> Path:
    environment = os.environ | {
        "GOBIN": str(workshop / "bin"),
        "GOMODCACHE": str(workshop / "modules"),
        "GOCACHE": str(workshop / "objects"),
        "GOFLAGS": "-modcacherw -trimpath -buildvcs=false",
    }
    _run([_go(workshop), "install", "-ldflags=-s -w", MODULE], environment, workshop)
    return workshop / "bin" / "minio"


def _go(workshop: Path) -> str:
    if present := shutil.which("go"):
        return present
    environment = workshop / "go"
    _run([sys.executable, "-m", "venv", str(environment)], os.environ, workshop)
    python = str(environment / "bin" / "python")
    _run([python, "-m", "pip", "install", "--require-hashes", "--requirement", str(GO_LOCK)], os.environ, workshop)
    return str(environment / "bin" / "go")


def _run(command: list[str], environment: Mapping[str, str], workshop: Path) -> None:
    try:
        subprocess.run(
            command, env=environment, cwd=workshop, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no message"]
        raise UnavailableError(f"{' '.join(command[:3])} failed: {last[0]}") from error
