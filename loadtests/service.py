"""The service under load: other processes, reached as anybody would reach them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import httpx
import psutil

_START_SECONDS = 60
_STOP_SECONDS = 30
_POLL_SECONDS = 0.05


def dmp(environment: Mapping[str, str], *arguments: str) -> str:
    """What `dmp ...` prints. Raises RuntimeError with its sentence if it fails."""
    done = subprocess.run(  # noqa: S603 - our own command line, with arguments of ours
        [sys.executable, "-m", "api.cli.main", *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


@contextmanager
def running_service(environment: Mapping[str, str], log: Path, workers: int) -> Iterator[tuple[str, int]]:
    """Its address on the loopback interface and its process, once it is ready; it is stopped when the block ends."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line, with arguments of ours
            [sys.executable, "-m", "api.cli.main", "serve", f"--port={port}", f"--workers={workers}"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        stop(process, "the service")


def stop(process: subprocess.Popen[bytes], name: str, seconds: float = _STOP_SECONDS) -> None:
    """Asked to end; what does not within so many seconds is killed with its children, which is said."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        children = psutil.Process(process.pid).children(recursive=True)
        for each in (process, *children):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()
        click.echo(f"{name} did not end within {seconds:g} seconds and was killed", err=True)


def free_port() -> int:
    """Of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment_of(home: Path, **settings: str) -> dict[str, str]:
    """The present one without settings of the service, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DMP_")}
    return kept | {"DMP_HOME": str(home)} | settings


def wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    """Raises RuntimeError if that takes too long, or the process ends before."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("the service did not become ready")
