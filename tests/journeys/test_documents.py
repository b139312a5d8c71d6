"""Documents: deposit, versions, visibility, status, contest, directives, listing."""

import uuid

import pytest

from tests.journeys.people import (
    ANALYSIS,
    CLINIC_ID,
    CLINICIAN_RPPS,
    DIRECTIVES,
    FUND,
    HOSPITAL,
    HOSPITAL_ID,
    LABORATORY,
    NOTE,
    NURSE,
    REIMBURSEMENT,
    REPORT,
    SAMU,
    SAMU_RPPS,
    SECRETARY,
    STRANGER,
    STRANGER_RPPS,
    TREATING,
    Json,
    Who,
)
from tests.journeys.service import Record, refused


def sheet(record: Record, document: str, who: Who) -> Json:
    told: Json = record.about("GET", document, who).raise_for_status().json()
    return told


def listed(record: Record, who: Who, **query: object) -> list[str]:
    page = record.ask("GET", "/documents", who, params=query).raise_for_status().json()
    return [each["id"] for each in page["documents"]]


def test_a_deposit_is_acknowledged_and_read_back(record: Record) -> None:
    """The receipt gives id, version, size and digest; the metadata come back as they were given."""
    answer = record.deposit(HOSPITAL, b"abc", title="Compte rendu n° 1")
    receipt = answer.json()
    # SHA-256 of "abc": FIPS 180-2, appendix B.1.
    assert (answer.status_code, receipt["version"], receipt["size"], receipt["sha256"]) == (
        201, 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )  # fmt: skip
    told = sheet(record, receipt["id"], record.holder)
    assert told | {"deposited_at": "", "may": []} == {
        "id": receipt["id"], "dossier": record.id, "series": receipt["id"], "version": 1, "document_type": REPORT,
        "space": "reports", "author": {"type": "organization", "id": HOSPITAL_ID},
        "created_at": "2026-10-01T08:00:00Z", "status": "current", "masked": False, "withheld": False,
        "hidden_from_representatives": False, "obligations": ["write_down"], "has_content": True,
        "title": "Compte rendu n° 1", "content_type": "text/plain", "size": 3, "deposited_at": "", "may": [],
    }  # fmt: skip
    assert set(told["may"]) == {"document:read", "document:mask", "document:unmask", "document:contest"}


@pytest.mark.parametrize(
    "who, document_type, expected",
    [
        (HOSPITAL, NOTE, (403, "not-permitted")),
        (HOSPITAL, REIMBURSEMENT, (403, "not-permitted")),
        (FUND, REPORT, (403, "not-permitted")),
        (SECRETARY, REPORT, None),
        (STRANGER, REPORT, None),
        (FUND, REIMBURSEMENT, None),
        (LABORATORY, ANALYSIS, None),
    ],
)
def test_who_deposits_what(record: Record, who: Who, document_type: str, expected: tuple[int, str] | None) -> None:
    """Care deposits care, the fund reimbursements, the patient what is his."""
    answer = record.deposit(who, document_type=document_type)
    assert answer.status_code == 201 if expected is None else refused(answer) == expected


def test_the_patient_deposits_his_own(record: Record) -> None:
    """A patient's document or directives, and no report."""
    assert record.deposit(record.holder, document_type=NOTE).status_code == 201
    assert record.deposit(record.holder, document_type=DIRECTIVES).status_code == 201
    assert refused(record.deposit(record.holder)) == (403, "not-permitted")


def test_the_author_is_who_signs(record: Record) -> None:
    """The organization for its staff; an organization may name a professional who exercises there, and nobody else."""
    by_staff = record.deposited(SECRETARY)
    assert sheet(record, by_staff, record.holder)["author"] == {"type": "organization", "id": HOSPITAL_ID}
    named = {"type": "professional", "id": SAMU_RPPS}
    by_physician = record.deposited(HOSPITAL, author=named)
    assert sheet(record, by_physician, record.holder)["author"] == named
    for author in (
        {"type": "professional", "id": STRANGER_RPPS},
        {"type": "professional", "id": CLINICIAN_RPPS},
        {"type": "organization", "id": CLINIC_ID},
        {"type": "person", "id": record.id},
    ):
        assert record.deposit(HOSPITAL, author=author).status_code == 400
    assert record.deposit(STRANGER, author=named).status_code == 400
    assert refused(record.read(by_physician, SAMU)) == (403, "not-permitted")


