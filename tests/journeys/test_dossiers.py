"""A dossier's life: opening, states, switches, erasure."""

import uuid
from datetime import UTC, datetime

import pytest

from tests.journeys.people import (
    FUND,
    HOSPITAL,
    INSURER,
    NOTE,
    REPORT,
    SOCIAL,
    STRANGER,
    TREATING,
    UNKNOWN,
    Who,
)
from tests.journeys.service import Record, Service, ask, refused


def opening(record: Record, who: Who) -> tuple[int, dict[str, object]]:
    body = {"ins": record.ins, "born": "1985-05-12"}
    answer = ask(record.service.http, "POST", "/v1/dossiers", who, body)
    return answer.status_code, answer.json()


def test_a_dossier_is_opened_once(service: Service) -> None:
    """The first opening answers with the dossier, the second is a conflict; both stand in the journal."""
    record = service.unopened()
    assert opening(record, HOSPITAL) == (
        201,
        {
            "dossier": record.id,
            "state": "open",
            "protected": False,
            "care_team_consent": False,
            "refuses_break_glass": False,
            "refuses_centre_15": False,
            "masked_in_emergency": False,
            "born": "1985-05-12",
        },
    )
    status, problem = opening(record, HOSPITAL)
    assert (status, problem["type"]) == (409, "urn:problem-type:dmp:conflict")
    told = [(entry["action"], entry["decision"], entry["rule"], entry.get("change")) for entry in record.trace()]
    assert told == [
        ("dossier:open", False, "already-open", None),
        ("dossier:open", True, "open", {"state": "open"}),
    ]


@pytest.mark.parametrize(
    "who, expected",
    [
        (STRANGER, (403, "not-permitted")),
        (SOCIAL.with_patient(), (403, "not-permitted")),
        (INSURER, (403, "prohibited-party")),
        (UNKNOWN, (403, "unknown-subject")),
        (Who(f"person/{uuid.UUID(int=7)}"), (403, "unknown-subject")),
    ],
)
def test_not_everybody_opens_a_dossier(service: Service, who: Who, expected: tuple[int, str]) -> None:
    """A professional needs the patient's presence and a health profession; the rule that refuses is named."""
    status, problem = opening(service.unopened(), who)
    assert (status, problem["reason"]) == expected


@pytest.mark.parametrize("who", [STRANGER.with_patient(), HOSPITAL, FUND])
def test_who_opens_a_dossier(service: Service, who: Who) -> None:
    """A health professional with the patient, a health facility, the fund."""
    assert opening(service.unopened(), who)[0] == 201


@pytest.mark.parametrize("ins", ["", "185057800608492", "18505780060849", "1850578006084911", "1" * 15])
def test_an_ins_with_a_wrong_key_opens_nothing(service: Service, ins: str) -> None:
    """What is no INS is refused, and not repeated in the answer."""
    body = {"ins": ins, "born": "1985-05-12"}
    for path in ("/v1/dossiers", "/v1/identities"):
        answer = ask(service.http, "POST", path, HOSPITAL, body if path == "/v1/dossiers" else {"ins": ins})
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:dmp:identifier")
        assert not ins or ins not in answer.text


def test_the_pseudonym_is_the_same_for_ever(service: Service) -> None:
    """One person, one pseudonym: a UUID that is not derived from anything but the deployment's secret and the INS."""
    record = service.unopened()
    assert service.person(record.ins) == record.id
    assert str(uuid.UUID(record.id)) == record.id


def test_the_dossiers_front_page_counts_what_its_reader_may_read(record: Record) -> None:
    """State, switches, and one count for each space; what is masked does not count for those to whom it is."""
    record.deposited(HOSPITAL)
    masked = record.deposited(HOSPITAL)
    record.deposited(record.holder, document_type=NOTE)
    record.change(masked, record.holder, masked=True)
    record.grant(STRANGER.subject.partition("/")[2])

    def counted(who: Who) -> dict[str, int]:
        spaces = record.ask("GET", "", who).raise_for_status().json()["spaces"]
        return {space: count for space, count in spaces.items() if count}

    assert counted(record.holder) == {"reports": 2, "personal": 1}
    assert counted(STRANGER)["reports"] == 1
    page = record.ask("GET", "", record.holder).json()
    assert (page["dossier"], page["state"], page["refuses_break_glass"]) == (record.id, "open", False)
    assert list(page["spaces"]) == [
        "reports", "imaging", "summaries", "treatments", "analyses", "prevention", "certificates", "reimbursements",
        "personal",
    ]  # fmt: skip


def test_a_closed_dossier_is_closed_to_all_but_those_who_may_reopen_it(record: Record) -> None:
    """The holder closes and reopens; meanwhile nobody reads, and the holder still reads the trace."""
    document = record.deposited(HOSPITAL)
    record.declare_treating_physician()
    answer = record.ask("PUT", "/state", record.holder, {"state": "closed"})
    assert (answer.status_code, answer.json()) == (200, {"state": "closed"})
    assert refused(record.read(document, TREATING)) == (403, "dossier-closed")
    assert refused(record.read(document, record.holder)) == (403, "dossier-closed")
    assert refused(record.deposit(HOSPITAL)) == (403, "dossier-closed")
    assert refused(record.ask("PUT", "/state", FUND, {"state": "open"})) == (403, "dossier-closed")
    assert record.trace()[0]["rule"] == "dossier-closed"
    assert record.ask("PUT", "/state", record.holder, {"state": "open"}).status_code == 200
    assert record.read(document, TREATING).content == b"content"


