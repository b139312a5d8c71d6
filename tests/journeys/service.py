"""A running service and one dossier of it, as a component that speaks HTTP meets them."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

import httpx

from api.cli import clients, importing, setting_up
from models.vocabulary import Scope
from tests.journeys.people import (
    MORE,
    NURSE_RPPS,
    REPORT,
    TREATING_RPPS,
    Json,
    Who,
    facts,
    new_ins,
)
from tests.journeys.processes import Server, Stack, serving

WRITTEN_AT = "2026-10-01T08:00:00Z"


@dataclass(slots=True)
class Service:
    """A server with the demonstration's population, and a client that may call everything."""

    stack: Stack
    server: Server
    key: str
    http: httpx.Client

    def caller(self, key: str) -> httpx.Client:
        """Another client's connection; whoever asks closes it."""
        return connection(self.server.address, key)

    def add_client(
        self, name: str, *scopes: Scope, speaks_for: tuple[str, ...] = (), organization: str | None = None
    ) -> httpx.Client:
        """Register one more client, and be it."""
        words = [scope.value for scope in scopes]
        return self.caller(clients.add(self.stack.settings, name, words, speaks_for, organization))

    def person(self, ins: str) -> str:
        """The pseudonym of an INS."""
        answer: str = self.http.post("/v1/identities", json={"ins": ins}).raise_for_status().json()["person"]
        return answer

    def opened(self, born: str = "1985-05-12", *, protected: bool = False) -> "Record":
        """A new dossier that its holder opened."""
        record = self.unopened()
        body = {"ins": record.ins, "born": born, "protected": protected}
        answer = self.http.post("/v1/dossiers", json=body, headers=record.holder.headers())
        assert answer.status_code == 201, answer.text
        return record

    def unopened(self) -> "Record":
        """A person without a dossier."""
        ins = new_ins()
        return Record(self, ins, self.person(ins))

    def learn(self, *lines: Mapping[str, object]) -> None:
        """Import facts while the service runs, as `dmp import` does."""
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
            file.write(facts(*lines))
            file.flush()
            importing.import_file(self.stack.settings, Path(file.name))

    def evaluate(
        self,
        who: Who,
        action: str,
        resource: tuple[str, str],
        *,
        http: httpx.Client | None = None,
        properties: Json | None = None,
        known: Json | None = None,
        **context: object,
    ) -> httpx.Response:
        """Put one question to the decision point; `known` are properties of the resource."""
        return (http or self.http).post(
            "/access/v1/evaluation", json=question(who, action, resource, properties=properties, known=known, **context)
        )

    def explained(self, who: Who, action: str, resource: tuple[str, str], **properties: object) -> tuple[bool, str]:
        """What would be decided, and by which rule; nothing is written down."""
        answer = self.evaluate(who, action, resource, properties=dict(properties), dry_run=True, explain=True)
        told = answer.raise_for_status().json()
        return told["decision"], told["context"]["rule"]


def question(
    who: Who,
    action: str,
    resource: tuple[str, str],
    *,
    properties: Json | None = None,
    known: Json | None = None,
    **context: object,
) -> Json:
    """An AuthZEN evaluation request."""
    return {
        "subject": who.entity(),
        "action": {"name": action, "properties": properties or {}},
        "resource": {"type": resource[0], "id": resource[1], "properties": known or {}},
        "context": who.context() | context,
    }