@pytest.mark.parametrize(
    "metadata",
    [
        {"document_type": "none"},
        {"title": ""},
        {"title": "x" * 301},
        {"content_type": "text"},
        {"content_type": "text/plain\r\nX: y"},
        {"created_at": "yesterday"},
        {"created_at": "2026-10-01T08:00:00"},
        {"masked": "yes"},
        {"more": 1},
        {"replaces": "1"},
        {"author": {"type": "staff", "id": "secretary-1"}},
        {"author": {"type": "professional", "id": "10000000018"}},
    ],
)
def test_metadata_are_what_they_must_be(record: Record, metadata: Json) -> None:
    """Whatever else is refused before a byte of content is kept."""
    assert record.deposit(HOSPITAL, **metadata).status_code == 400
    assert listed(record, record.holder) == []


def test_a_document_is_not_withheld_and_masked_at_once(record: Record) -> None:
    """Two opposite wishes: the professional's and the patient's."""
    assert refused(record.deposit(HOSPITAL, masked=True, withheld=True)) == (403, "withheld-and-masked")


def test_a_withheld_document_is_revealed(record: Record) -> None:
    """The patient does not see it until a professional who may reveals it; who reads it before is alerted."""
    record.declare_treating_physician()
    document = record.deposited(LABORATORY, document_type=ANALYSIS, withheld=True)
    assert refused(record.read(document, record.holder)) == (404, "no-document")
    assert listed(record, record.holder) == []
    told = sheet(record, document, TREATING)
    assert (told["withheld"], "alert_withheld" in told["obligations"]) == (True, True)
    assert refused(record.about("PATCH", document, TREATING, {"masked": True})) == (403, "withheld-and-masked")
    assert refused(record.about("PATCH", document, NURSE, {"withheld": False})) == (404, "no-document")
    record.change(document, TREATING, withheld=False)
    assert record.read(document, record.holder).status_code == 200
    assert sheet(record, document, TREATING)["withheld"] is False


@pytest.mark.parametrize(
    "body",
    [{}, {"withheld": True}, {"masked": True, "status": "archived"}, {"status": "deleted"}, {"masked": None}],
)
def test_a_change_is_one_change(record: Record, body: Json) -> None:
    """One member, and nothing is withheld again."""
    document = record.deposited(HOSPITAL)
    assert record.about("PATCH", document, record.holder, body).status_code == 400


def test_a_replacement_is_a_new_document(record: Record) -> None:
    """Another id, the next version; the old one is superseded, still read, and changed no more."""
    first = record.deposited(HOSPITAL, b"one")
    receipt = record.deposit(HOSPITAL, b"two", replaces=first).json()
    assert (receipt["version"], receipt["id"] != first) == (2, True)
    old, new = sheet(record, first, record.holder), sheet(record, receipt["id"], record.holder)
    assert [(each["series"], each["version"], each["status"]) for each in (old, new)] == [
        (first, 1, "superseded"),
        (first, 2, "current"),
    ]
    assert [record.read(each, record.holder).content for each in (first, receipt["id"])] == [b"one", b"two"]
    assert refused(record.deposit(HOSPITAL, b"three", replaces=first)) == (403, "superseded")
    assert refused(record.about("PATCH", first, HOSPITAL, {"status": "archived"})) == (403, "superseded")
    assert record.deposit(HOSPITAL, b"three", replaces=receipt["id"]).json()["version"] == 3


