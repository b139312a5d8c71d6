"""`dmp demo`: the promises of the DMP, played over HTTP against a service started for the purpose.

Every line asks the decision point first (a what-if, with its rule), then does the thing. The story holds only if
both give the expected answer, so the demonstration is a test that a person can read.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from api.cli.running import dmp, running_service

PATIENT_INS = "185057800608491"
CHILD_INS = "215066912300112"

TREATING_PHYSICIAN = "professional/10000000017"
NURSE = "professional/10000000025"
STRANGER = "professional/10000000033"
SAMU_REGULATOR = "professional/10000000041"
BLOCKED_PHYSICIAN = "professional/10000000058"
HOSPITAL = "organization/750000002"
LABORATORY = "organization/690000005"
FUND = "organization/180035024"
INSURER = "organization/775567092"
SECRETARY = "staff/secretary-1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Who:
    """A subject as it speaks: what it is, and what it states of the moment."""

    subject: str
    mode: str = "normal"
    reason: str = ""
    authentication: str = ""
    present: bool = False

    def headers(self) -> dict[str, str]:
        """The request headers of the vault's endpoints."""
        stated = {
            "DMP-Subject": self.subject,
            "DMP-Authentication": self.authentication,
            "DMP-Mode": self.mode,
            "DMP-Reason": self.reason,
            "DMP-Patient-Present": "true" if self.present else "",
        }
        return {name: value for name, value in stated.items() if value}

    def question(self) -> Json:
        """The subject and context of an AuthZEN request that changes and writes nothing."""
        kind, _, identifier = self.subject.partition("/")
        return {
            "subject": {"type": kind, "id": identifier},
            "context": {
                "mode": self.mode,
                "reason": self.reason,
                "authentication": self.authentication,
                "patient_present": self.present,
                "dry_run": True,
                "explain": True,
            },
        }


def with_card(subject: str, **stated: Any) -> Who:
    """A professional who identifies himself with his card."""
    return Who(subject, authentication="cps", **stated)


