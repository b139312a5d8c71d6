"""Several workers behind one socket."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx

from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, until
from tests.journeys.service import Service, started
from tests.journeys.test_policy_reload import GRANTED, STRICTER, rewrite, rules

__all__ = ["rules"]


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


def revision(service: Service) -> str:
    """Over a connection of its own, so that any worker may take it."""
    with service.caller(service.key) as http:
        digest: str = http.get("/v1/policy").raise_for_status().json()["revision"]
        return digest


def answers(service: Service) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{service.server.address}/health/ready", timeout=2).is_success
    return False


def test_two_workers(fresh_stack: Stack, rules: Path) -> None:
    """Each answers, a reload asked of one reaches both, one that is killed is replaced, and all end together."""
    stack = replace(fresh_stack, variables={**fresh_stack.variables, "DMP_POLICY_DIR": str(rules)})
    with started(stack, "--workers", "2") as service:
        until(lambda: len(workers(service)) == 2)
        first, second = workers(service)
        for pid in (first, second):
            with alone(pid, service):
                until(lambda: answers(service))
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
            until(lambda: answers(service))
            assert revision(service) == after
        with service.caller(service.key) as http:
            service.http = http
            assert service.opened().deposit(HOSPITAL).status_code == 201

        service.server.send(signal.SIGTERM)
        assert service.server.wait() == 0
        assert not Path(f"/proc/{replacement}").exists()
