"""An access that cannot be written down is not given."""

from tests.journeys.databases import no_journal
from tests.journeys.people import HOSPITAL, NURSE, NURSE_RPPS, STRANGER
from tests.journeys.service import Record
from tests.journeys.stores import objects_of

UNWRITTEN = (503, "urn:problem-type:dmp:journal")


def test_nothing_is_given_that_cannot_be_written_down(record: Record) -> None:
    """Readings, listings, decisions, refusals, changes and deposits: 503, no byte, nothing changed."""
    service = record.service
    document = record.deposited(HOSPITAL, b"Secret")
    size = record.trace()[0]["entry"]
    with objects_of(service.stack) as objects:
        before = objects.names()
        with no_journal(service.stack):
            answers = [
                record.read(document, record.holder),
                record.about("GET", document, record.holder),
                record.read(document, STRANGER),
                record.ask("GET", "/documents", record.holder),
                record.ask("GET", "", record.holder),
                record.ask("GET", "/journal", record.holder),
                record.ask("GET", "/accesses", record.holder),
                record.about("PATCH", document, record.holder, {"masked": True}),
                record.about("DELETE", document, HOSPITAL),
                record.ask("PUT", f"/accesses/professional/{NURSE_RPPS}", record.holder, {"access": "granted"}),
                record.ask("PUT", "/state", record.holder, {"state": "closed"}),
                record.ask("DELETE", "", record.holder),
                record.deposit(HOSPITAL, b"More", key="again"),
            ]
            assert [(each.status_code, each.json().get("type")) for each in answers] == [UNWRITTEN] * len(answers)
            assert [each for each in answers if b"Secret" in each.content] == []
            decision = service.evaluate(record.holder, "document:read", ("document", document))
            assert decision.status_code == 503
            assert "decision" not in decision.text
            known = service.evaluate(record.holder, "document:read", ("document", document), dry_run=True)
            assert known.json()["decision"] is True
        assert objects.names() == before
    assert record.read(document, record.holder).content == b"Secret"
    assert record.ask("GET", "/documents", record.holder).json()["documents"][0]["masked"] is False
    assert record.read(document, NURSE).status_code == 404
    retried = record.deposit(HOSPITAL, b"More", key="again")
    assert retried.status_code == 201
    assert [entry["entry"] for entry in record.trace() if entry["entry"] > size + 1][-1] == size + 2
