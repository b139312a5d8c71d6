"""The second act: the life of a record, from the opening to the erasure."""

import json
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx

from api.cli.demo.story import (
    CONTENT,
    HOSPITAL,
    INSURER,
    NURSE,
    PHARMACY,
    STRANGER,
    TREATING_PHYSICIAN,
    Json,
    Record,
    Story,
    Told,
    Who,
    with_card,
)
from api.cli.running import dmp

WOMAN_INS = "255081416802538"
NOBODY_INS = "160127511200161"
STRUCTURED = "application/fhir+json"
REPORT_TITLE = "Échographie du côté gauche"


def play(story: Story, fund: httpx.Client, home: Path) -> None:
    """All of it; nothing is left of the dossier but its trace."""
    record = play_opening(story)
    play_feeding(record, fund)
    play_care(record)
    report = play_writing(record)
    play_correcting(record, report)
    play_copy(record, home)
    play_figures(story, home)
    play_closing(record, report)


def play_opening(story: Story) -> Record:
    """A woman opens her dossier by herself; the button of a practice's software knows before and after."""
    http, physician = story.http, with_card(TREATING_PHYSICIAN)
    person = http.post("/v1/identities", json={"ins": WOMAN_INS}).raise_for_status().json()["person"]
    record = Record(story, person)
    story.chapter("A record begins")

    def button(question: str, *, there: bool) -> None:
        request = http.build_request("POST", "/v1/dossiers/exist", json={"persons": [person]})
        answer = story.step(question, physician, "dossier:exists", ("dossier", person), request, (True, "exists"))
        told = answer.json()["exist"]
        story.tell("... and is told", "yes" if told[0] else "no", "", expected=told == [there])

    button("The physician's software asks for her dossier", there=False)
    request = http.build_request("POST", "/v1/dossiers", json={"ins": WOMAN_INS, "born": "1955-08-14"})
    story.step("She opens it herself", record.holder, "dossier:open", ("dossier", person), request, (True, "holder"))
    button("The software asks again", there=True)
    record.rights(
        "She declares a treating physician",
        record.holder,
        "treating_physician:declare",
        "/treating-physicians/10000000017",
        {"professional": "10000000017"},
    )
    record.rights(
        "She gives a nurse access",
        record.holder,
        "access:grant",
        "/accesses/professional/10000000025",
        {"professional": "10000000025"},
        {"access": "granted", "until": None},
    )
    return record


def play_feeding(record: Record, fund: httpx.Client) -> None:
    """What the fund knows enters line by line; what comes from elsewhere is looked at before it is taken."""
    story = record.story
    story.chapter("It feeds itself")
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    lines = [
        _reimbursed("line-1", WOMAN_INS, day, "3400932959358", "Ibuprofène 200 mg"),
        _reimbursed("line-2", WOMAN_INS, day, "NOTACODE!", "Ligne illisible"),
        _reimbursed("line-3", NOBODY_INS, day, "3400935955838", "Paracétamol 1 g"),
    ]
    sent = _feed(fund, lines)
    told = [result.get("reason", "taken") for result in sent]
    story.tell(
        "The fund sends three lines: hers, one that is wrong, one of a person without a dossier",
        ", ".join(told),
        "fund",
        expected=told == ["taken", "vocabulary", "no-dossier"],
    )
    (again,) = _feed(fund, lines[:1])
    story.tell("It sends the first again, since an answer was lost", "taken once", "fund", expected=again["ok"])
    scan = Told("Radiographie", "application/pdf", b"MZ this is a program")
    _deposit_refused(record, "A program comes under the name of a PDF", scan, "content-mismatch")
    forged = Told(
        "Compte rendu", "text/plain", CONTENT, {"author": {"type": "professional", "id": STRANGER.partition("/")[2]}}
    )
    _deposit_refused(
        record, "The hospital signs for a physician who does not work there", forged, "author-not-verified"
    )


