"""Messages between professionals about a dossier."""

import uuid

import httpx
import pytest

from models.vocabulary import Scope
from tests.journeys.people import (
    FUND,
    HOSPITAL,
    NURSE,
    NURSE_RPPS,
    OTHER,
    SOCIAL_RPPS,
    STRANGER,
    STRANGER_RPPS,
    TREATING,
    TREATING_RPPS,
    UNKNOWN_RPPS,
    Who,
    carded,
    new_rpps,
)
from tests.journeys.service import Record, Service, ask, refused


@pytest.fixture
def record(service: Service) -> Record:
    """A dossier with a treating physician."""
    opened = service.opened()
    opened.declare_treating_physician()
    return opened


@pytest.fixture
def colleague(service: Service) -> Who:
    """A health professional whose inbox nobody else uses."""
    rpps = new_rpps()
    service.learn(
        {"kind": "professional", "rpps": rpps, "profession": "physician", "samu_regulator": False,
         "organizations": [], "ins": None}
    )  # fmt: skip
    return carded(rpps)


def rpps_of(who: Who) -> str:
    return who.subject.partition("/")[2]


def send(record: Record, who: Who, to: str, **more: object) -> httpx.Response:
    body = {"to": to, "subject": "Votre avis", "body": "Qu'en pensez-vous ?"} | more
    return record.ask("POST", "/messages", who, body)


def inbox(service: Service, who: Who, **query: object) -> httpx.Response:
    return ask(service.http, "GET", "/v1/messages", who, params=query)


def read(service: Service, message: str, who: Who) -> httpx.Response:
    return ask(service.http, "GET", f"/v1/messages/{message}", who)


def test_a_message_is_sent_and_read(service: Service, record: Record, colleague: Who) -> None:
    """Sender and addressee read it, nobody else learns that it exists; who sent it sees when it was read."""
    message = send(record, TREATING, rpps_of(colleague)).json()["id"]
    line = {
        "id": message, "dossier": record.id, "sender": TREATING_RPPS, "to": rpps_of(colleague), "sent_at": "",
        "read_at": None, "subject": "Votre avis", "reply_to": None, "thread": message,
    }  # fmt: skip
    opened = line | {"body": "Qu'en pensez-vous ?", "documents": []}
    (listed,) = inbox(service, colleague).json()["messages"]
    assert listed | {"sent_at": ""} == line
    assert read(service, message, TREATING).json() | {"sent_at": ""} == opened
    told = read(service, message, colleague).json()
    assert told["read_at"] is not None
    assert told | {"sent_at": "", "read_at": None} == opened
    assert read(service, message, colleague).json() == read(service, message, TREATING).json() == told
    assert inbox(service, colleague).json() == {"messages": [listed | {"read_at": told["read_at"]}], "next": None}
    assert inbox(service, colleague, unread="true").json() == {"messages": [], "next": None}
    for who in (OTHER, NURSE, record.holder, HOSPITAL):
        for tail in ("", "/thread"):
            assert refused(read(service, f"{message}{tail}", who)) == (404, "no-message")
    assert refused(read(service, str(uuid.uuid4()), colleague)) == (404, "no-message")


def test_a_reference_opens_nothing(service: Service, record: Record, colleague: Who) -> None:
    """The addressee reads the message, and is told of the document only while the rules let him read it."""
    document = record.deposited(HOSPITAL)
    message = send(record, TREATING, rpps_of(colleague), documents=[document]).json()["id"]
    assert read(service, message, colleague).json()["documents"] == []
    assert refused(record.read(document, colleague)) == (404, "no-document")
    record.grant(rpps_of(colleague))
    shown = [{"id": document, "may": ["document:read", "document:reveal"]}]
    assert read(service, message, colleague).json()["documents"] == shown
    assert record.read(document, colleague).status_code == 200
    record.change(document, record.holder, masked=True)
    assert read(service, message, colleague).json()["documents"] == []
    shown = [{"id": document, "may": ["document:read", "document:mask", "document:reveal"]}]
    assert read(service, message, TREATING).json()["documents"] == shown


def test_a_message_refers_to_what_its_sender_may_read(service: Service, record: Record, colleague: Who) -> None:
    """A document of another dossier, one that is masked to him, and one that does not exist are told alike."""
    record.grant()
    masked = record.deposited(HOSPITAL)
    record.change(masked, record.holder, masked=True)
    elsewhere = service.opened().deposited(HOSPITAL)
    answers = [
        send(record, NURSE, rpps_of(colleague), documents=[each]) for each in (str(uuid.uuid4()), masked, elsewhere)
    ]
    assert {(each.status_code, each.content) for each in answers} == {(400, answers[0].content)}
    assert send(record, TREATING, rpps_of(colleague), documents=[masked]).status_code == 201


