"""ClamAV's daemon as Debian builds it: from the system, else from Debian's packages, unpacked into the user's cache.

It knows two harmless signatures of its own database, so that nothing is downloaded but the program.
"""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import cache, debian
from tests.servers.errors import UnavailableError
from tests.servers.processes import free_port, running

DAEMON = "clamav-daemon"
PROGRAM = "usr/sbin/clamd"
SIGNATURE = "Dmp.Test.Marker"
MARKER = b"the marker that the tests' signature finds"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The file by which antivirus programs are tried (EICAR, 2003). It does nothing."""

LIMIT = 1024 * 1024
"""Of what the daemon takes, in bytes."""

_RARE = ("libmspack", "libjson-c", "libpcre2-8-")
_SIGNATURES = {
    "dmp.hdb": f"44d88612fea8a8f36de82e1278abb02f:{len(EICAR)}:Eicar-Test-Signature\n",
    "dmp.ndb": f"{SIGNATURE}:0:*:{MARKER.hex()}\n",
}


@dataclass(frozen=True, slots=True)
class ClamdProgram:
    """The program, where its libraries are, and its version as `1.4.6`."""

    path: Path
    libraries: str
    version: str


@dataclass(frozen=True, slots=True)
class ClamdServer:
    """A daemon that listens at a socket and at a port of the loopback interface."""

    socket: Path
    port: int


def obtain() -> Path:
    """The program. Raises UnavailableError."""
    return clamd().path


def clamd() -> ClamdProgram:
    """From the system, else unpacked now if this user has never unpacked it. Raises UnavailableError."""
    if present := shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return _program(Path(present), "")
    return _below(cache.kept("clamav", _unpack, cache.folder()))


@contextmanager
def clamav(program: ClamdProgram) -> Iterator[ClamdServer]:
    """A daemon of its own in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="dmp-clamav-") as temporary:
        folder = Path(temporary)
        server = ClamdServer(folder / "clamd.sock", free_port())
        (folder / "signatures").mkdir()
        for name, text in _SIGNATURES.items():
            (folder / "signatures" / name).write_text(text)
        settings = folder / "clamd.conf"
        settings.write_text(
            f"Foreground yes\nDatabaseDirectory {folder / 'signatures'}\nTemporaryDirectory {folder}\n"
            f"LocalSocket {server.socket}\nTCPSocket {server.port}\nTCPAddr 127.0.0.1\n"
            f"StreamMaxLength {LIMIT}\nMaxFileSize {LIMIT}\nAlertExceedsMax yes\nMaxThreads 4\n"
        )
        with running(
            [str(program.path), f"--config-file={settings}"],
            log=folder / "log",
            answers=lambda: _answers(server),
            environment={"LD_LIBRARY_PATH": program.libraries},
        ):
            yield server


def _answers(server: ClamdServer) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as call:
            call.sendall(b"zPING\0")
            return call.recv(5, socket.MSG_WAITALL) == b"PONG\0"
    except OSError:
        return False


def _unpack(workshop: Path) -> Path:
    tree = debian.unpacked(workshop, _packages)
    _below(tree)  # says what is missing, should a library be
    return tree


def _packages(depends: Callable[[str], Sequence[str]]) -> list[str]:
    """The daemon, its library, whose name changes with its version, and what that needs and few systems have."""
    library = next((name for name in depends(DAEMON) if re.fullmatch(r"libclamav\d+(t64)?", name)), None)
    if library is None:
        raise UnavailableError(f"apt knows no {DAEMON} that has a library: install it")
    return [DAEMON, library, *(name for name in depends(library) if name.startswith(_RARE))]


def _below(tree: Path) -> ClamdProgram:
    libraries = ":".join(sorted({str(path.parent) for path in tree.glob("usr/lib/**/*.so*")}))
    return _program(tree / PROGRAM, libraries)


def _program(path: Path, libraries: str) -> ClamdProgram:
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write("TCPSocket 3310\n")
        settings.flush()
        told = debian.run([str(path), f"--config-file={settings.name}", "--version"], {"LD_LIBRARY_PATH": libraries})
    return ClamdProgram(path, libraries, told.strip().split("/")[0].removeprefix("ClamAV "))