@dataclass(slots=True)
class Record:
    """A person's dossier, opened or not."""

    service: Service
    ins: str = field(repr=False)
    id: str

    @property
    def holder(self) -> Who:
        return Who(f"person/{self.id}")

    @property
    def resource(self) -> tuple[str, str]:
        return "dossier", self.id

    def path(self, tail: str = "") -> str:
        return f"/v1/dossiers/{self.id}{tail}"

    def ask(self, method: str, tail: str, who: Who, body: object = None, **options: object) -> httpx.Response:
        """One request about the dossier, by its address after the dossier's own."""
        return ask(self.service.http, method, self.path(tail), who, body, **options)

    def about(self, method: str, document: str, who: Who, body: object = None, **options: object) -> httpx.Response:
        """One request about a document: its id, with what follows in the address."""
        return ask(self.service.http, method, f"/v1/documents/{document}", who, body, **options)

    def read(self, document: str, who: Who, **headers: str) -> httpx.Response:
        """Read a content."""
        return self.about("GET", f"{document}/content", who, headers=headers)

    def deposit(
        self, who: Who, content: bytes = b"content", *, key: str | None = None, **metadata: object
    ) -> httpx.Response:
        """Deposit a document, a report unless said otherwise."""
        headers = who.headers() | ({"Idempotency-Key": key} if key else {})
        return self.service.http.post(self.path("/documents"), files=parts(content, **metadata), headers=headers)

    def deposited(self, who: Who, content: bytes = b"content", **metadata: object) -> str:
        """The id of a document that was just deposited."""
        answer = self.deposit(who, content, key=None, **metadata)
        assert answer.status_code == 201, answer.text
        identity: str = answer.json()["id"]
        return identity

    def declare_treating_physician(self, rpps: str = TREATING_RPPS) -> None:
        answer = self.ask("PUT", f"/treating-physicians/{rpps}", self.holder)
        assert answer.status_code == 204, answer.text

    def grant(self, rpps: str = NURSE_RPPS, until: str | None = None) -> None:
        body = {"access": "granted", "until": until}
        answer = self.ask("PUT", f"/accesses/professional/{rpps}", self.holder, body)
        assert answer.status_code == 200, answer.text

    def block(self, rpps: str) -> None:
        answer = self.ask("PUT", f"/accesses/professional/{rpps}", self.holder, {"access": "blocked"})
        assert answer.status_code == 200, answer.text

    def set_emergency(self, *, break_glass: bool = False, centre_15: bool = False, masked: bool = False) -> Json:
        """Set the three switches: what is refused, and whether masked documents show; the switches in force."""
        body = {"refuses_break_glass": break_glass, "refuses_centre_15": centre_15, "masked_in_emergency": masked}
        answer: Json = self.ask("PUT", "/emergency", self.holder, body).raise_for_status().json()
        return answer

    def change(self, document: str, who: Who, **what: object) -> None:
        answer = self.about("PATCH", document, who, what)
        assert answer.status_code == 204, answer.text

    def relate(self, **relation: object) -> None:
        """A relation that arrives by import."""
        line = {"kind": "relation", "dossier_ins": self.ins, "since": None, "until": None}
        self.service.learn({**line, **relation})

    def represented_by(self, other: "Record", kind: str = "caregiver", until: str | None = None) -> Who:
        """Another person, who from now on represents or helps the holder."""
        line = {"kind": "representation", "dossier_ins": self.ins, "person_ins": other.ins, "as": kind, "until": until}
        self.service.learn(line)
        return other.holder

    def trace(self, **query: object) -> list[Json]:
        """The journal as the holder reads it, newest first, without the entry of this very reading."""
        answer = self.ask("GET", "/journal", self.holder, params={"limit": 1000} | query)
        entries: list[Json] = answer.raise_for_status().json()["entries"]
        return entries[1:]

    @contextmanager
    def traced(self) -> Iterator[list[Json]]:
        """A list that holds, once the block has ended, what it added to the journal, oldest first."""
        last = self.trace(limit=2)
        before = last[0]["entry"] if last else 0
        added: list[Json] = []
        yield added
        newer = [entry for entry in self.trace() if entry["entry"] > before + 1]
        added.extend(reversed(newer))


def ask(http: httpx.Client, method: str, path: str, who: Who, body: object = None, **options: object) -> httpx.Response:
    """One request on behalf of somebody."""
    given = options.pop("headers", {})
    headers = who.headers() | (dict(given) if isinstance(given, Mapping) else {})
    if body is not None:
        options["json"] = body
    return http.request(method, path, headers=headers, **options)  # type: ignore[arg-type]  # passed on as they came


def scan(data: bytes) -> bytes:
    """A DICOM file, in which any bytes may follow its mark."""
    return bytes(128) + b"DICM" + data


def parts(content: bytes, **metadata: object) -> Mapping[str, tuple[str, bytes | str, str]]:
    """The parts of a deposit: of a text, unless it is a scan or said to be something else."""
    told = {
        "document_type": REPORT,
        "title": "Compte rendu",
        "content_type": "application/dicom" if content[128:132] == b"DICM" else "text/plain",
        "created_at": WRITTEN_AT,
    } | metadata
    return {
        "metadata": ("metadata", json.dumps(told), "application/json"),
        "content": ("content", content, "application/octet-stream"),
    }


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal and the rule that it names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["reason"]


def connection(address: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60)


@contextmanager
def started(stack: Stack, *options: str) -> Iterator[Service]:
    """As `populated`, with little ceremony, for journeys that need a server of their own."""
    with serving(stack, *options) as server:
        key = setting_up.import_demonstration(stack.settings)
        with connection(server.address, key) as http:
            yield Service(stack, server, key, http)


@contextmanager
def populated(stack: Stack) -> Iterator[Service]:
    """A server of this stack with the demonstration's population and a few more people, and its first client."""
    with serving(stack) as server:
        with as_file(files("api.cli") / "demonstration.ndjson") as population:
            stack.dmp("import", str(population), "-", stdin=facts(*MORE)).check_returncode()
        key = stack.dmp("client", "add", "journeys", *(f"--scope={scope}" for scope in Scope)).stdout.strip()
        with connection(server.address, key) as http:
            yield Service(stack, server, key, http)
