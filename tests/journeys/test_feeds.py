"""The fund's feed is cut in the middle, by the network and by the server's end: resumed, nothing lacks nor doubles."""

import signal
from datetime import UTC, date, datetime

import pytest

from api.cli import clients
from models.vocabulary import Scope
from tests.journeys.databases import rows
from tests.journeys.fund import feeding, padded
from tests.journeys.people import Json
from tests.journeys.processes import Stack, serving
from tests.journeys.service import Record, Service, connection, started
from tests.journeys.stores import objects_of
from vault.packs import object_of

FUND = "180035024"
MONTHS = 5
LINES = 1_500
"""About three batches, since each is as long as a line may be."""


def lines_about(records: list[Record], feed: str) -> list[bytes]:
    """Lines about these people by turns, over some months."""
    today = datetime.now(UTC).date()
    return [
        padded(
            {
                "id": f"{feed}-{number}",
                "ins": records[number % len(records)].ins,
                "care_date": first_of(today, number % MONTHS).isoformat(),
                "code": "G",
                "label": "Consultation",
                "amount": "30.00",
                "reimbursed": "21.00",
            }
        )
        for number in range(LINES)
    ]


def first_of(today: date, months_ago: int) -> date:
    months = today.year * 12 + today.month - 1 - months_ago
    return date(months // 12, months % 12 + 1, 1)


def entered(record: Record) -> list[str]:
    """The ids of the lines that the holder sees, in all months."""
    page = record.ask("GET", "/documents", record.holder, params={"space": "reimbursements", "limit": 1000})
    current = [each["id"] for each in page.json()["documents"] if each["status"] == "current"]
    months: list[Json] = [record.read(document, record.holder).json() for document in current]
    return [line["id"] for month in months for line in month["lines"]]


def resume(service: Service, key: str, lines: list[bytes], results: list[Json]) -> list[Json]:
    """As a client does: from the first line without a result. Lines of the new request count from 1 again."""
    with feeding(service.server.address, key, lines[len(results) :], whole=True) as feed:
        following = feed.results()
    return [*results, *({**each, "line": each["line"] + len(results)} for each in following)]


@pytest.mark.parametrize("stack_name", [pytest.param("embedded", marks=pytest.mark.long), "production"])
def test_a_feed_that_is_cut_is_resumed(fresh_stack: Stack) -> None:
    """Each line is answered in the end, and stands once; what was left on the way is swept."""
    with started(fresh_stack) as service:
        service.learn({"kind": "organization", "id": FUND, "type": "insurance_fund", "name": "Fund"})
        key = clients.add(fresh_stack.settings, "fund", [Scope.FEEDS.value], (), FUND)
        records = [service.opened() for _ in range(3)]
        cut, killed = lines_about(records, "cut"), lines_about(records, "killed")
        with feeding(service.server.address, key, cut) as feed:
            results = feed.results(most=1)
        assert 0 < len(results) < LINES
        answered = {"cut": resume(service, key, cut, results)}
        with feeding(service.server.address, key, killed) as feed:
            results = feed.results(most=1)
            service.server.send(signal.SIGKILL)
            results += feed.results()
        assert service.server.wait() == -signal.SIGKILL
    with serving(fresh_stack) as server, connection(server.address, service.key) as http:
        service.server, service.http = server, http
        answered["killed"] = resume(service, key, killed, results)
        for name, its in answered.items():
            assert its == [{"id": f"{name}-{number}", "line": number + 1, "ok": True} for number in range(LINES)]
        seen = [identity for record in records for identity in entered(record)]
        assert sorted(seen) == sorted(f"{name}-{number}" for name in answered for number in range(LINES))
        reconciled = service.stack.dmp("vault", "reconcile", "--older-than", "0")
        assert (reconciled.returncode, reconciled.stderr) == (0, "")
        assert rows(fresh_stack, "pending_object") == []
        named = {object_of(each[2]) for each in rows(fresh_stack, "content")}
        with objects_of(fresh_stack) as objects:
            assert objects.names() == named
        verified = service.stack.dmp("journal", "verify")
        assert (verified.returncode, verified.stderr) == (0, "")