def test_a_replacement_keeps_type_and_author(record: Record) -> None:
    """It is the same document, better; and nobody replaces what he did not write."""
    first = record.deposited(HOSPITAL, author={"type": "professional", "id": SAMU_RPPS})
    assert record.deposit(SAMU, replaces=first, document_type=ANALYSIS).status_code == 400
    other = {"type": "professional", "id": STRANGER_RPPS}
    assert record.deposit(SAMU, replaces=first, author=other).status_code == 400
    assert refused(record.deposit(STRANGER, replaces=first)) == (404, "no-document")
    assert refused(record.deposit(record.holder, replaces=first)) == (404, "no-document")
    assert refused(record.deposit(SAMU, replaces=str(uuid.uuid4()))) == (404, "no-document")
    elsewhere = record.service.opened()
    assert refused(elsewhere.deposit(SAMU, replaces=first)) == (404, "no-document")
    assert record.deposit(SAMU, replaces=first).status_code == 201


def test_a_replacement_inherits_what_hides_it(record: Record) -> None:
    """Masked, withheld, hidden: as what it replaces, whatever its metadata say."""
    masked = record.deposited(HOSPITAL)
    record.change(masked, record.holder, masked=True)
    withheld = record.deposited(HOSPITAL, withheld=True)
    hidden = record.deposited(HOSPITAL, hidden_from_representatives=True)
    record.declare_treating_physician()
    told = [sheet(record, record.deposited(HOSPITAL, replaces=each), TREATING) for each in (masked, withheld, hidden)]
    assert [(each["masked"], each["withheld"], each["hidden_from_representatives"]) for each in told] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_a_mask_holds_for_all_versions(record: Record) -> None:
    """Whichever version is named; and so does its lifting."""
    record.grant()
    first = record.deposited(HOSPITAL)
    second = record.deposited(HOSPITAL, replaces=first)
    assert sorted(listed(record, NURSE)) == sorted([first, second])
    record.change(first, record.holder, masked=True)
    assert listed(record, NURSE) == []
    assert [refused(record.read(each, NURSE)) for each in (first, second)] == [(404, "no-document")] * 2
    record.change(second, record.holder, masked=False)
    assert [record.read(each, NURSE).status_code for each in (first, second)] == [200, 200]


def test_an_author_archives_and_restores(record: Record) -> None:
    """An archived document is read, and changed by nobody until it is restored."""
    document = record.deposited(HOSPITAL)
    assert refused(record.about("PATCH", document, HOSPITAL, {"status": "current"})) == (403, "archived")
    record.change(document, HOSPITAL, status="archived")
    assert sheet(record, document, record.holder)["status"] == "archived"
    assert refused(record.deposit(HOSPITAL, replaces=document)) == (403, "archived")
    assert refused(record.about("DELETE", document, HOSPITAL)) == (403, "archived")
    assert record.read(document, record.holder).status_code == 200
    with record.traced() as entries:
        record.change(document, HOSPITAL, status="current")
    assert entries[0]["change"] == {"status": "current", "was": "archived"}
    assert refused(record.about("PATCH", document, record.holder, {"status": "archived"})) == (404, "no-document")


def test_a_deleted_document_is_gone_for_all(record: Record) -> None:
    """To others it never existed; its author is told; its key and its object are destroyed."""
    record.declare_treating_physician()
    document = record.deposited(HOSPITAL)
    assert refused(record.about("DELETE", document, record.holder)) == (404, "no-document")
    answer = record.about("DELETE", document, HOSPITAL)
    assert (answer.status_code, answer.content) == (204, b"")
    for who in (record.holder, TREATING, STRANGER, STRANGER.breaking_the_glass()):
        assert refused(record.read(document, who)) == (404, "no-document")
    assert refused(record.about("GET", document, HOSPITAL)) == (403, "document-deleted")
    assert refused(record.about("DELETE", document, HOSPITAL)) == (403, "document-deleted")
    assert listed(record, record.holder) == []


