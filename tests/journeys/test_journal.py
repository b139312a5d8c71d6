"""The trace: one entry for each decision, who may read it, and its proof."""

import asyncio
import uuid
from dataclasses import dataclass

import httpx
import pytest

from api.parts import open_parts
from tests.journeys.people import (
    HOSPITAL,
    HOSPITAL_ID,
    NOTE,
    NURSE,
    NURSE_RPPS,
    SAMU,
    STRANGER,
    TREATING,
    TREATING_RPPS,
    UNKNOWN,
    Json,
    Who,
)
from tests.journeys.service import Record, Service, refused
from vault.errors import ProofError
from vault.journal.checkpoint import Verifier
from vault.journal.proof import Proof, verify_inclusion


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry is recognised by."""

    action: str
    decision: bool
    rule: str


def brief(entries: list[Json]) -> list[Told]:
    return [Told(entry["action"], entry["decision"], entry["rule"]) for entry in entries]


def test_each_decision_has_one_entry(record: Record) -> None:
    """Given or refused, read or changed: one request, one entry, in their order."""
    record.declare_treating_physician()
    with record.traced() as entries:
        document = record.deposited(HOSPITAL)
        record.about("GET", document, record.holder)
        record.read(document, TREATING)
        record.read(document, STRANGER)
        record.read(document, TREATING, Range="bytes=0-0")
        record.ask("GET", "", record.holder)
        record.change(document, record.holder, masked=True)
        record.ask("GET", "/accesses", STRANGER)
        record.deposit(STRANGER, document_type=NOTE)
        record.ask("GET", "/documents", STRANGER)
    assert brief(entries) == [
        Told("document:deposit", True, "depositor"),
        Told("document:read", True, "holder"),
        Told("document:read", True, "treating-physician"),
        Told("document:read", False, "not-permitted"),
        Told("document:read", True, "treating-physician"),
        Told("document:list", True, "holder"),
        Told("document:mask", True, "holder"),
        Told("access:list", False, "not-permitted"),
        Told("document:deposit", False, "not-permitted"),
        Told("document:list", False, "not-permitted"),
    ]
    assert entries[0]["change"]["document"] == document
    assert entries[6]["change"] == {"masked": True}
    assert [entry["entry"] for entry in entries] == list(range(entries[0]["entry"], entries[0]["entry"] + 10))


def test_an_entry_says_who_when_why_and_by_which_rules(record: Record) -> None:
    """All that INTERFACES and RULES ask for: also the client, the request, the place and the reason."""
    document = record.deposited(HOSPITAL)
    who = SAMU.breaking_the_glass("Arrêt cardiaque à domicile")
    who = Who(who.subject, who.authentication, who.mode, who.reason, organization=HOSPITAL_ID)
    with record.traced() as entries:
        request_id = record.read(document, who, **{"X-Request-ID": "appel-7"}).headers["x-request-id"]
    (entry,) = entries
    revision = record.service.http.get("/v1/policy").json()["revision"]
    assert entry | {"at": "", "entry": 0, "text": ""} == {
        "entry": 0, "at": "", "text": "", "subject": {"type": "professional", "id": who.subject.partition("/")[2]},
        "organization": HOSPITAL_ID, "action": "document:read", "resource": {"type": "document", "id": document},
        "mode": "break_glass", "reason": "Arrêt cardiaque à domicile", "decision": True, "rule": "break-glass",
        "obligations": ["notify_patient", "notify_treating_physicians", "write_down"], "client": "journeys",
        "request_id": request_id, "revision": revision,
    }  # fmt: skip
    assert request_id == "appel-7"


def test_an_organization_that_is_not_his_is_not_told(record: Record) -> None:
    """Where a professional says that he acts is journaled if he exercises there, otherwise passed over."""
    document = record.deposited(HOSPITAL)
    with record.traced() as entries:
        record.read(document, Who(SAMU.subject, "cps", organization="330000001"))
    assert [entry.get("organization") for entry in entries] == [None]


def test_a_listing_is_one_entry_that_names_its_items(record: Record) -> None:
    """The listing itself and each document shown; what was not shown is not told."""
    record.grant()
    shown = [record.deposited(HOSPITAL) for _ in range(2)]
    record.deposited(HOSPITAL, masked=True)
    with record.traced() as entries:
        record.ask("GET", "/documents", NURSE)
    (entry,) = entries
    items = [(item["action"], item["resource"]["id"], item["decision"], item["rule"]) for item in entry["items"]]
    assert items[0] == ("document:list", record.id, True, "granted")
    assert sorted(items[1:]) == sorted(("document:read", each, True, "granted") for each in shown)
    assert entry["resource"] == {"type": "dossier", "id": record.id}


def test_what_is_asked_to_know_is_not_written(record: Record) -> None:
    """Dry runs, searches, the DMP button and pseudonyms leave no entry."""
    service = record.service
    document = record.deposited(HOSPITAL)
    with record.traced() as entries:
        service.evaluate(STRANGER, "document:read", ("document", document), dry_run=True)
        service.evaluate(STRANGER, "dossier:exists", record.resource)
        service.http.post("/v1/dossiers/exist", json={"persons": [record.id]}, headers=STRANGER.headers())
        service.person(record.ins)
        search = {"subject": STRANGER.entity(), "resource": {"type": "dossier", "id": record.id}}
        service.http.post("/access/v1/search/action", json=search).raise_for_status()
    assert entries == []


def test_a_professional_reads_his_own_trace(record: Record) -> None:
    """Only his entries; the holder and the treating physician read all of it."""
    record.declare_treating_physician()
    record.ask("GET", "/documents", STRANGER)
    record.read(record.deposited(HOSPITAL), TREATING)
    answer = record.ask("GET", "/journal", STRANGER)
    entries = answer.json()["entries"]
    assert {entry["subject"]["id"] for entry in entries} == {STRANGER.subject.partition("/")[2]}
    assert brief(entries) == [
        Told("journal:read", True, "own-trace"),
        Told("document:list", False, "not-permitted"),
    ]
    assert entries[0]["obligations"] == ["own_entries_only", "write_down"]
    own = {entry["entry"] for entry in entries}
    others = [entry["entry"] for entry in record.trace() if entry["entry"] not in own]
    assert record.ask("GET", f"/journal/{others[0]}/proof", STRANGER).status_code == 404
    assert record.ask("GET", f"/journal/{min(own)}/proof", STRANGER).status_code == 200
    whole = record.ask("GET", "/journal", TREATING).json()["entries"]
    assert {entry["subject"]["type"] for entry in whole} == {"person", "organization", "professional"}


def test_his_own_trace_tells_nobody_what_he_may_not_know(service: Service, record: Record) -> None:
    """That a document is masked, or is there at all: neither a refusal, nor one item of a batch, nor a proof."""
    masked = record.deposited(HOSPITAL, masked=True)
    record.grant(NURSE_RPPS)
    record.read(masked, NURSE)
    shown, which = record.deposited(HOSPITAL), "document:read"
    asked = [{"resource": {"type": "document", "id": each}} for each in (masked, shown)]
    batch = {"subject": NURSE.entity(), "context": {"authentication": "cps"}, "action": {"name": which}}
    answer = service.http.post("/access/v1/evaluations", json=batch | {"evaluations": asked})
    assert [each["decision"] for each in answer.json()["evaluations"]] == [False, True]
    told = record.ask("GET", "/journal", NURSE)
    assert (masked in told.text, shown in told.text) == (False, True)
    hidden = [entry["entry"] for entry in record.trace() if masked in str(entry) and entry["action"] == which]
    assert len(hidden) == 2
    for number in hidden:
        assert record.ask("GET", f"/journal/{number}/proof", NURSE).status_code == 404


@pytest.mark.parametrize("who", [UNKNOWN, STRANGER.without_card(), Who("staff/secretary-1")])
def test_not_everybody_reads_a_trace(record: Record, who: Who) -> None:
    """Refused, and that is written down too."""
    answer = record.ask("GET", "/journal", who)
    assert answer.status_code == 403
    assert record.trace()[0]["rule"] == refused(answer)[1]


def test_the_journal_goes_page_by_page(record: Record) -> None:
    """Newest first, each entry once, though every page adds one."""
    for _ in range(4):
        record.set_emergency()
    newest = record.trace()[0]["entry"]
    numbers: list[int] = []
    after: int | None = newest + 1
    while after is not None:
        page = record.ask("GET", "/journal", record.holder, params={"limit": 2, "after": after}).json()
        numbers += [entry["entry"] for entry in page["entries"]]
        after = page["next"]
    assert numbers == list(range(newest, 0, -1))


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": "-1"}, {"after": "9" * 30}, {"limit": "0"}])
def test_a_page_of_the_journal_asked_wrongly_is_refused(record: Record, query: dict[str, str]) -> None:
    """Numbers, within bounds."""
    assert record.ask("GET", "/journal", record.holder, params=query).status_code == 400


def test_fhir(record: Record) -> None:
    """The same entries as AuditEvents, for who asks for FHIR."""
    record.read(record.deposited(HOSPITAL), STRANGER)
    answer = record.ask("GET", "/journal", record.holder, headers={"Accept": "application/fhir+json"})
    bundle = answer.json()
    assert answer.headers["content-type"] == "application/fhir+json"
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    events = [entry["resource"] for entry in bundle["entry"]]
    assert {event["resourceType"] for event in events} == {"AuditEvent"}
    codes = [(event["subtype"][1]["code"], event["outcome"], event["outcomeDesc"]) for event in events]
    assert codes[:3] == [
        ("journal:read", "0", "holder"),
        ("document:read", "8", "not-permitted"),
        ("document:deposit", "0", "depositor"),
    ]


def verifier_of(service: Service) -> Verifier:
    """The public key of the deployment's journal, as its operator hands it out."""

    async def read() -> Verifier:
        async with open_parts(service.stack.settings) as parts:
            return parts.signer.verifier

    return asyncio.run(read())


