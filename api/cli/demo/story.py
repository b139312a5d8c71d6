"""How the demonstration speaks: who asks, what the decision point says, what then happens, and whether both agree."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.table import Table

PATIENT_INS = "185057800608491"
CHILD_INS = "215066912300112"
CONTENT = "Compte rendu de démonstration".encode()

TREATING_PHYSICIAN = "professional/10000000017"
NURSE = "professional/10000000025"
STRANGER = "professional/10000000033"
SAMU_REGULATOR = "professional/10000000041"
BLOCKED_PHYSICIAN = "professional/10000000058"
HOSPITAL = "organization/750000002"
LABORATORY = "organization/690000005"
PHARMACY = "organization/330000001"
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


@dataclass(frozen=True, slots=True)
class Told:
    """What a depositor sends, flags apart."""

    title: str
    content_type: str
    content: bytes
    more: Mapping[str, object] = field(default_factory=dict)

    def parts(self, document_type: str, flags: Mapping[str, bool]) -> dict[str, tuple[str, str | bytes, str]]:
        """The parts of the request."""
        metadata: Json = {
            "document_type": document_type,
            "title": self.title,
            "content_type": self.content_type,
            "created_at": "2026-10-01T08:00:00Z",
        }
        return {
            "metadata": ("metadata", json.dumps({**metadata, **flags, **self.more}), "application/json"),
            "content": ("content", self.content, self.content_type),
        }


PLAIN = Told("Pièce de démonstration", "text/plain", CONTENT)


@dataclass(slots=True)
class Story:
    """Asks, does, prints, and remembers what went otherwise than the rules say."""

    http: httpx.Client
    table: Table
    surprises: list[str] = field(default_factory=list)
    told: int = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.table.add_section()
        self.table.add_row(f"[bold]{title}[/bold]")

    def tell(self, question: str, answer: str, rule: str, *, expected: bool) -> None:
        """One line of the table."""
        self.told += 1
        mark = "[green]✓[/green]" if expected else "[red]✗[/red]"
        self.table.add_row(f"{mark} {question}", answer, rule)
        if not expected:
            self.surprises.append(f"{question}: {answer} ({rule})")

    def decide(
        self, who: Who, action: str, resource: tuple[str, str], properties: Mapping[str, Any] | None
    ) -> tuple[bool, str]:
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


@dataclass(slots=True)
class Record:
    """One dossier of the story, and the requests that the story makes about it."""

    story: Story
    dossier: str

    @property
    def holder(self) -> Who:
        """The patient."""
        return Who(f"person/{self.dossier}")

    def path(self, tail: str) -> str:
        """The address of something in the dossier."""
        return f"/v1/dossiers/{self.dossier}{tail}"

    def change(self, question: str, who: Who, action: str, tail: str, body: Json) -> None:
        """Put a switch of the dossier, as its holder may."""
        request = self.story.http.build_request("PUT", self.path(tail), json=body)
        self.story.step(question, who, action, ("dossier", self.dossier), request, (True, "holder"))

    def rights(
        self, question: str, who: Who, action: str, tail: str, beneficiary: Json, body: Json | None = None
    ) -> None:
        """Give or take a right, as the holder may."""
        request = self.story.http.build_request("PUT", self.path(tail), json=body)
        self.story.step(question, who, action, ("dossier", self.dossier), request, (True, "holder"), beneficiary)

    def deposit(
        self,
        question: str,
        who: Who,
        document_type: str,
        expected: tuple[bool, str],
        told: Told = PLAIN,
        **flags: bool,
    ) -> str:
        """Deposit a small document; its id."""
        request = self.story.http.build_request("POST", self.path("/documents"), files=told.parts(document_type, flags))
        properties = {"document_type": document_type} | flags
        response = self.story.step(
            question, who, "document:deposit", ("dossier", self.dossier), request, expected, properties
        )
        return str(response.json().get("id", ""))

    def read(self, question: str, who: Who, document: str, expected: tuple[bool, str]) -> None:
        """Read a document's content."""
        request = self.story.http.build_request("GET", f"/v1/documents/{document}/content")
        response = self.story.step(question, who, "document:read", ("document", document), request, expected)
        if response.is_success and response.content != CONTENT:
            self.story.surprises.append(f"{question}: another content than what was deposited")

    def patch(self, question: str, who: Who, action: str, document: str, body: Json, rule: str) -> None:
        """Mask or reveal a document."""
        request = self.story.http.build_request("PATCH", f"/v1/documents/{document}", json=body)
        self.story.step(question, who, action, ("document", document), request, (True, rule))
