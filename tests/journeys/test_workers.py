"""Several workers behind one address."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, until
from tests.journeys.service import Service, started
from tests.journeys.test_policy_reload import GRANTED, STRICTER, rewrite, rules

__all__ = ["rules"]

CONNECTIONS = 64


def workers(service: Service) -> set[int]:
    pid = service.server.process.pid
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@contextmanager
def alone(pid: int, service: Service) -> Iterator[None]:
    """Every other worker is stopped: whoever answers is this one."""
    others = workers(service) - {pid}
    for each in others:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in others:
            os.kill(each, signal.SIGCONT)


def revision(service: Service) -> str | None:
    """Over a connection of its own, which any worker may be dealt; None from one that is stopped."""
    with suppress(httpx.TransportError), service.caller(service.key) as http:
        digest: str = http.get("/v1/policy", timeout=2).raise_for_status().json()["revision"]
        return digest
    return None


def answers(service: Service) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{service.server.address}/health/ready", timeout=2).is_success
    return False


def files(pid: int) -> int:
    """How many a process has open, sockets included."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def dealt(service: Service) -> list[int]:
    """How many of many connections that come at once each worker takes."""
    pids = sorted(workers(service))
    before = list(map(files, pids))
    address = urlsplit(service.server.address)
    with ExitStack() as opened:
        for _ in range(CONNECTIONS):
            opened.enter_context(socket.create_connection((address.hostname, address.port)))

        def taken() -> list[int]:
            return [files(pid) - was for pid, was in zip(pids, before, strict=True)]

        until(lambda: sum(taken()) >= CONNECTIONS)
        return taken()


def test_two_workers(fresh_stack: Stack, rules: Path) -> None:
    """Connections are dealt out, each answers, one reload reaches both, who is killed is replaced, all end together."""
    stack = replace(fresh_stack, variables={**fresh_stack.variables, "DMP_POLICY_DIR": str(rules)})
    with started(stack, "--workers", "2") as service:
        until(lambda: len(workers(service)) == 2)
        first, second = workers(service)
        for pid in (first, second):
            with alone(pid, service):
                until(lambda: answers(service))
        assert min(dealt(service)) > CONNECTIONS / 8
        before = revision(service)

        rewrite(rules, GRANTED, STRICTER)
        with service.caller(service.key) as http:
            after = http.post("/v1/policy/reload").raise_for_status().json()["revision"]
        assert after != before
        for pid in (first, second):
            with alone(pid, service):
                until(lambda: revision(service) == after)

        os.kill(first, signal.SIGKILL)
        until(lambda: len(workers(service) - {first}) == 2)
        (replacement,) = workers(service) - {first, second}
        with alone(replacement, service):
            until(lambda: revision(service) == after)
        with service.caller(service.key) as http:
            service.http = http
            assert service.opened().deposit(HOSPITAL).status_code == 201

        service.server.send(signal.SIGTERM)
        assert service.server.wait() == 0
        assert not Path(f"/proc/{replacement}").exists()
