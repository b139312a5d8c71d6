"""What must stay unknown is refused like what does not exist, to the last byte; all else is refused aloud."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.journeys.people import (
    FUND,
    HOSPITAL,
    INSURER,
    NOTE,
    NURSE,
    NURSE_RPPS,
    REIMBURSEMENT,
    SAMU,
    SECRETARY,
    SOCIAL,
    SOCIAL_RPPS,
    STRANGER,
    STRANGER_RPPS,
    TREATING,
    TREATING_RPPS,
    UNKNOWN,
    Who,
)
from tests.journeys.service import Record, refused

Scene = tuple[str, Who]

OF_EACH_ANSWER = {"date", "x-request-id"}


def a_deleted_document(record: Record) -> Scene:
    document = record.deposited(HOSPITAL)
    record.about("DELETE", document, HOSPITAL)
    return document, record.holder


def an_expired_reimbursement(record: Record) -> Scene:
    three_years_ago = (datetime.now(UTC) - timedelta(days=3 * 366)).isoformat()
    return record.deposited(FUND, document_type=REIMBURSEMENT, created_at=three_years_ago), record.holder


def a_type_that_is_not_open_to_the_profession(record: Record) -> Scene:
    record.grant(SOCIAL_RPPS)
    return record.deposited(HOSPITAL), SOCIAL


def a_masked_document(record: Record) -> Scene:
    record.grant(NURSE_RPPS)
    document = record.deposited(HOSPITAL)
    record.change(document, record.holder, masked=True)
    return document, NURSE


def a_withheld_document(record: Record) -> Scene:
    return record.deposited(HOSPITAL, withheld=True), record.holder


def a_document_hidden_from_representatives(record: Record) -> Scene:
    document = record.deposited(HOSPITAL, hidden_from_representatives=True)
    return document, record.represented_by(record.service.opened())


def a_stranger(record: Record) -> Scene:
    return record.deposited(HOSPITAL), STRANGER


def nobody_of_the_directory(record: Record) -> Scene:
    return record.deposited(HOSPITAL), UNKNOWN


def a_person_without_a_tie(record: Record) -> Scene:
    return record.deposited(HOSPITAL), record.service.opened().holder


def software_that_never_reads(record: Record) -> Scene:
    return record.deposited(STRANGER), HOSPITAL


SCENES: dict[str, Callable[[Record], Scene]] = {
    "document-deleted": a_deleted_document,
    "reimbursement-expired": an_expired_reimbursement,
    "not-habilitated": a_type_that_is_not_open_to_the_profession,
    "masked": a_masked_document,
    "withheld-from-patient": a_withheld_document,
    "hidden-from-representatives": a_document_hidden_from_representatives,
    "not-permitted": a_stranger,
    "unknown-subject": nobody_of_the_directory,
}

Request = Callable[[Record, str, Who], httpx.Response]

REQUESTS: dict[str, Request] = {
    "metadata": lambda record, document, who: record.about("GET", document, who),
    "content": lambda record, document, who: record.read(document, who),
    "versions": lambda record, document, who: record.about("GET", f"{document}/versions", who),
    "range": lambda record, document, who: record.read(document, who, Range="bytes=1000-"),
    "condition": lambda record, document, who: record.read(document, who, **{"If-None-Match": "*"}),
    "evaluation": lambda record, document, who: record.service.evaluate(who, "document:read", ("document", document)),
    "in the dossier": lambda record, document, who: record.service.evaluate(
        who, "document:read", ("document", document), known={"dossier": record.id}
    ),
}

CHANGES: dict[str, Request] = {
    "mask": lambda record, document, who: record.about("PATCH", document, who, {"masked": True}),
    "reveal": lambda record, document, who: record.about("PATCH", document, who, {"withheld": False}),
    "archive": lambda record, document, who: record.about("PATCH", document, who, {"status": "archived"}),
    "restore": lambda record, document, who: record.about("PATCH", document, who, {"status": "current"}),
    "delete": lambda record, document, who: record.about("DELETE", document, who),
    "contest": lambda record, document, who: record.about("POST", f"{document}/contest", who, {"reason": "Non"}),
    "keep": lambda record, document, who: record.about(
        "PUT", f"{document}/contest", who, {"kept": True, "reason": "Si"}
    ),
    "replace": lambda record, document, who: record.deposit(who, replaces=document),
}


def told(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_EACH_ANSWER}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("rule", SCENES)
def test_a_concealed_refusal_is_an_absence(record: Record, rule: str) -> None:
    """Status, headers and body are those of a document that does not exist, however it is asked for."""
    document, who = SCENES[rule](record)
    assert record.service.explained(who, "document:read", ("document", document)) == (False, rule)
    for name, request in REQUESTS.items():
        assert told(request(record, document, who)) == told(request(record, str(uuid.uuid4()), who)), name
    assert refused(record.read(document, who)) == (404, "no-document")


@pytest.mark.parametrize("scene", [a_stranger, a_person_without_a_tie, nobody_of_the_directory, a_deleted_document])
def test_a_change_of_what_must_stay_unknown_is_an_absence(record: Record, scene: Callable[[Record], Scene]) -> None:
    """Whoever may do nothing with a document cannot tell it from one that does not exist by trying to change it."""
    document, who = scene(record)
    for name, request in CHANGES.items():
        assert told(request(record, document, who)) == told(request(record, str(uuid.uuid4()), who)), name


@pytest.mark.parametrize("scene", [a_masked_document, a_withheld_document, a_document_hidden_from_representatives])
def test_a_mask_masks_that_it_masks(record: Record, scene: Callable[[Record], Scene]) -> None:
    """The listing, its pages, the counts and the searches of those from whom a document is hidden have no gap."""
    document, who = scene(record)
    page = record.ask("GET", "/documents", who).json()
    assert page == {"documents": [], "next": None}
    assert record.ask("POST", "/documents/search", who, {"title": "compte rendu"}).json() == page
    assert sum(record.ask("GET", "", who).json()["spaces"].values()) == 0
    search = {
        "subject": who.entity(),
        "action": {"name": "document:read"},
        "resource": {"type": "document", "properties": {"dossier": record.id}},
        "context": who.context(),
    }
    found = record.service.http.post("/access/v1/search/resource", json=search).json()["results"]
    assert found == []
    actions = {"subject": who.entity(), "resource": {"type": "document", "id": document}, "context": who.context()}
    answer = record.service.http.post("/access/v1/search/action", json=actions).json()
    assert "document:read" not in [each["name"] for each in answer["results"]]


def closed(record: Record) -> Scene:
    document = record.deposited(HOSPITAL)
    record.ask("PUT", "/state", record.holder, {"state": "closed"})
    return document, record.holder


def without_card(record: Record) -> Scene:
    document, who = a_masked_document(record)
    return document, who.without_card()


def blocked(record: Record) -> Scene:
    record.block(STRANGER_RPPS)
    return record.deposited(HOSPITAL), STRANGER


def an_insurer(record: Record) -> Scene:
    return record.deposited(HOSPITAL), INSURER


def an_emergency_of_software(record: Record) -> Scene:
    return record.deposited(STRANGER), HOSPITAL.breaking_the_glass()


def refused_break_glass(record: Record) -> Scene:
    record.set_emergency(break_glass=True)
    return record.deposited(HOSPITAL), STRANGER.breaking_the_glass()


def refused_centre_15(record: Record) -> Scene:
    record.set_emergency(centre_15=True)
    return record.deposited(HOSPITAL), SAMU.regulating()


def no_reason(record: Record) -> Scene:
    return record.deposited(HOSPITAL), STRANGER.breaking_the_glass("court")


LOUD: dict[str, Callable[[Record], Scene]] = {
    "dossier-closed": closed,
    "weak-authentication": without_card,
    "blocked": blocked,
    "prohibited-party": an_insurer,
    "emergency-scope": an_emergency_of_software,
    "break-glass-refused": refused_break_glass,
    "centre-15-refused": refused_centre_15,
    "reason-required": no_reason,
}


@pytest.mark.parametrize("rule", LOUD)
def test_a_rule_about_the_subject_or_the_dossier_is_told(record: Record, rule: str) -> None:
    """403, with the rule: it says nothing of the document."""
    document, who = LOUD[rule](record)
    assert refused(record.read(document, who)) == (403, rule)
    assert refused(record.about("GET", document, who)) == (403, rule)


def test_a_rule_that_refuses_before_is_told_whatever_refuses_after(record: Record) -> None:
    """Blocked, and the document is masked too: he hears of the block, masked or not."""
    record.block(NURSE_RPPS)
    masked, plain = record.deposited(HOSPITAL, masked=True), record.deposited(HOSPITAL)
    assert told(record.read(masked, NURSE)) == told(record.read(plain, NURSE))
    assert refused(record.read(masked, NURSE)) == (403, "blocked")
    closed_too, who = an_expired_reimbursement(record)
    record.ask("PUT", "/state", record.holder, {"state": "closed"})
    assert refused(record.read(closed_too, who)) == (403, "dossier-closed")


def test_a_rule_that_refuses_after_does_not_give_away(record: Record) -> None:
    """Masked first, and an emergency refused besides; deleted first, and the asker blocked besides."""
    record.set_emergency(break_glass=True)
    masked = record.deposited(HOSPITAL, masked=True)
    assert refused(record.read(masked, STRANGER.breaking_the_glass())) == (404, "no-document")
    assert refused(record.read(masked, STRANGER.breaking_the_glass(""))) == (404, "no-document")
    record.block(STRANGER_RPPS)
    deleted, _ = a_deleted_document(record)
    assert refused(record.read(deleted, STRANGER)) == (404, "no-document")


def test_what_says_something_of_the_document_is_told_to_those_who_may(record: Record) -> None:
    """Superseded or archived: to its author; to whom no rule gives anything, nothing is said."""
    first = record.deposited(HOSPITAL)
    record.deposited(HOSPITAL, replaces=first)
    assert refused(record.deposit(HOSPITAL, replaces=first)) == (403, "superseded")
    assert refused(record.deposit(STRANGER, replaces=first)) == (404, "no-document")
    assert refused(record.about("PATCH", first, SECRETARY, {"status": "archived"})) == (404, "no-document")


def test_an_author_is_told_the_truth_about_his_own(record: Record) -> None:
    """Deleted, withheld, hidden or simply not his to read: he knows that it exists, he wrote it."""
    own = record.deposited(STRANGER)
    assert refused(record.read(own, STRANGER)) == (403, "not-permitted")
    assert refused(record.read(own, STRANGER.breaking_the_glass(""))) == (403, "reason-required")
    record.about("DELETE", own, STRANGER)
    assert refused(record.read(own, STRANGER)) == (403, "document-deleted")
    note = record.deposited(record.holder, document_type=NOTE)
    record.about("DELETE", note, record.holder)
    assert refused(record.read(note, record.holder)) == (403, "document-deleted")
    shouted = Who(f"person/{record.id.upper()}")
    assert refused(record.read(note, shouted)) == (403, "document-deleted")
    assert refused(record.read(note, TREATING)) == (404, "no-document")


def test_a_wrong_dossier_is_an_absence(record: Record) -> None:
    """A caller that claims the wrong dossier is answered as if the document did not exist."""
    document = record.deposited(HOSPITAL)
    elsewhere = record.service.opened()
    ask = record.service.evaluate
    about = ("document", document)
    assert ask(record.holder, "document:read", about, known={"dossier": record.id}).json()["decision"] is True
    for claimed in (elsewhere.id, str(uuid.uuid4()), "", "x", 1):
        answer = ask(record.holder, "document:read", about, known={"dossier": claimed})
        absent = ask(record.holder, "document:read", ("document", str(uuid.uuid4())), known={"dossier": claimed})
        assert told(answer) == told(absent)
        assert answer.json() == {"decision": False}


def test_a_strangers_message_is_an_absence(record: Record) -> None:
    """Messages are concealed by the same rules as documents."""
    record.declare_treating_physician()
    body = {"to": STRANGER_RPPS, "subject": "Avis", "body": "?"}
    message = record.ask("POST", "/messages", TREATING, body).json()["id"]
    http = record.service.http
    for who in (NURSE, UNKNOWN, record.holder):
        answers = [http.get(f"/v1/messages/{each}", headers=who.headers()) for each in (message, uuid.uuid4())]
        assert told(answers[0]) == told(answers[1])
        assert refused(answers[0]) == (404, "no-message")
    record.block(STRANGER_RPPS)
    assert refused(http.get(f"/v1/messages/{message}", headers=STRANGER.headers())) == (403, "blocked")
    assert http.get(f"/v1/messages/{message}", headers=Who(f"professional/{TREATING_RPPS}", "cps").headers()).is_success
