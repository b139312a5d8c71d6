"""One kind of user for each persona: each asks what the population knows the answer of, and checks it.

A wrong decision is a failure whatever its latency, and a failure ends the run with status 1. Users speak HTTP only. The
model is closed: each waits for its answer before it asks again, so a slow service is asked less.
"""

import hashlib
import json
import os
from random import Random
from typing import Any

from locust import FastHttpUser, task

from loadtests import questions
from loadtests.population import HOSPITAL, Dossier, Population
from loadtests.profile import MIX
from loadtests.questions import Asked

POPULATION = Population(int(os.environ["DMP_LOADTEST_DOSSIERS"]), int(os.environ["DMP_LOADTEST_SEED"]))
KEY = os.environ["DMP_LOADTEST_KEY"]
BATCH = 50
_WHOLE_DOSSIER = 1_000
_CREATED = 201


class Persona(FastHttpUser):
    """Draws like nobody else and like itself in the next run, and knows how to check."""

    abstract = True
    _made = 0

    def on_start(self) -> None:
        Persona._made += 1
        self.random = Random(f"{POPULATION.seed}/{Persona._made}")

    def ask(self, what: str, asked: Asked, *, dry_run: bool = False) -> None:
        """One question to the decision point."""
        answer = self.exchange(what, "POST", "/access/v1/evaluation", asked.body(dry_run=dry_run))
        if answer is not None and answer.get("decision") is not asked.expected:
            self.wrong(what, f"the answer is not {asked.expected}")

    def exchange(self, what: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of an answer; None, and a failure, if there is none."""
        sent = {"Authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        with self.client.request(method, path, name=what, headers=sent, json=body, catch_response=True) as response:
            if response.status_code and response.ok:
                return response.json()
            response.failure(f"status {response.status_code}")
            return None

    def wrong(self, what: str, how: str) -> None:
        """An answer that came and is not right: counted beside the request, under the name of its own."""
        self.environment.events.request.fire(
            request_type="CHECK",
            name=what,
            response_time=0,
            response_length=0,
            exception=AssertionError(f"wrong answer: {how}"),
            context={},
        )

    def person_of(self, dossier: Dossier) -> str:
        """The pseudonym, which only the service can tell."""
        answer = self.exchange("POST /v1/identities", "POST", "/v1/identities", {"ins": dossier.ins})
        return "" if answer is None else str(answer["person"])


class TreatingPhysician(Persona):
    """Opens documents of his patients, one by one or all that the screen shows."""

    weight = int(MIX["treating physician"].value)

    @task(3)
    def read(self) -> None:
        self.ask("evaluation: treating physician", questions.treating_physician(POPULATION, self.random))

    @task(1)
    def forgotten_card(self) -> None:
        asked = questions.treating_physician_without_card(POPULATION, self.random)
        self.ask("evaluation: treating physician, no card", asked)

    @task(1)
    def screen(self) -> None:
        asked = questions.of_one_dossier(POPULATION, self.random, BATCH)
        answer = self.exchange("evaluations: 50 documents", "POST", "/access/v1/evaluations", questions.batch(asked))
        expected = [each.expected for each in asked]
        if answer is not None and [each["decision"] for each in answer["evaluations"]] != expected:
            self.wrong("evaluations: 50 documents", "one of the decisions is not that of the population")


class Nurse(Persona):
    """Reads what her patients let the care team read."""

    weight = int(MIX["nurse of the care team"].value)

    @task(4)
    def read(self) -> None:
        self.ask("evaluation: nurse of the care team", questions.nurse(POPULATION, self.random))

    @task(1)
    def without_consent(self) -> None:
        self.ask("evaluation: nurse without consent", questions.nurse_without_consent(POPULATION, self.random))


class Stranger(Persona):
    """Whoever has no business here."""

    weight = int(MIX["stranger"].value)

    @task
    def read(self) -> None:
        self.ask("evaluation: stranger", questions.stranger(POPULATION, self.random))

    @task
    def blocked(self) -> None:
        self.ask("evaluation: blocked", questions.blocked(POPULATION, self.random))

    @task
    def insurer(self) -> None:
        self.ask("evaluation: insurer", questions.insurer(POPULATION, self.random))


class WhatIf(Persona):
    """Software that greys out its buttons."""

    weight = int(MIX["what-if"].value)

    @task
    def ask_anything(self) -> None:
        self.ask("evaluation: dry run", questions.anybody(POPULATION, self.random), dry_run=True)


class Patient(Persona):
    """Looks at all that there is, then at who did."""

    weight = int(MIX["patient"].value)

    @task
    def look(self) -> None:
        dossier = POPULATION.dossier(self.random.randrange(POPULATION.dossiers))
        if not (person := self.person_of(dossier)):
            return
        subject, expected = f"person/{person}", {str(document.id) for document in dossier.documents}
        what = "GET documents: patient"
        page = self.exchange(
            what, "GET", f"/v1/dossiers/{person}/documents?limit={_WHOLE_DOSSIER}", DMP_Subject=subject
        )
        if page is not None and not expected <= {each["id"] for each in page["documents"]}:
            self.wrong(what, "a document is missing")
        what = "GET journal: patient"
        trace = self.exchange(what, "GET", f"/v1/dossiers/{person}/journal", DMP_Subject=subject)
        if trace is not None and not any(entry["action"] == "journal:read" for entry in trace["entries"]):
            self.wrong(what, "this very reading is not in the trace")


class Hospital(Persona):
    """Deposits a report; the treating physician reads what was deposited."""

    weight = int(MIX["hospital"].value)

    @task
    def deposit(self) -> None:
        dossier, rpps = questions.with_treating_physician(POPULATION, self.random)
        if not (person := self.person_of(dossier)):
            return
        content = b"%PDF-" + self.random.randbytes(self.random.randrange(1_000, 100_000))
        document = self._deposited(person, content)
        if document:
            self._read_back(document, rpps, content)

    def _deposited(self, person: str, content: bytes) -> str:
        what, (kind, body) = "POST documents: hospital", questions.deposit(content)
        headers = {"Authorization": f"Bearer {KEY}", "DMP-Subject": f"organization/{HOSPITAL}", "Content-Type": kind}
        with self.client.post(
            f"/v1/dossiers/{person}/documents", name=what, headers=headers, data=body, catch_response=True
        ) as response:
            if response.status_code != _CREATED:
                response.failure(f"status {response.status_code}")
                return ""
            receipt = json.loads(response.content)
            if receipt["sha256"] != hashlib.sha256(content).hexdigest():
                response.failure("wrong answer: the digest is not that of what was sent")
            return str(receipt["id"])

    def _read_back(self, document: str, rpps: str, content: bytes) -> None:
        headers = {
            "Authorization": f"Bearer {KEY}",
            "DMP-Subject": f"professional/{rpps}",
            "DMP-Authentication": "cps",
        }
        with self.client.get(
            f"/v1/documents/{document}/content", name="GET content: treating physician", headers=headers,
            catch_response=True,
        ) as response:  # fmt: skip
            if response.content != content:
                response.failure(f"wrong answer: not what was deposited (status {response.status_code})")