@dataclass(slots=True)
class Story:
    """Asks, does, prints, and remembers what went otherwise than the rules say."""

    http: httpx.Client
    table: Table
    surprises: list[str] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.table.add_section()
        self.table.add_row(f"[bold]{title}[/bold]", "", "")

    def tell(self, question: str, answer: str, rule: str, *, expected: bool) -> None:
        """Print one line."""
        mark = "[green]✓[/green]" if expected else "[red]✗[/red]"
        self.table.add_row(f"{mark} {question}", answer, rule)
        if not expected:
            self.surprises.append(f"{question}: {answer} ({rule})")

    def decide(self, who: Who, action: str, resource: tuple[str, str], properties: Mapping[str, Any] | None) -> tuple[bool, str]:
        """What the decision point answers, and by which rule."""
        kind, identifier = resource
        asked = who.question() | {
            "action": {"name": action, "properties": dict(properties or {})},
            "resource": {"type": kind, "id": identifier},
        }
        answer = self.http.post("/access/v1/evaluation", json=asked).raise_for_status().json()
        return answer["decision"], answer["context"]["rule"]

    def step(
        self,
        question: str,
        who: Who,
        action: str,
        resource: tuple[str, str],
        request: httpx.Request,
        expected: tuple[bool, str],
        properties: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Ask whether it may be done, do it, and compare both with what the rules say."""
        decided = self.decide(who, action, resource, properties)
        request.headers.update(who.headers())
        response = self.http.send(request)
        agreed = decided == expected and response.is_success == expected[0]
        word = "[green]yes[/green]" if decided[0] else "[red]no[/red]"
        self.tell(question, f"{word} ({response.status_code})", decided[1], expected=agreed)
        return response

    def check(self, question: str, answer: str, rule: str = "", *, holds: bool) -> None:
        """A line that is not a decision."""
        self.tell(question, answer, rule, expected=holds)


@dataclass(slots=True)
class Record:
    """One dossier of the story, and the requests that the story makes about it."""

    story: Story
    dossier: str

    def path(self, tail: str = "") -> str:
        """The address of the dossier or of something in it."""
        return f"/v1/dossiers/{self.dossier}{tail}"

    def change(self, question: str, who: Who, action: str, tail: str, body: Json, expected: tuple[bool, str]) -> None:
        """Put a switch or a state of the dossier."""
        request = self.story.http.build_request("PUT", self.path(tail), json=body)
        self.story.step(question, who, action, ("dossier", self.dossier), request, expected)

    def deposit(
        self, question: str, who: Who, document_type: str, text: str, expected: tuple[bool, str], **flags: bool
    ) -> str:
        """Deposit a small text; the new document's id, or nothing if it was refused."""
        metadata = {
            "document_type": document_type,
            "title": "Pièce de démonstration",
            "content_type": "text/plain",
            "created_at": "2026-10-01T08:00:00Z",
        } | flags
        request = self.story.http.build_request(
            "POST",
            self.path("/documents"),
            files={
                "metadata": ("metadata", json.dumps(metadata), "application/json"),
                "content": ("content", text.encode(), "text/plain"),
            },
        )
        properties = {"document_type": document_type} | flags
        response = self.story.step(
            question, who, "document:deposit", ("dossier", self.dossier), request, expected, properties
        )
        return str(response.json().get("id", ""))

    def read(self, question: str, who: Who, document: str, expected: tuple[bool, str]) -> httpx.Response:
        """Read a document's content."""
        request = self.story.http.build_request("GET", f"/v1/documents/{document}/content")
        return self.story.step(question, who, "document:read", ("document", document), request, expected)

    def patch(self, question: str, who: Who, action: str, document: str, body: Json, expected: tuple[bool, str]) -> None:
        """Mask, unmask, reveal, archive or restore a document."""
        request = self.story.http.build_request("PATCH", f"/v1/documents/{document}", json=body)
        self.story.step(question, who, action, ("document", document), request, expected)


def first_act(story: Story, home: Path) -> Record:
    """An adult's dossier: opening, reading, masking, emergencies, the trace."""
    http = story.http
    person = http.post("/v1/identities", json={"ins": PATIENT_INS}).raise_for_status().json()["person"]
    patient = Who(f"person/{person}")
    physician = with_card(TREATING_PHYSICIAN)
    nurse = with_card(NURSE)
    record = Record(story, person)

    story.chapter("A dossier is opened")

    def opening() -> httpx.Request:
        return http.build_request("POST", "/v1/dossiers", json={"ins": PATIENT_INS, "born": "1985-05-12"})

    whole = ("dossier", person)
    story.step("An insurer opens a dossier", Who(INSURER), "dossier:open", whole, opening(), (False, "prohibited-party"))
    story.step(
        "A physician opens it, the patient absent", physician, "dossier:open", whole, opening(), (False, "not-permitted")
    )
    present = with_card(TREATING_PHYSICIAN, present=True)
    story.step("The same with the patient present", present, "dossier:open", whole, opening(), (True, "open"))
    story.step("A hospital opens it again", Who(HOSPITAL), "dossier:open", whole, opening(), (False, "already-open"))

    story.chapter("Care")
    report = record.deposit("The hospital deposits a report", Who(HOSPITAL), "11488-4", "Compte rendu", (True, "depositor"))
    declare = http.build_request("PUT", record.path("/treating-physicians/10000000017"))
    self_declared = {"professional": "10000000017"}
    story.step(
        "The patient declares a treating physician",
        patient, "treating_physician:declare", whole, declare, (True, "holder"), self_declared,
    )  # fmt: skip
    record.read("The treating physician reads the report", physician, report, (True, "treating-physician"))
    record.read("... without his card", Who(TREATING_PHYSICIAN), report, (False, "weak-authentication"))
    record.read("A nurse reads it", nurse, report, (False, "not-permitted"))
    join_care_team(home, "10000000025")
    record.read("... in the care team, no consent given yet", nurse, report, (False, "not-permitted"))
    record.change(
        "The patient consents to the care team", patient, "care_team:consent", "/care-team-consent", {"given": True},
        (True, "holder"),
    )  # fmt: skip
    record.read("The nurse of the care team reads it", nurse, report, (True, "care-team"))
    record.read("A physician who is a stranger reads it", with_card(STRANGER), report, (False, "not-permitted"))
    record.read("The secretary of the hospital reads it", Who(SECRETARY), report, (False, "not-permitted"))
    record.read("The hospital's software reads what it deposited", Who(HOSPITAL), report, (False, "not-permitted"))

    story.chapter("The patient masks")
    record.patch("The patient masks the report", patient, "document:mask", report, {"masked": True}, (True, "holder"))
    record.read("The nurse reads the masked report", nurse, report, (False, "masked"))
    record.read("The treating physician reads it", physician, report, (True, "treating-physician"))
    record.read("The patient reads it", patient, report, (True, "holder"))

    story.chapter("A result withheld until it is explained")
    result = record.deposit(
        "The laboratory deposits, withheld", Who(LABORATORY), "11502-2", "Résultat sensible", (True, "depositor"), withheld=True
    )
    record.read("The patient reads it", patient, result, (False, "withheld-from-patient"))
    record.read("The treating physician reads it", physician, result, (True, "treating-physician"))
    record.patch("... and reveals it", physician, "document:reveal", result, {"withheld": False}, (True, "treating-physician"))
    record.read("The patient reads it", patient, result, (True, "holder"))

    story.chapter("Emergencies")
    urgent = with_card(STRANGER, mode="break_glass", reason="Patient inconscient aux urgences")
    record.read("Break-glass without a reason", with_card(STRANGER, mode="break_glass"), result, (False, "reason-required"))
    record.read("Break-glass with a reason", urgent, result, (True, "break-glass"))
    record.read("... of the masked report", urgent, report, (False, "masked"))
    regulator = with_card(SAMU_REGULATOR, mode="centre_15")
    record.read("The SAMU's regulating physician reads", regulator, result, (True, "centre-15"))
    record.read("A nurse claims to be the SAMU", with_card(NURSE, mode="centre_15"), result, (False, "not-permitted"))
    record.change(
        "The patient refuses break-glass", patient, "emergency:set", "/emergency",
        {"refuses_break_glass": True, "refuses_centre_15": False, "masked_in_emergency": False}, (True, "holder"),
    )  # fmt: skip
    record.read("Break-glass with a reason", urgent, result, (False, "break-glass-refused"))
    record.read("The SAMU still reads", regulator, result, (True, "centre-15"))

    story.chapter("Blocked, insured, reimbursed")
    blocked = "10000000058"
    block = http.build_request("PUT", record.path(f"/accesses/professional/{blocked}"), json={"access": "blocked"})
    story.step(
        "The patient blocks a physician", patient, "access:block", whole, block, (True, "holder"), {"professional": blocked}
    )
    record.read("He reads all the same", with_card(BLOCKED_PHYSICIAN), result, (False, "blocked"))
    at_night = with_card(BLOCKED_PHYSICIAN, mode="centre_15")
    record.read("... even in an emergency", at_night, result, (False, "blocked"))
    record.read("The insurer reads", Who(INSURER), result, (False, "prohibited-party"))
    refund = record.deposit("The fund deposits reimbursements", Who(FUND), "REMB", "{}", (True, "fund"))
    record.read("The fund reads them back", Who(FUND), refund, (False, "not-permitted"))
    record.read("The patient reads them", patient, refund, (True, "holder"))
    return record


def second_act(story: Story) -> None:
    """A child's dossier: a representative, and what may stay hidden from him."""
    http = story.http
    child = http.post("/v1/identities", json={"ins": CHILD_INS}).raise_for_status().json()["person"]
    parent = Who(f"person/{http.post('/v1/identities', json={'ins': PATIENT_INS}).json()['person']}")
    record = Record(story, child)
    story.chapter("A child and a representative")
    vaccine = record.deposit("The hospital deposits a report", Who(HOSPITAL), "11488-4", "Visite", (True, "depositor"))
    secret = record.deposit(
        "... and one hidden from representatives", Who(HOSPITAL), "11488-4", "Confidence", (True, "depositor"),
        hidden_from_representatives=True,
    )  # fmt: skip
    record.read("The parent reads the first", parent, vaccine, (True, "legal-representative"))
    record.read("The parent reads the second", parent, secret, (False, "hidden-from-representatives"))
    record.read("The child's physician reads it", with_card(TREATING_PHYSICIAN), secret, (True, "treating-physician"))
    record.read("The child reads it", Who(f"person/{child}"), secret, (True, "holder"))


def third_act(story: Story, record: Record, home: Path) -> None:
    """What cannot be trusted is not given, and everything was written down."""
    story.chapter("A storage that lies, and the trace")
    patient = Who(f"person/{record.dossier}")
    before = set(objects(home))
    victim = record.deposit("The patient deposits a note", patient, "DOCPAT02", "Ma note", (True, "holder"))
    (stored,) = set(objects(home)) - before
    flip_one_bit(stored)
    response = story.http.get(f"/v1/documents/{victim}/content", headers=patient.headers())
    story.check(
        "One bit of the stored object is changed; the patient reads it", f"nothing leaves ({response.status_code})",
        "seal", holds=response.is_server_error and b"note" not in response.content,
    )  # fmt: skip
    trace = story.http.get(record.path("/journal"), params={"limit": 500}, headers=patient.headers()).json()
    readers = sum(entry["action"] == "document:read" for entry in trace["entries"])
    story.check("The patient reads the trace", f"{len(trace['entries'])} entries, {readers} readings", "holder", holds=readers > 0)
    verified = dmp(home, "journal", "verify")
    story.check("The trace is verified from its first entry", verified.stdout.strip(), "", holds=verified.returncode == 0)


def join_care_team(home: Path, rpps: str) -> None:
    """The hospital's list of the care team arrives by import while the service runs."""
    fact = {
        "kind": "relation", "dossier_ins": PATIENT_INS, "professional": rpps, "relation": "care_team", "since": None, "until": None,
    }  # fmt: skip
    dmp(home, "import", "-", stdin=json.dumps(fact)).check_returncode()


def objects(home: Path) -> Iterator[Path]:
    """The sealed objects of the embedded vault."""
    return (path for path in (home / "vault").rglob("*") if path.is_file())


def flip_one_bit(path: Path) -> None:
    """Change the last byte of the sealed text, as a failing disk or an intruder would."""
    sealed = bytearray(path.read_bytes())
    sealed[-20] ^= 1
    path.chmod(0o600)
    path.write_bytes(sealed)


@contextmanager
def stage() -> Iterator[tuple[Path, httpx.Client]]:
    """A service on an empty home with the demonstration's directory, and a client that may do everything."""
    with tempfile.TemporaryDirectory(prefix="dmp-demo-") as folder:
        home = Path(folder)
        dmp(home, "init").check_returncode()
        with as_file(files("api.cli") / "demonstration.ndjson") as population:
            dmp(home, "import", str(population)).check_returncode()
        scopes = ("decide", "documents", "dossiers", "journal", "policy")
        key = dmp(home, "client", "add", "demonstration", *(f"--scope={scope}" for scope in scopes)).stdout.strip()
        with (
            running_service(home) as address,
            httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http,
        ):
            yield home, http


def play(console: Console) -> int:
    """Play the story; 0 if every answer was the expected one."""
    table = Table("Question", "Answer", "Rule", title="Dossier Médical Partagé: who may see what", min_width=100)
    with stage() as (home, http):
        story = Story(http, table)
        record = first_act(story, home)
        second_act(story)
        third_act(story, record, home)
    console.print(table)
    for surprise in story.surprises:
        console.print(f"[red]Not as the rules say:[/red] {surprise}")
    asked = len([row for row in table.rows]) # noqa: C416
    console.print(f"{asked} lines, {len(story.surprises)} surprises")
    return 1 if story.surprises else 0