def test_a_reply_goes_on_with_a_thread(service: Service, record: Record, colleague: Who) -> None:
    """Between the two who write to each other, and in no other dossier; both see it whole."""
    first = send(record, TREATING, rpps_of(colleague)).json()["id"]
    send(record, TREATING, rpps_of(colleague))
    record.grant(rpps_of(colleague))
    second = send(record, colleague, TREATING_RPPS, reply_to=first).json()["id"]
    third = send(record, colleague, TREATING_RPPS, reply_to=second).json()["id"]
    told = read(service, f"{second}/thread", TREATING).json()
    assert [each["id"] for each in told["messages"]] == [first, second, third]
    assert [each["reply_to"] for each in told["messages"]] == [None, first, second]
    assert {each["thread"] for each in told["messages"]} == {first}
    assert told["messages"][1] == read(service, second, colleague).json()
    record.grant(NURSE_RPPS)
    assert send(record, NURSE, TREATING_RPPS, reply_to=first).status_code == 400
    assert send(record, TREATING, rpps_of(colleague), reply_to=str(uuid.uuid4())).status_code == 400
    elsewhere = send(record, TREATING, NURSE_RPPS, reply_to=first)
    assert (elsewhere.status_code, elsewhere.json()["detail"]) == (
        400, "A reply goes to the other party of the message that it answers.",
    )  # fmt: skip


@pytest.mark.parametrize("to", [SOCIAL_RPPS, UNKNOWN_RPPS, "10000000018", "x"])
def test_a_message_goes_to_a_health_professional(record: Record, to: str) -> None:
    """Of the directory; anybody else is refused."""
    assert send(record, TREATING, to).status_code == 400


def test_who_may_not_enter_may_not_write(record: Record) -> None:
    """Strangers, organizations, the patient himself, and a professional without his card."""
    assert refused(send(record, STRANGER, TREATING_RPPS)) == (403, "not-permitted")
    assert refused(send(record, FUND, TREATING_RPPS)) == (403, "not-permitted")
    assert refused(send(record, record.holder, TREATING_RPPS)) == (403, "not-permitted")
    assert refused(send(record, TREATING.without_card(), STRANGER_RPPS)) == (403, "weak-authentication")


def test_reading_needs_the_card(service: Service, record: Record, colleague: Who) -> None:
    """Without it neither the message nor the inbox; the message is no secret to those who wrote it."""
    message = send(record, TREATING, rpps_of(colleague)).json()["id"]
    assert refused(read(service, message, colleague.without_card())) == (403, "weak-authentication")
    assert refused(inbox(service, colleague.without_card())) == (403, "weak-authentication")


def test_a_block_closes_the_messages_of_that_dossier(service: Service, record: Record, colleague: Who) -> None:
    """The others of the inbox stay: what may not be read is left out, page by page."""
    older = send(record, TREATING, rpps_of(colleague)).json()["id"]
    other = service.opened()
    other.declare_treating_physician()
    newer = send(other, TREATING, rpps_of(colleague)).json()["id"]
    other.block(rpps_of(colleague))
    assert refused(read(service, newer, colleague)) == (403, "blocked")
    assert [each["id"] for each in inbox(service, colleague).json()["messages"]] == [older]
    first = inbox(service, colleague, limit=1).json()
    assert first["messages"] == []
    second = inbox(service, colleague, limit=1, after=first["next"]).json()
    assert ([each["id"] for each in second["messages"]], second["next"]) == ([older], None)


def test_an_inbox_goes_page_by_page(service: Service, record: Record, colleague: Who) -> None:
    """Newest first, to the end; every page is journaled with its items."""
    sent = [send(record, TREATING, rpps_of(colleague), subject=f"Avis {number}").json()["id"] for number in range(5)]
    shown: list[str] = []
    after: str | None = ""
    with record.traced() as entries:
        while after is not None:
            page = inbox(service, colleague, limit=2, **({"after": after} if after else {})).json()
            shown += [each["id"] for each in page["messages"]]
            after = page["next"]
    assert shown == sent[::-1]
    assert [len(entry.get("items", [])) for entry in entries] == [2, 2, 0]
    assert {entry["action"] for entry in entries} == {"message:read"}
    assert inbox(service, colleague, after="x").status_code == 400


def test_the_patient_sees_who_wrote_to_whom(record: Record, colleague: Who) -> None:
    """And when, and not what."""
    with record.traced() as entries:
        message = send(record, TREATING, rpps_of(colleague)).json()["id"]
    assert [(entry["subject"]["id"], entry["change"]) for entry in entries] == [
        (TREATING_RPPS, {"message": message, "addressee": f"professional/{rpps_of(colleague)}"})
    ]
    assert "Qu'en pensez-vous" not in str(entries)


def test_an_inbox_tells_nothing_to_whom_it_does_not_belong(service: Service, record: Record, colleague: Who) -> None:
    """A client tied to an organization does not even learn whether somebody else's inbox is empty."""
    with service.add_client(f"tied-{record.id}", Scope.DOCUMENTS, organization="750000002") as tied:
        empty = ask(tied, "GET", "/v1/messages", colleague)
        send(record, TREATING, rpps_of(colleague))
        full = ask(tied, "GET", "/v1/messages", colleague)
    assert {(each.status_code, each.content) for each in (empty, full)} == {(403, full.content)}