def play_care(record: Record) -> None:
    """What structured documents say: treatments that do not go together, what is due, and to whom it is told."""
    story, physician, nurse = record.story, with_card(TREATING_PHYSICIAN), with_card(NURSE)
    story.chapter("Care over time")
    dispensed = _fhir("Dispensation", _dispensation("B01AA03", "Warfarine"))
    record.deposit("The pharmacy hands out an anticoagulant", Who(PHARMACY), "60593-1", (True, "depositor"), dispensed)
    protocol = record.deposit(
        "Her physician writes a protocol for diabetes",
        physician,
        "PROT_ALD",
        (True, "depositor"),
        _fhir("Protocole de soins", _condition("E11.9")),
    )
    treatments = _view(record, physician, "/treatments")
    pairs = [[side["label"] for side in each["between"]] for each in treatments["interactions"]]
    story.tell(
        "What was handed out and what was reimbursed do not go together",
        f"{len(pairs)} known interaction",
        "",
        expected=len(pairs) == 1,
    )

    def reminded(question: str, who: Who, *, expected: bool) -> None:
        rules = [each["rule"] for each in _view(record, who, "/reminders")["reminders"]]
        story.tell(question, "yes" if "eye-fundus" in rules else "no", "", expected=("eye-fundus" in rules) == expected)

    reminded("Her physician is reminded of the eye fundus", physician, expected=True)
    reminded("... and so is the nurse", nurse, expected=True)
    record.patch("She masks the protocol", record.holder, "document:mask", protocol, {"masked": True}, "holder")
    reminded("The nurse is still reminded", nurse, expected=False)
    reminded("Her physician is", physician, expected=True)


def play_writing(record: Record) -> str:
    """A message opens no document: the report to which it refers."""
    story, physician, nurse = record.story, with_card(TREATING_PHYSICIAN), with_card(NURSE)
    story.chapter("Professionals write to each other")
    report = record.deposit(
        "The hospital deposits a report", Who(HOSPITAL), "11488-4", (True, "depositor"), Told(REPORT_TITLE, *_TEXT)
    )
    record.patch("She masks it", record.holder, "document:mask", report, {"masked": True}, "holder")
    body = {"to": "10000000025", "subject": "Avis", "body": "Que pensez-vous du compte rendu ?", "documents": [report]}
    request = story.http.build_request("POST", record.path("/messages"), json=body)
    whole = ("dossier", record.dossier)
    expected = (True, "treating-physician")
    sent = story.step("Her physician writes to the nurse of it", physician, "message:send", whole, request, expected)
    message = sent.json()["id"]
    read = story.http.build_request("GET", f"/v1/messages/{message}")
    told = story.step(
        "The nurse reads the message", nurse, "message:read", ("message", message), read, (True, "correspondent")
    ).json()
    story.tell(
        "... which shows her the masked report", "no", "masked", expected=told["documents"] == [] and bool(told["body"])
    )
    record.read("She reads the report by its number", nurse, report, (False, "masked"))
    stranger = story.http.build_request("GET", f"/v1/messages/{message}")
    story.step(
        "Another physician reads the message",
        with_card(STRANGER),
        "message:read",
        ("message", message),
        stranger,
        (False, "not-permitted"),
    )
    return report


def play_correcting(record: Record, report: str) -> None:
    """The patient contests, the author answers; the latest directives are in force; titles are found by their words."""
    story, physician = record.story, with_card(TREATING_PHYSICIAN)
    story.chapter("She contests, and says what she wants")
    request = story.http.build_request("POST", f"/v1/documents/{report}/contest", json={"reason": "Mauvais côté"})
    document = ("document", report)
    story.step("She contests the report", record.holder, "document:contest", document, request, (True, "holder"))
    answer = {"kept": True, "reason": "Vérifié sur l’image"}
    request = story.http.build_request("PUT", f"/v1/documents/{report}/contest", json=answer)
    story.step("The hospital keeps it, with a reason", Who(HOSPITAL), "document:replace", document, request, _AUTHOR)
    first = record.deposit("She deposits her advance directives", record.holder, "EXPPAT_3", (True, "holder"))
    later = Told("Directives anticipées", *_TEXT, {"created_at": "2026-10-02T08:00:00Z"})
    second = record.deposit("... and others later", record.holder, "EXPPAT_3", (True, "holder"), later)
    shown = {each["id"]: each for each in _view(record, physician, "/documents")["documents"]}
    in_force = [shown[first]["in_force"], shown[second]["in_force"]]
    story.tell("Her physician sees which are in force", "the later ones", "", expected=in_force == [False, True])
    story.tell("... and that the report is contested", "yes", "", expected=shown[report]["contested"] is not None)

    def found(who: Who) -> list[str]:
        asked = {"title": "echographie cote"}
        answer = story.http.post(record.path("/documents/search"), json=asked, headers=who.headers())
        return [each["id"] for each in answer.raise_for_status().json()["documents"]]

    story.tell("He finds it by the words of its title", "1 found", "", expected=found(physician) == [report])
    story.tell("The nurse does not, since it is masked", "0 found", "", expected=found(with_card(NURSE)) == [])


