"""The rules are replaced while the service answers."""

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from models.facts import Reference
from policy.loader import PACKAGED
from tests.journeys.databases import swaps
from tests.journeys.people import HOSPITAL, NURSE
from tests.journeys.processes import Stack, until
from tests.journeys.service import Record, Service, started

GRANTED = "p, granted, professional, of_care, normal & granted, allow\n"
STRICTER = "p, granted, professional, of_care, normal & granted & patient_present, allow\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A policy folder of one's own, as the packaged one."""
    folder = tmp_path / "policy"
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def rewrite(rules: Path, row: str, by: str) -> None:
    file = rules / "rules" / "70-care.csv"
    text = file.read_text()
    assert text.count(row) == 1
    file.write_text(text.replace(row, by))


def revision(service: Service) -> str:
    digest: str = service.http.get("/v1/policy").json()["revision"]
    return digest


def may_read(record: Record, document: str) -> bool:
    return record.read(document, NURSE).is_success


def test_a_reload_changes_answers(fresh_stack: Stack, rules: Path) -> None:
    """By SIGHUP and by request; a rule set that is refused changes nothing, and the log says where it is wrong."""
    stack = replace(fresh_stack, variables={**fresh_stack.variables, "DMP_POLICY_DIR": str(rules)})
    with started(stack) as service:
        record = service.opened()
        record.grant()
        document = record.deposited(HOSPITAL)
        packaged = revision(service)
        assert may_read(record, document)

        rewrite(rules, GRANTED, STRICTER)
        assert may_read(record, document)
        service.server.send(signal.SIGHUP)
        until(lambda: revision(service) != packaged)
        assert not may_read(record, document)
        assert record.read(document, NURSE.with_patient()).is_success
        stricter = revision(service)
        assert service.http.get("/health/ready").json()["checks"]["policy"]["revision"] == stricter

        rewrite(rules, STRICTER, GRANTED)
        answer = service.http.post("/v1/policy/reload")
        assert (answer.status_code, answer.json()["revision"]) == (200, packaged)
        assert may_read(record, document)

        rewrite(rules, GRANTED, "p, granted, everybody, anything, always, allow\n")
        refusal = service.http.post("/v1/policy/reload")
        assert (refusal.status_code, refusal.json()["type"]) == (422, "urn:problem-type:dmp:policy")
        service.server.send(signal.SIGHUP)
        until(lambda: "policy_refused" in service.server.said())
        assert "70-care.csv" in service.server.said()
        assert (revision(service), may_read(record, document)) == (packaged, True)

        told = [
            (entry["revision"], entry["decision"]) for entry in record.trace() if entry["action"] == "document:read"
        ]
        assert (
            told == [(packaged, True), (packaged, True), (stricter, True), (stricter, False)] + [(packaged, True)] * 2
        )
        assert [(each.subject, each.revision, each.change["previous"]) for each in swaps(stack)] == [
            (Reference("service", "signal"), stricter, packaged),
            (Reference("client", "demonstration"), packaged, stricter),
        ]