def test_a_contested_document_stays_readable_and_says_so(record: Record) -> None:
    """The holder contests, with a reason; the author keeps it, with another; both stand beside the document."""
    record.declare_treating_physician()
    document = record.deposited(HOSPITAL)
    contest = {"reason": "Mauvais côté"}
    path = f"{document}/contest"
    assert record.about("PUT", path, HOSPITAL, {"kept": True, "reason": "Vérifié"}).status_code == 404
    assert refused(record.about("POST", path, TREATING, contest)) == (404, "no-document")
    assert record.about("POST", path, record.holder, contest).status_code == 204
    told = sheet(record, document, TREATING)["contested"]
    assert told | {"at": ""} == {"reason": "Mauvais côté", "at": ""}
    assert record.about("PUT", path, HOSPITAL, {"kept": False, "reason": "Non"}).status_code == 400
    assert record.about("PUT", path, HOSPITAL, {"kept": True, "reason": "Vérifié"}).status_code == 204
    told = sheet(record, document, record.holder)["contested"]
    assert told | {"at": "", "answered_at": ""} == {
        "reason": "Mauvais côté",
        "at": "",
        "kept": True,
        "answer": "Vérifié",
        "answered_at": "",
    }
    replaced = record.deposited(HOSPITAL, replaces=document)
    assert "contested" not in sheet(record, replaced, record.holder)


def test_the_latest_current_directives_are_in_force(record: Record) -> None:
    """The others say that they are not; other documents say nothing of it."""
    old = record.deposited(record.holder, document_type=DIRECTIVES, created_at="2020-01-01T00:00:00Z")
    new = record.deposited(record.holder, document_type=DIRECTIVES, created_at="2025-01-01T00:00:00Z")
    note = record.deposited(record.holder, document_type=NOTE)
    assert [sheet(record, each, record.holder).get("in_force") for each in (old, new, note)] == [False, True, None]
    page = record.ask("GET", "/documents", record.holder).json()["documents"]
    assert {each["id"]: each.get("in_force") for each in page} == {old: False, new: True, note: None}
    record.change(new, record.holder, status="archived")
    assert [sheet(record, each, record.holder)["in_force"] for each in (old, new)] == [True, False]


def test_a_listing_goes_page_by_page(record: Record) -> None:
    """Newest first, by space if asked; what may not be read leaves no gap."""
    documents = [
        record.deposited(HOSPITAL, created_at=f"2026-0{month}-01T00:00:00Z", masked=month % 2 == 0)
        for month in range(1, 8)
    ]
    analysis = record.deposited(LABORATORY, document_type=ANALYSIS, created_at="2026-09-01T00:00:00Z")
    record.grant()
    shown: list[str] = []
    after: str | None = ""
    while after is not None:
        query = {"limit": 2, "space": "reports"} | ({"after": after} if after else {})
        page = record.ask("GET", "/documents", NURSE, params=query).json()
        assert len(page["documents"]) <= 2
        shown += [each["id"] for each in page["documents"]]
        after = page["next"]
    assert shown == [documents[6], documents[4], documents[2], documents[0]]
    assert listed(record, record.holder)[0] == analysis
    assert len(listed(record, record.holder)) == 8
    assert [listed(record, NURSE, space=space) for space in ("imaging", "analyses")] == [[], [analysis]]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"limit": "1001"}, {"space": "attic"}, {"after": "x"}, {"after": "AAAA"}]
)
def test_a_listing_asked_wrongly_is_refused(record: Record, query: dict[str, str]) -> None:
    """A limit is a number, a space one of the nine, a place one that was given."""
    assert record.ask("GET", "/documents", record.holder, params=query).status_code == 400


def test_a_listing_is_refused_as_a_whole(record: Record) -> None:
    """Who may not list is told why; a dossier is no secret as a document is."""
    assert refused(record.ask("GET", "/documents", STRANGER)) == (403, "not-permitted")
    assert refused(record.ask("GET", "/documents", TREATING.without_card())) == (403, "weak-authentication")


def test_an_imported_document_has_no_content(record: Record) -> None:
    """Its facts are known, its content answers 404 until one is deposited."""
    document = str(uuid.uuid4())
    record.service.learn(
        {
            "kind": "document", "id": document, "dossier_ins": record.ins, "document_type": REPORT,
            "author": {"type": "organization", "id": HOSPITAL_ID}, "created_at": "2026-10-01T08:00:00Z",
            "masked": False, "withheld_until": None, "hidden_from_representatives": False, "status": "current",
        }
    )  # fmt: skip
    assert sheet(record, document, record.holder)["has_content"] is False
    answer = record.read(document, record.holder)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem-type:dmp:no-content")
