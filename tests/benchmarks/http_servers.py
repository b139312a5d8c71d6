"""What a bare request costs under each server that might carry the service: `python -m tests.benchmarks.http_servers`.

A constant answer (`http_bare`) on a core of its own, asked over 32 connections from another. granian is no dependency:
one that is installed beside, shown as `--granian PATH`, is measured too. Not part of `make bench`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import psutil

from loadtests.peers.client import Client, Exchange, post
from loadtests.peers.processes import Cores, answers, pinned, running
from loadtests.service import free_port

ROUNDS, SECONDS, CONNECTIONS = 5, 2.0, 32
_APP = "tests.benchmarks.http_bare:app"
_UVICORN = [
    sys.executable,
    "-m",
    "uvicorn",
    _APP,
    "--loop=uvloop",
    "--http=httptools",
    "--no-access-log",
    "--lifespan=off",
]


def main(granian: str | None) -> None:
    commands = {"uvicorn": [*_UVICORN, "--log-level=warning"]}
    if granian:
        commands["granian"] = [granian, "--interface=asginl", "--loop=uvloop", "--no-access-log", _APP]
    found = dict[str, list[tuple[float, float]]]()
    for _ in range(ROUNDS):
        for name, command in commands.items():
            found.setdefault(name, []).append(_measured(command))
    for name, runs in found.items():
        rate, cost = (median(each) for each in zip(*runs, strict=True))
        print(f"{name}: {rate:,.0f} a second, {cost:.1f} µs of processor time a request (median of {ROUNDS} runs)")


def _measured(command: list[str]) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's processor time for each."""
    cores, port = Cores.of_this_machine(), free_port()
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    exchanges = [Exchange(post("/", b"{}", "dmp_" + "a" * 43), lambda body: body == b'{"decision":true}')]
    with tempfile.TemporaryDirectory() as folder, pinned(cores.others):
        log = Path(folder) / "server"
        with (
            running(
                [*command, f"--port={port}"],
                core=cores.server,
                log=log,
                answers=lambda: answers(f"http://127.0.0.1:{port}/"),
                environment=environment,
            ) as process,
            Client(port, CONNECTIONS) as client,
        ):
            client.closed(exchanges, 0.5)
            before = _used(process)
            told = client.closed(exchanges, SECONDS)
            return told.rate, (_used(process) - before) / told.answers * 1e6


def _used(process: int) -> float:
    whole = psutil.Process(process)
    times = [each.cpu_times() for each in (whole, *whole.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--granian")
    main(asked.parse_args().granian)
