"""The server is killed in the middle of deposits: nothing half-way is seen, nothing acknowledged is lost."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx

from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Record, Service, connection, parts, scan, started
from tests.journeys.stores import objects_of

DEPOSITORS = 4
KILLS = 2


def deposit_until_killed(record: Record, known: dict[str, bytes], number: int) -> None:
    """One deposit after the other, each of its own content and size; remembers what was acknowledged."""
    drawn = threading.get_ident() + number
    with record.service.caller(record.service.key) as http, suppress(httpx.TransportError):
        while True:
            content = scan(os.urandom(200_000 + drawn % 7 * 300_000))
            drawn += 1
            answer = http.post(record.path("/documents"), files=parts(content), headers=HOSPITAL.headers())
            known[answer.raise_for_status().json()["id"]] = content


def kill_in_the_middle(record: Record, known: dict[str, bytes]) -> None:
    wanted = len(known) + 6
    with ThreadPoolExecutor(DEPOSITORS) as threads:
        running = [threads.submit(deposit_until_killed, record, known, number) for number in range(DEPOSITORS)]
        until(lambda: len(known) >= wanted)
        record.service.server.send(signal.SIGKILL)
        for each in running:
            each.result()
    assert record.service.server.wait() == -signal.SIGKILL


def all_read(record: Record, known: dict[str, bytes]) -> None:
    """What is listed reads, and what was acknowledged is listed."""
    page = record.ask("GET", "/documents", record.holder, params={"limit": 1000}).json()["documents"]
    listed = {each["id"]: each["has_content"] for each in page}
    assert set(known) <= set(listed)
    assert set(listed.values()) == {True}
    for document in listed:
        answer = record.read(document, record.holder)
        assert answer.status_code == 200
        assert document not in known or answer.content == known[document]


def test_killed_in_the_middle_of_deposits(fresh_stack: Stack) -> None:
    """Every acknowledged deposit reads, every other one is whole or absent, the journal verifies, the rest is swept."""
    known: dict[str, bytes] = {}
    with started(fresh_stack) as service:
        record = service.opened()
        kill_in_the_middle(record, known)
    for left in reversed(range(KILLS)):
        with serving(fresh_stack) as server, connection(server.address, service.key) as http:
            service.server, service.http = server, http
            all_read(record, known)
            if left:
                kill_in_the_middle(record, known)
            else:
                swept(service)
                all_read(record, known)


def swept(service: Service) -> None:
    """Reconciling leaves exactly the objects that the database names, and nothing pending."""
    reconciled = service.stack.dmp("vault", "reconcile", "--older-than", "0")
    assert (reconciled.returncode, reconciled.stderr) == (0, "")
    nothing_is_left(service)


def nothing_is_left(service: Service) -> None:
    """Of deposits that did not come to be; and the journal verifies."""
    assert rows(service.stack, "pending_object") == []
    with objects_of(service.stack) as objects:
        assert len(objects.names()) == len(rows(service.stack, "content"))
    verified = service.stack.dmp("journal", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