def test_a_proof_is_verified_without_the_service(record: Record) -> None:
    """Every entry that the holder sees can be proved, with nothing but the proof and the public key."""
    record.read(record.deposited(HOSPITAL), STRANGER)
    verifier = Verifier.parse(str(verifier_of(record.service)))
    for entry in record.trace():
        answer = record.ask("GET", f"/journal/{entry['entry']}/proof", record.holder)
        line = verify_inclusion(Proof.parse(answer.content), [verifier])
        assert line.entry is not None
        assert (line.sequence, line.entry.action, line.entry.rule, str(line.entry.dossier)) == (
            entry["entry"],
            entry["action"],
            entry["rule"],
            record.id,
        )
    genuine = record.ask("GET", "/journal/1/proof", record.holder).content
    forged = genuine.replace(b"dossier:open", b"dossier:shut")
    assert forged != genuine
    with pytest.raises(ProofError):
        verify_inclusion(Proof.parse(forged), [verifier])


@pytest.mark.parametrize("entry", ["0", "999999", "9223372036854775808", "9" * 40, "-1"])
def test_what_is_no_entry_has_no_proof(record: Record, entry: str) -> None:
    """A number that no entry has, however large, is not found."""
    assert record.ask("GET", f"/journal/{entry}/proof", record.holder).status_code == 404


