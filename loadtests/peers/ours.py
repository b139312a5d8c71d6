"""Our service, asked what the peers are asked; it finds the facts itself and has all its rules in force."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from loadtests.peers.authzen import ACTION, evaluation, evaluations, sent
from loadtests.peers.peer import Asked, Decisions, Write
from loadtests.peers.postgresql import settle
from loadtests.peers.processes import Cores, answers, running, told_by
from loadtests.peers.questions import Question
from loadtests.population import Document, Dossier, Population
from loadtests.service import environment_of, free_port

DRY_RUN, JOURNALED = "ours, dry run", "ours, journaled"
_CLIENT = "peers"


@dataclass(frozen=True, slots=True)
class Ours:
    """A worker of the service; documents are asked for by their id alone, so that it has to find the dossier."""

    version: str
    port: int
    process: int
    key: str = field(repr=False)
    name: str = DRY_RUN
    facts: str = "PostgreSQL"
    _persons: dict[int, str] = field(default_factory=dict, repr=False)

    def journaled(self) -> "Ours":
        """The same, asked for the access itself: what it answers is written down before."""
        return replace(self, name=JOURNALED)

    def single(self, question: Question) -> Asked:
        return evaluation(self._asking(question), _resource(question.documents[0]), self.key)

    def batch(self, question: Question) -> Asked:
        return evaluations(self._asking(question), map(_resource, question.documents), self.key)

    def listing(self, question: Question) -> Asked | None:
        """A search is a what-if: it is never journaled."""
        if self.name == JOURNALED:
            return None
        documents = {"type": "document", "properties": {"dossier": self._person(question.dossier)}}
        body = self._asking(question) | {"resource": documents, "page": {"limit": len(question.documents)}}

        def read(body: bytes) -> Decisions:
            found = {each["id"] for each in msgspec.json.decode(body)["results"]}
            return tuple(str(document.id) in found for document in question.documents)

        return Asked(sent("search/resource", body, self.key), read)

    @property
    def writes(self) -> Sequence[Write]:
        return (Write("after its answer left", self._block, self._unblock),)

    def _block(self, question: Question) -> None:
        """The holder blocks whoever asks."""
        with self._holder(question) as client:
            client.put(self._access(question), json={"access": "blocked"}).raise_for_status()

    def _unblock(self, question: Question) -> None:
        with self._holder(question) as client:
            client.delete(self._access(question)).raise_for_status()

    def _access(self, question: Question) -> str:
        return f"/v1/dossiers/{self._person(question.dossier)}/accesses/professional/{question.subject.id}"

    def _holder(self, question: Question) -> httpx.Client:
        return self._client({"DMP-Subject": f"person/{self._person(question.dossier)}"})

    def _client(self, headers: Mapping[str, str]) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.key}", **headers}
        )

    def _person(self, dossier: Dossier) -> str:
        """The pseudonym, which only the service can tell."""
        if dossier.number not in self._persons:
            with self._client({}) as client:
                answer = client.post("/v1/identities", json={"ins": dossier.ins}).raise_for_status()
            self._persons[dossier.number] = answer.json()["person"]
        return self._persons[dossier.number]

    def _asking(self, question: Question) -> dict[str, Any]:
        stated: dict[str, Any] = {"authentication": "cps"}
        if self.name == DRY_RUN:
            stated["dry_run"] = True
        return {
            "subject": {"type": question.subject.type, "id": question.subject.id},
            "action": ACTION,
            "context": stated,
        }


def home(dmp: Path, folder: Path, database: str, population: Population) -> Mapping[str, str]:
    """The environment of a new service that has the population."""
    environment = environment_of(folder / "home", DMP_DATABASE_URL=database)
    facts = folder / "population.ndjson"
    population.write(facts)
    told_by(dmp, "init", environment=environment)
    told_by(dmp, "import", str(facts), environment=environment)
    settle(database)
    return environment


@contextmanager
def ours(dmp: Path, environment: Mapping[str, str], cores: Cores, folder: Path) -> Iterator[Ours]:
    """One worker, and a client for it whose key nobody else knows."""
    name = f"{_CLIENT}-{uuid4()}"
    scopes = [f"--scope={scope}" for scope in ("decide", "dossiers")]
    key = told_by(dmp, "client", "add", name, *scopes, environment=environment)
    port = free_port()
    with running(
        [str(dmp), "serve", f"--port={port}"],
        core=cores.server,
        log=folder / "serve.log",
        answers=lambda: answers(f"http://127.0.0.1:{port}/health/ready"),
        environment=environment,
    ) as process:
        yield Ours(version("dmp-authz"), port, process, key)


def _resource(document: Document) -> dict[str, str]:
    return {"type": "document", "id": str(document.id)}
