"""A server as a child process: started, waited for until it answers, stopped."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.errors import UnavailableError

PATIENCE = 60.0
"""Seconds after which a server that does not answer, or does not stop, is given up."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    answers: Callable[[], bool],
    environment: Mapping[str, str],
    owner: tuple[int, int] | None = None,
    farewell: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server runs for as long as the block does, unless the block ends it before.

    `owner` is the user and group under whom it runs, if not the present ones. Should this process be killed, the
    kernel sends the server `farewell` (where util-linux is there to ask for it).
    """
    tether = [setpriv, f"--pdeathsig={farewell.name[3:]}"] if (setpriv := shutil.which("setpriv")) else []
    user, group = owner or (None, None)
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*tether, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=log.parent,
            user=user,
            group=group,
            extra_groups=[] if owner else None,
        )
    try:
        wait_for(server, answers, log)
        yield server
    finally:
        _stop(server, farewell)


def wait_for(server: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path) -> None:
    """Return once it answers. Raises UnavailableError with its last words if it ends or is too slow."""
    deadline = time.monotonic() + PATIENCE
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            end = log.read_text(errors="replace")[-2000:]
            raise UnavailableError(f"the server did not come up; its last words:\n{end}")
        time.sleep(0.02)


def _stop(server: subprocess.Popen[bytes], farewell: signal.Signals) -> None:
    server.send_signal(farewell)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
