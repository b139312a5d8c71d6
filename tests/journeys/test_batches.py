"""Many deposits in one request, over a real connection."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest

from tests.journeys.people import HOSPITAL
from tests.journeys.processes import until
from tests.journeys.service import Record, parts


class Sending:
    """A batch of which a test sends what it wants, when it wants, and reads the results meanwhile."""

    def __init__(self, record: Record, documents: int) -> None:
        form = [
            part
            for number in range(documents)
            for part in parts(b"content", dossier=record.id, title=f"{number}").items()
        ]
        request = httpx.Request("POST", record.service.server.address, files=form)
        self.body = request.read()
        address = httpx.URL(record.service.server.address)
        self._connection = HTTPConnection(address.host, address.port, timeout=60)
        self._connection.putrequest("POST", "/v1/documents", skip_host=True)
        key = {"Authorization": record.service.http.headers["Authorization"]}
        for name, value in (dict(request.headers) | key | HOSPITAL.headers()).items():
            self._connection.putheader(name, value)
        self._connection.endheaders()

    def send(self, data: bytes) -> None:
        self._connection.send(data)

    def results(self) -> Iterator[dict[str, object]]:
        """As they arrive."""
        with closing(self._connection.getresponse()) as response:
            while line := response.readline():
                yield json.loads(line)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def sending(record: Record) -> Iterator[Sending]:
    """A batch of two."""
    made = Sending(record, 2)
    yield made
    made.close()


def listed(record: Record) -> list[str]:
    return sorted(each["title"] for each in record.ask("GET", "/documents", record.holder).json()["documents"])


def test_a_result_arrives_before_the_next_document_is_sent(record: Record, sending: Sending) -> None:
    """So a program reads what became of each while it sends the others."""
    middle = sending.body.rindex(b'name="content"')
    sending.send(sending.body[:middle])
    results = sending.results()
    assert (next(results)["ok"], listed(record)) == (True, ["0"])
    sending.send(sending.body[middle:])
    assert ([each["ok"] for each in results], listed(record)) == ([True], ["0", "1"])


def test_a_caller_that_leaves_has_what_was_whole(record: Record, sending: Sending) -> None:
    """The document that was under way is not kept; what was decided of it is in the journal."""
    sending.send(sending.body[:-20])
    assert next(sending.results())["ok"]
    sending.close()
    until(lambda: [entry["action"] for entry in record.trace()].count("document:deposit") == 2)
    assert listed(record) == ["0"]
