"""The service under load: other processes, on a temporary home, reached as anybody would reach them."""

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


def dmp(home: Path, *arguments: str) -> str:
    """What `dmp ...` prints. Raises RuntimeError with its sentence if it fails."""
    done = subprocess.run(  # noqa: S603 - our own command line, with arguments of ours
        [sys.executable, "-m", "api.cli.main", *arguments],
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


@contextmanager
def running_service(home: Path) -> Iterator[str]:
    """Its address on the loopback interface, once it is ready; it is stopped when the block ends."""
    port = _free_port()
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line, with arguments of ours
            [sys.executable, "-m", "api.cli.main", "serve", f"--port={port}"],
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DMP_")}
    return kept | {"DMP_HOME": str(home)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("the service did not become ready")