def test_the_fund_suspends_and_reopens(record: Record) -> None:
    """A suspended dossier is reopened by the fund alone."""
    assert refused(record.ask("PUT", "/state", record.holder, {"state": "suspended"})) == (403, "not-permitted")
    assert record.ask("PUT", "/state", FUND, {"state": "suspended"}).status_code == 200
    assert refused(record.ask("PUT", "/state", record.holder, {"state": "open"})) == (403, "dossier-closed")
    with record.traced() as entries:
        assert record.ask("PUT", "/state", FUND, {"state": "open"}).status_code == 200
    assert [(entry["rule"], entry["change"]) for entry in entries] == [("fund", {"state": "open", "was": "suspended"})]


def test_reopening_what_is_open_is_a_conflict(record: Record) -> None:
    """The rules let the holder reopen; since nothing changes it is a conflict, and the decision is written down."""
    with record.traced() as entries:
        assert record.ask("PUT", "/state", record.holder, {"state": "open"}).status_code == 409
    assert [(entry["action"], entry["decision"], "change" in entry) for entry in entries] == [
        ("dossier:reopen", True, False)
    ]


@pytest.mark.parametrize("body", [{}, {"state": "none"}, {"state": "open", "more": 1}, {"state": None}, []])
def test_a_state_is_one_of_three_words(record: Record, body: object) -> None:
    """Anything else cannot be read, and says so without repeating it."""
    answer = record.ask("PUT", "/state", record.holder, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:dmp:malformed")


def test_an_erased_dossier_is_gone(record: Record) -> None:
    """No document, no content, no right remains; only the journal does, and the person may open a new one."""
    document = record.deposited(HOSPITAL, document_type=REPORT)
    record.declare_treating_physician()
    assert refused(record.ask("DELETE", "", TREATING)) == (403, "not-permitted")
    answer = record.ask("DELETE", "", record.holder)
    assert (answer.status_code, answer.content) == (204, b"")
    assert refused(record.read(document, record.holder)) == (404, "no-document")
    assert refused(record.ask("GET", "", record.holder)) == (403, "no-dossier")
    assert opening(record, record.holder)[0] == 201
    assert refused(record.read(document, record.holder)) == (404, "no-document")
    assert refused(record.ask("GET", "", TREATING)) == (403, "not-permitted")
    assert "dossier:erase" in [entry["action"] for entry in record.trace()]


def test_masked_documents_stay_masked_where_both_emergencies_are_refused(record: Record) -> None:
    """The third switch is forced to false, in the answer and in the dossier."""
    switches = record.set_emergency(break_glass=True, centre_15=True, masked=True)
    assert switches == {"refuses_break_glass": True, "refuses_centre_15": True, "masked_in_emergency": False}
    kept = record.ask("GET", "", record.holder).json()
    assert {name: kept[name] for name in switches} == switches
    assert record.set_emergency(break_glass=True, masked=True)["masked_in_emergency"] is True


def test_emergencies(record: Record) -> None:
    """Break-glass takes a reason and a health professional, and lifts a mask only if the patient permits it."""
    document = record.deposited(HOSPITAL)
    masked = record.deposited(HOSPITAL)
    record.change(masked, record.holder, masked=True)
    breaking = STRANGER.breaking_the_glass()
    assert record.read(document, breaking).status_code == 200
    assert refused(record.read(document, STRANGER.breaking_the_glass("Urgence  "))) == (403, "reason-required")
    assert refused(record.read(document, SOCIAL.breaking_the_glass())) == (404, "no-document")
    assert refused(record.read(masked, breaking)) == (404, "no-document")
    record.set_emergency(masked=True)
    assert record.read(masked, breaking).status_code == 200
    record.set_emergency(break_glass=True, masked=True)
    assert refused(record.read(document, breaking)) == (403, "break-glass-refused")


def test_the_button_tells_only_of_open_dossiers(service: Service) -> None:
    """In the order asked; true for an open dossier, to whom may know; nothing of it is journaled."""
    record, closed, absent = service.opened(), service.opened(), service.unopened()
    closed.ask("PUT", "/state", closed.holder, {"state": "closed"})

    def exist(who: Who) -> list[bool]:
        body = {"persons": [absent.id, record.id, closed.id, record.id]}
        answer: list[bool] = ask(service.http, "POST", "/v1/dossiers/exist", who, body).json()["exist"]
        return answer

    with record.traced() as entries:
        assert exist(STRANGER.without_card()) == [False, True, False, True]
        assert exist(INSURER) == [False, False, False, False]
        assert exist(UNKNOWN) == [False, False, False, False]
    assert entries == []


def test_the_button_takes_five_hundred_persons(record: Record) -> None:
    """One more is refused."""
    five_hundred = [str(uuid.UUID(int=number)) for number in range(1, 500)] + [record.id]
    path = "/v1/dossiers/exist"
    answer = ask(record.service.http, "POST", path, HOSPITAL, {"persons": five_hundred})
    assert answer.json()["exist"] == [False] * 499 + [True]
    assert ask(record.service.http, "POST", path, HOSPITAL, {"persons": [*five_hundred, record.id]}).status_code == 400


def test_the_instant_of_a_change_is_the_requests(record: Record) -> None:
    """Entries carry the time of the decision, between before and after."""
    before = datetime.now(UTC)
    record.set_emergency()
    after = datetime.now(UTC)
    assert before <= datetime.fromisoformat(record.trace()[0]["at"]) <= after
