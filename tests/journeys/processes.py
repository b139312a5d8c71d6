"""The service and its command line as processes, with the settings of one stack."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from api.settings import Settings
from tests.servers.processes import free_port

PATIENCE = 60.0
"""Seconds after which a server that does not answer, or does not stop, is given up."""

COMMAND = (sys.executable, "-m", "api.cli.main")


@dataclass(frozen=True, slots=True)
class Stack:
    """Where one deployment keeps everything: the settings that are not left at their defaults."""

    name: str
    home: Path
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("DMP_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {"DMP_HOME": str(self.home), **self.variables}

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    def dmp(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `dmp ...`; whoever calls looks at the exit status."""
        return subprocess.run(  # noqa: S603 - our own command line
            [*COMMAND, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )


@dataclass(slots=True)
class Server:
    """`dmp serve`, running. All that it says goes to `log`."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return self.process.wait(PATIENCE)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/health/ready", timeout=10).is_success
        except httpx.TransportError:
            return False

    def said(self) -> str:
        return self.log.read_text()


@contextmanager
def serving(stack: Stack, *options: str, port: int = 0) -> Iterator[Server]:
    """`dmp serve` on this port or a free one, ready; asked to end when the block does, if it has not ended before."""
    port = port or free_port()
    path = stack.home.parent / f"{stack.home.name}-{port}.log"
    with path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*COMMAND, "serve", "--port", str(port), *options],
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Server(process, f"http://127.0.0.1:{port}", path)
    try:
        until(lambda: process.poll() is not None or server.is_ready(), lambda: server.said()[-2000:])
        assert process.poll() is None, server.said()[-2000:]
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(holds: Callable[[], bool], otherwise: Callable[[], str] = lambda: "") -> None:
    """Return as soon as it holds; fail with the excuse if it does not in a minute."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"it has not come true in {PATIENCE:.0f} s: {otherwise()}")
        time.sleep(0.02)
