"""A slow dependency answers late while it shall, and as before afterwards."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtests.service import free_port

LATE = 0.3
PATIENCE = 20.0
SAID = b"one after the other"


@contextmanager
def delaying(target: int, flag: Path) -> Iterator[int]:
    """The port of a proxy before a port, in a process of its own as in a run."""
    port = free_port()
    command = [sys.executable, "-m", "loadtests.delaying", str(port), f"127.0.0.1:{target}", str(flag), str(LATE * 1e3)]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own program, with arguments of ours
        try:
            yield port
        finally:
            process.terminate()


@contextmanager
def echo() -> Iterator[int]:
    """A port that answers one caller with what he says."""

    def work() -> None:
        connection, _ = server.accept()
        with connection:
            while piece := connection.recv(100):
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=work)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def connected(port: int) -> socket.socket:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def exchanged(connection: socket.socket) -> float:
    """How long it took until all that was said came back."""
    begin = time.perf_counter()
    connection.sendall(SAID[:4])
    connection.sendall(SAID[4:])
    heard = b""
    while len(heard) < len(SAID):
        heard += connection.recv(100)
    assert heard == SAID
    return time.perf_counter() - begin


def test_what_passes_is_late_while_the_file_is_there(tmp_path: Path) -> None:
    """Every byte comes, in its order; it becomes slow, by no less than it shall, and quick again."""
    flag = tmp_path / "slow"
    with echo() as target, delaying(target, flag) as port, connected(port) as connection:
        for is_slow in (True, False):
            flag.touch() if is_slow else flag.unlink()
            deadline = time.monotonic() + PATIENCE
            while (exchanged(connection) >= LATE) is not is_slow:
                assert time.monotonic() < deadline


def test_where_nobody_listens_a_connection_is_closed(tmp_path: Path) -> None:
    """Whoever connects learns it as if nothing stood between."""
    with delaying(free_port(), tmp_path / "slow") as port, connected(port) as connection:
        assert connection.recv(1) == b""