def test_the_patient_is_notified_of_a_first_reading(record: Record) -> None:
    """Of a professional's first, not of the next; of every one in an emergency."""
    record.declare_treating_physician()
    first, second = (record.deposited(HOSPITAL) for _ in range(2))

    def asked(document: str, who: Who) -> list[str]:
        obligations: list[str] = record.about("GET", document, who).json()["obligations"]
        return obligations

    assert asked(first, TREATING) == ["notify_patient", "write_down"]
    assert asked(first, TREATING) == asked(second, TREATING) == ["write_down"]
    urgent = STRANGER.breaking_the_glass()
    both = ["notify_patient", "notify_treating_physicians", "write_down"]
    assert [asked(first, urgent), asked(first, urgent)] == [both, both]
    assert asked(first, record.holder) == ["write_down"]


def test_a_listing_alone_is_no_reading(record: Record) -> None:
    """Who has only seen an empty listing is still announced at his first reading."""
    record.grant(NURSE_RPPS)
    record.ask("GET", "/documents", NURSE)
    document = record.deposited(HOSPITAL)
    assert record.about("GET", document, NURSE).json()["obligations"] == ["notify_patient", "write_down"]


def test_a_question_about_no_dossier_is_written_elsewhere(service: Service) -> None:
    """Whoever asks about a person without a dossier leaves nothing in a dossier that is opened later."""
    record = service.unopened()
    assert refused(record.ask("GET", "", record.holder)) == (403, "no-dossier")
    assert refused(record.read(str(uuid.uuid4()), STRANGER)) == (404, "no-document")
    service.http.post("/v1/dossiers", json={"ins": record.ins, "born": "1985-05-12"}, headers=HOSPITAL.headers())
    assert brief(record.trace()) == [Told("dossier:open", True, "open")]


def test_the_whole_journal_verifies(service: Service, record: Record) -> None:
    """From the first entry to the last, by the operator's command."""
    record.read(record.deposited(HOSPITAL), Who(f"professional/{TREATING_RPPS}"))
    verified = service.stack.dmp("journal", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_client_without_the_scope_reads_no_journal(service: Service, record: Record) -> None:
    """The scope is asked for before anything is decided."""
    answer = httpx.get(f"{service.server.address}{record.path('/journal')}", headers=record.holder.headers())
    assert answer.status_code == 401