def play_copy(record: Record, home: Path) -> None:
    """The copy of everything, which proves itself without the service."""
    story = record.story
    story.chapter("The copy")
    whole = ("dossier", record.dossier)
    request = story.http.build_request("POST", record.path("/exports"))
    story.step(
        "An insurer asks for a copy", Who(INSURER), "dossier:export", whole, request, (False, "prohibited-party")
    )
    request = story.http.build_request("POST", record.path("/exports"))
    ticket = story.step("She asks for it", record.holder, "dossier:export", whole, request, (True, "holder")).json()[
        "id"
    ]
    fetched = story.http.get(record.path(f"/exports/{ticket}"), headers=record.holder.headers())
    with tempfile.TemporaryDirectory(prefix="dmp-copy-") as folder, zipfile.ZipFile(BytesIO(fetched.content)) as copy:
        copy.extractall(folder)
        names = set(copy.namelist())
        verified = dmp(home, "journal", "verify", "--copy", folder)
    complete = {"index.html", "dossier.pdf", "bundle.json", "SHA256SUMS"} <= names
    story.tell("It holds pages, a print, a FHIR bundle", f"{len(names)} files", "holder", expected=complete)
    story.tell("It is verified, far from the service", "it holds", "", expected=verified.returncode == 0)


def play_figures(story: Story, home: Path) -> None:
    """What is told of all records is told of nobody."""
    story.chapter("Figures")
    told = dmp(home, "statistics", "--json")
    figures = json.loads(told.stdout)
    withheld = figures["dossiers"]["created"] is None and all(month["total"] is None for month in figures["openings"])
    answer = f"none under {figures['threshold']}"
    story.tell("How many dossiers were opened", answer, "", expected=told.returncode == 0 and withheld)


def play_closing(record: Record, report: str) -> None:
    """A closed record is her own; an erased one is nobody's."""
    story, physician = record.story, with_card(TREATING_PHYSICIAN)
    story.chapter("It ends")
    record.change("She closes the dossier", record.holder, "dossier:close", "/state", {"state": "closed"})
    record.read("Her physician reads the report", physician, report, (False, "dossier-closed"))
    request = story.http.build_request("POST", record.path("/exports"))
    whole = ("dossier", record.dossier)
    story.step("She asks for a copy all the same", record.holder, "dossier:export", whole, request, (True, "holder"))
    request = story.http.build_request("DELETE", record.path(""))
    story.step("She has it erased", record.holder, "dossier:erase", whole, request, (True, "holder"))
    record.read("She reads the report", record.holder, report, (False, "no-document"))
    record.read("Her physician reads it", physician, report, (False, "no-document"))


_TEXT = ("text/plain", CONTENT)
_AUTHOR = (True, "author")


def _feed(fund: httpx.Client, lines: Sequence[Json]) -> list[Json]:
    """What became of each line."""
    told = "\n".join(json.dumps(line) for line in lines)
    headers = {"Content-Type": "application/x-ndjson"}
    answer = fund.post("/v1/feeds/reimbursements", content=told, headers=headers).raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines()]


def _view(record: Record, who: Who, tail: str) -> Json:
    answer: Json = record.story.http.get(record.path(tail), headers=who.headers()).raise_for_status().json()
    return answer


def _deposit_refused(record: Record, question: str, told: Told, reason: str) -> None:
    """A deposit that the rules permit, and that is refused for what it is."""
    answer = record.story.http.post(
        record.path("/documents"), files=told.parts("11488-4", {}), headers=Who(HOSPITAL).headers()
    )
    given = answer.json().get("reason", "")
    record.story.tell(question, f"refused ({answer.status_code})", given, expected=given == reason)


def _reimbursed(line: str, ins: str, day: str, code: str, label: str) -> Json:
    told = {"id": line, "ins": ins, "care_date": day, "code": code, "label": label}
    return told | {"amount": "2.18", "reimbursed": "1.42"}


def _fhir(title: str, resource: Json) -> Told:
    return Told(title, STRUCTURED, json.dumps(resource).encode())


def _condition(code: str) -> Json:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": code}
    return {"resourceType": "Condition", "code": {"coding": [coding]}, "subject": {"display": "patient"}}


def _dispensation(atc: str, label: str) -> Json:
    coding = {"system": "http://www.whocc.no/atc", "code": atc, "display": label}
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "medicationCodeableConcept": {"coding": [coding], "text": label},
        "whenHandedOver": datetime.now(UTC).date().isoformat(),
        "daysSupply": {"value": 30},
    }
