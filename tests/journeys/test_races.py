"""Requests that contradict each other and arrive together: one of them wins, and every decision is written down."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.journeys.people import HOSPITAL
from tests.journeys.service import Record, Service, ask, parts

TOGETHER = 6


def at_once(service: Service, request: Callable[[httpx.Client], httpx.Response]) -> list[int]:
    """The statuses of the same request, sent several times at once, in order."""

    def send(_: int) -> int:
        with service.caller(service.key) as http:
            return request(http).status_code

    with ThreadPoolExecutor(TOGETHER) as threads:
        return sorted(threads.map(send, range(TOGETHER)))


def test_one_opening_wins(service: Service) -> None:
    """The others are conflicts, and nobody gets a fault."""
    record = service.unopened()
    body = {"ins": record.ins, "born": "1985-05-12"}
    statuses = at_once(service, lambda http: ask(http, "POST", "/v1/dossiers", HOSPITAL, body))
    assert statuses == [201] + [409] * (TOGETHER - 1)


def test_one_replacement_wins(record: Record) -> None:
    """One next version; the others hear of a conflict, or that the document is superseded by now."""
    first = record.deposited(HOSPITAL)
    headers = HOSPITAL.headers()
    path = record.path("/documents")
    with record.traced() as entries:
        statuses = at_once(
            record.service, lambda http: http.post(path, files=parts(b"next", replaces=first), headers=headers)
        )
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {403, 409}
    page = record.ask("GET", "/documents", record.holder).json()["documents"]
    assert sorted((each["version"], each["status"]) for each in page) == [(1, "superseded"), (2, "current")]
    assert [entry["action"] for entry in entries] == ["document:replace"] * TOGETHER
    assert len([entry for entry in entries if "change" in entry]) == 1


def test_one_deletion_wins(record: Record) -> None:
    """The document is gone once; the others hear of a conflict or that it is deleted."""
    document = record.deposited(HOSPITAL)
    path = f"/v1/documents/{document}"
    with record.traced() as entries:
        statuses = at_once(record.service, lambda http: ask(http, "DELETE", path, HOSPITAL))
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {403, 409}
    assert len(entries) == TOGETHER


def test_changes_of_everybody_are_kept(record: Record) -> None:
    """Many readings and changes of one dossier at once: each has its own entry, numbered without a gap."""
    document = record.deposited(HOSPITAL)
    path = f"/v1/documents/{document}/content"
    with record.traced() as entries:
        assert at_once(record.service, lambda http: ask(http, "GET", path, record.holder)) == [200] * TOGETHER
        body = {"given": True}
        consent = record.path("/care-team-consent")
        statuses = at_once(record.service, lambda http: ask(http, "PUT", consent, record.holder, body))
        assert statuses == [200] * TOGETHER
    numbers = [entry["entry"] for entry in entries]
    assert numbers == list(range(numbers[0], numbers[0] + 2 * TOGETHER))
