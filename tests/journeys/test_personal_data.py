"""Nothing that was said in confidence is found anywhere but under a seal."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from models.vocabulary import Scope
from tests.doubles import fhir
from tests.journeys.databases import everything, rows, tables
from tests.journeys.people import FUND, HOSPITAL, NOTE, STRANGER, STRANGER_RPPS, TREATING, TREATING_RPPS, Who
from tests.journeys.service import Record, ask, parts, question
from tests.journeys.stores import objects_of


def confidence(what: str) -> str:
    """A sentence that nobody else ever says."""
    return f"{what} {secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Told:
    """A journey that said all this, and the answers to what was asked wrongly."""

    record: Record
    secrets: tuple[str, ...]
    digests: tuple[bytes, ...]
    reason: str
    problems: tuple[httpx.Response, ...]


@pytest.fixture
def told(record: Record) -> Told:
    """Every kind of personal data, through every door that takes any, and through some that should not."""
    http, holder = record.service.http, record.holder
    title, content, subject, body = (confidence(what) for what in ("Titre", "Contenu", "Objet", "Corps"))
    contest, kept, note, reason = (confidence(what) for what in ("Contestation", "Maintien", "Note", "Urgence"))
    record.declare_treating_physician()
    document = record.deposit(HOSPITAL, content.encode(), key="une-fois", title=title).json()["id"]
    own = record.deposited(holder, note.encode(), document_type=NOTE, title=title)
    record.read(document, TREATING)
    record.read(document, STRANGER.breaking_the_glass(reason))
    record.about("POST", f"{document}/contest", holder, {"reason": contest})
    record.about("PUT", f"{document}/contest", HOSPITAL, {"kept": True, "reason": kept})
    letter = {"to": STRANGER_RPPS, "subject": subject, "body": body, "documents": [document]}
    message = record.ask("POST", "/messages", TREATING, letter).json()["id"]
    assert body in ask(http, "GET", f"/v1/messages/{message}/thread", STRANGER).text
    assert subject in ask(http, "GET", "/v1/messages", TREATING, params={"box": "sent"}).text
    record.ask("GET", "/documents", holder)
    assert record.ask("POST", "/documents/search", holder, {"title": title}).json()["documents"]
    record.about("GET", f"{document}/versions", TREATING)
    medicine = confidence("Médicament")
    prescribed = fhir.request("N02BE01", "2026-10-01", medicationCodeableConcept=fhir.concept("N02BE01", medicine))
    record.deposit(HOSPITAL, fhir.encoded(prescribed), document_type="57833-6", content_type=fhir.CONTENT_TYPE)
    assert medicine in record.ask("GET", "/treatments", holder).text
    ticket = record.ask("POST", "/exports", holder).json()["id"]
    assert title in record.ask("GET", f"/exports/{ticket}", holder).content.decode(errors="replace")
    many = {"title": title, "dossier": record.id, "key": "par-lot"}
    form = [
        part
        for more in ({}, {title: content}, {"content_type": "application/pdf"})
        for part in parts(content.encode(), **(many | more)).items()
    ]
    results = http.post("/v1/documents", files=form, headers=HOSPITAL.headers()).text
    assert (results.count('"ok":true'), title in results, content in results) == (1, False, False)
    act, line = confidence("Acte"), secrets.token_hex(12)
    assert fed(record, act, line) == ["ok", "vocabulary", "identifier", "malformed"]
    record.trace()
    record.about("DELETE", own, holder)
    wrong = ({"ins": record.ins, "title": title}, {"ins": f"{record.ins[:-1]}x"}, {"ins": [record.ins]})
    careless = Who(f"person/{record.ins}", record.ins, "", "", organization=record.ins)
    problems = (
        *(ask(http, "POST", "/v1/identities", holder, each) for each in wrong),
        http.get(f"/v1/dossiers/{record.ins}", headers=holder.headers()),
        ask(http, "POST", "/v1/dossiers/exist", holder, {"persons": [record.ins]}),
        http.get("/v1/statistics", params={"from": record.ins, "to": title}),
        http.get(f"/v1/documents/{record.ins}/content", headers=holder.headers()),
        record.deposit(HOSPITAL, content.encode(), title=title, document_type=title),
        record.deposit(HOSPITAL, content.encode(), title=title, more=content),
        record.deposit(HOSPITAL, content.encode(), title=title, content_type="text/xml"),
        record.deposit(HOSPITAL, content.encode(), title=title, content_type="application/vnd.inconnu"),
        record.deposit(HOSPITAL, content.encode(), title=title, author={"type": "person", "id": record.id}),
        record.about("POST", f"{document}/contest", holder, {"reason": contest, contest: 1}),
        record.ask("POST", "/messages", TREATING, {"to": record.ins, "subject": subject, "body": body}),
        record.ask("POST", "/messages", TREATING, letter | {"reply_to": record.ins, subject: body}),
        ask(http, "GET", "/v1/messages", TREATING, params={"box": subject, "unread": body, "after": record.ins}),
        record.ask("GET", "/documents", holder, params={"title": title, note: contest}),
        record.ask("GET", "/documents", holder, params={"author": f"person/{record.ins}", "from": content}),
        record.ask("POST", "/documents/search", holder, {"title": title, "author": note, "type": [content]}),
        record.ask("GET", "", careless),
        record.ask("GET", "", Who(holder.subject, mode=record.ins), headers={"X-Request-ID": record.ins}),
        record.ask("GET", "/journal", holder, params={"limit": record.ins}),
        http.get(record.path(), headers=holder.headers() | {"Authorization": f"Bearer {record.ins}"}),
    )
    http.post("/access/v1/evaluation", json=question(careless, record.ins, ("dossier", record.ins)))
    http.post("/access/v1/evaluation", json=question(TREATING, "document:read", (record.ins, record.ins)))
    spoken = (record.ins, title, content, subject, body, contest, kept, note, medicine, act, line)
    digests = tuple(hashlib.sha256(text.encode()).digest() for text in (content, note))
    return Told(record, (*spoken, record.ins[:13]), digests, reason, problems)


def fed(record: Record, act: str, identity: str) -> list[str]:
    """What became of lines of the fund that say a person, an act and an id, rightly and where none of these belongs."""
    amounts = {"amount": "30.00", "reimbursed": "21.00"}
    today = datetime.now(UTC).date().replace(day=1).isoformat()
    right = {"id": identity, "ins": record.ins, "care_date": today, "code": "G", "label": act} | amounts
    lines = (right, right | {"code": record.ins}, right | {"prescriber": identity}, right | {act: identity})
    body = "\n".join(map(json.dumps, lines))
    with record.service.add_client(
        confidence("fund"), Scope.FEEDS, organization=FUND.subject.partition("/")[2]
    ) as http:
        answer = http.post("/v1/feeds/reimbursements", content=body, headers={"Content-Type": "application/x-ndjson"})
        body = json.dumps({"id": identity, "ins": record.ins, "professional": TREATING_RPPS})
        http.post("/v1/feeds/treating-physicians", content=body, headers={"Content-Type": "application/x-ndjson"})
    results = [json.loads(each) for each in answer.raise_for_status().text.splitlines()]
    assert [record.ins in each.get("error", "") or act in each.get("error", "") for each in results] == [False] * 4
    return [each.get("reason", "ok") for each in results]


def traces(told: Told) -> Iterator[bytes]:
    """Each secret in the forms in which a careless program would leave it."""
    for secret in told.secrets:
        plain = secret.encode()
        yield plain
        yield plain.hex().encode()
        yield base64.b64encode(plain)[:-4]
    for digest in told.digests:
        yield digest
        yield digest.hex().encode()
        yield base64.b64encode(digest)[:-4]


def found(told: Told, place: bytes) -> list[bytes]:
    return [trace for trace in traces(told) if trace in place]


def test_the_journey_was_told(told: Told) -> None:
    """What is looked for was really said: the holder reads it, and what was asked wrongly was refused."""
    page = told.record.ask("GET", "/documents", told.record.holder).text
    assert told.secrets[1] in page
    assert {each.is_error for each in told.problems} == {True}


def test_logs_hold_nothing_personal(told: Told) -> None:
    """Not in any line of the process, at the most talkative level."""
    said = told.record.service.server.said()
    assert said.count('"event":"request"') > 20
    assert found(told, said.encode()) == []
    assert told.reason not in said


def test_metrics_and_errors_hold_nothing_personal(told: Told) -> None:
    """Figures have routes without identifiers; errors never repeat what was sent."""
    metrics = told.record.service.http.get("/metrics").content
    assert b"/v1/documents/{document" in metrics
    assert found(told, metrics) == []
    assert told.record.id.encode() not in metrics
    for problem in told.problems:
        assert found(told, problem.content) == []
        assert told.record.ins not in str({**problem.headers, "x-request-id": ""})


def test_the_database_holds_nothing_personal_in_the_clear(told: Told) -> None:
    """Every value of every row; not even the reason of a break-glass, which the patient reads in the journal."""
    stack = told.record.service.stack
    assert [value for value in everything(stack) if found(told, value)] == []
    assert [table for table in tables(stack) for row in rows(stack, table) if told.reason in _text(row)] == []


def _text(row: tuple[object, ...]) -> str:
    return " ".join(value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in row)


def test_the_files_of_the_service_hold_nothing_personal(told: Told) -> None:
    """Neither the database's own files nor anything else in the data folder."""
    home: Path = told.record.service.stack.home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if found(told, path.read_bytes() + path.name.encode())] == []


def test_the_store_holds_nothing_personal(told: Told) -> None:
    """Neither in the names of objects nor in their bytes."""
    with objects_of(told.record.service.stack) as objects:
        for name in objects.names():
            assert told.record.id not in name
            assert found(told, name.encode() + objects.read(name)) == []
