"""What processes take is told by name."""

import os
import socket
import subprocess
import sys
import time

import psutil

from loadtests.processes import Sampler, listening


def test_a_process_at_work_is_seen_to_work() -> None:
    """Its processor time and its memory are its own, and its children are told apart from it."""
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True)\\nwhile True: pass'])"
    command = [sys.executable, "-c", busy]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - what stands above
        assert process.stdout is not None
        process.stdout.readline()
        sampler = Sampler({"it": process.pid}, apart=frozenset({"it"}))
        sampler.look()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            sampler.look()
            if sampler.samples["it: worker 1"][-1].cores > 0:
                break
        psutil.Process(process.pid).children()[0].kill()
    worker = sampler.samples["it: worker 1"][-1]
    assert (worker.cores > 0, worker.memory > 1_000_000, worker.processes) == (True, True, 1)


def test_a_process_that_is_gone_is_left_out() -> None:
    """Looking at it fails nothing."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    sampler = Sampler({"gone": process.pid})
    sampler.look()
    assert dict(sampler.samples) == {}


def test_who_listens_is_found() -> None:
    """By the port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listening(server.getsockname()[1]) == os.getpid()
