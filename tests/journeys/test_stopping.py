"""SIGTERM: what was begun is finished, and nothing is begun any more."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Record, connection, parts, started

UPLOADS = 3


def slowly(body: bytes, go_on: threading.Event) -> Iterator[bytes]:
    """A request's body, of which the second half waits."""
    half = len(body) // 2
    yield body[:half]
    go_on.wait(60)
    yield body[half:]


def content_of(number: int) -> bytes:
    return str(number).encode() * 3_000_000


def deposit_slowly(record: Record, number: int, go_on: threading.Event) -> httpx.Response:
    service = record.service
    content = content_of(number)
    with service.caller(service.key) as http:
        whole = http.build_request("POST", record.path("/documents"), files=parts(content), headers=HOSPITAL.headers())
        headers = HOSPITAL.headers() | {"Content-Type": whole.headers["content-type"]}
        return http.post(record.path("/documents"), content=slowly(whole.read(), go_on), headers=headers)


def is_closed(address: str) -> bool:
    try:
        httpx.get(f"{address}/health/live")
    except httpx.TransportError:
        return True
    return False


def test_requests_in_flight_are_answered(fresh_stack: Stack) -> None:
    """Deposits whose content is still arriving are kept, acknowledged and journaled; the process ends with 0."""
    go_on = threading.Event()
    with started(fresh_stack) as service, ThreadPoolExecutor(UPLOADS) as threads:
        record = service.opened()
        try:
            uploads = [threads.submit(deposit_slowly, record, number, go_on) for number in range(UPLOADS)]
            until(lambda: len(rows(fresh_stack, "pending_object")) == UPLOADS)
            service.server.send(signal.SIGTERM)
            until(lambda: is_closed(service.server.address))
        finally:
            go_on.set()
        answers = [upload.result() for upload in uploads]
        assert [each.status_code for each in answers] == [201] * UPLOADS
        assert service.server.wait() == 0
    with serving(fresh_stack) as server, connection(server.address, service.key) as http:
        service.http, service.server = http, server
        contents = [record.read(each.json()["id"], record.holder).content for each in answers]
        assert contents == [content_of(number) for number in range(UPLOADS)]
        deposits = [entry for entry in record.trace() if entry["action"] == "document:deposit"]
        assert {entry["change"]["document"] for entry in deposits} == {each.json()["id"] for each in answers}
