"""Start the command line and the service as other processes, as a person would in a shell."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_START_SECONDS = 60
_STOP_SECONDS = 20
_POLL_SECONDS = 0.05


def environment(home: Path) -> dict[str, str]:
    """The environment of this process with every setting of the service left at its default but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DMP_")}
    return kept | {"DMP_HOME": str(home)}


def dmp(home: Path, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `dmp ...` on a data folder; the caller looks at the exit status."""
    return subprocess.run(  # noqa: S603 - our own command line, with arguments of ours
        [sys.executable, "-m", "api.cli.main", *arguments],
        env=environment(home),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running_service(home: Path) -> Iterator[str]:
    """`dmp serve` on a free loopback port, ready; stopped gracefully afterwards. Its log goes to `serve.log` in `home`.

    Raises RuntimeError if it stops or is not ready in a minute.
    """
    address = f"http://127.0.0.1:{(port := free_port())}"
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line, with arguments of ours
            [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port)],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_ready(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def free_port() -> int:
    """A loopback port that nobody uses at this instant."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            msg = f"the service stopped with status {process.returncode} before it was ready; see serve.log"
            raise RuntimeError(msg)
        try:
            if httpx.get(f"{address}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_POLL_SECONDS)
    msg = f"the service was not ready after {_START_SECONDS} seconds; see serve.log"
    raise RuntimeError(msg)
