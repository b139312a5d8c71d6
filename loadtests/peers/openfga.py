"""OpenFGA, whose facts are tuples in PostgreSQL, with its cache or without."""

import mmap
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec

from loadtests.peers.client import post
from loadtests.peers.peer import Asked, Decisions, Write
from loadtests.peers.postgresql import settle
from loadtests.peers.processes import Cores, answers, running, told_by
from loadtests.peers.questions import MOST_DOCUMENTS, Question, Sample
from loadtests.population import Dossier
from loadtests.service import free_port

MODEL = Path(__file__).with_name("policies") / "openfga" / "model.json"
_EVERYBODY = "professional:*"
_TUPLES_A_WRITE = 100
_FLAGS = (
    "--playground-enabled=false",
    "--metrics-enabled=false",
    "--log-level=error",
    f"--max-checks-per-batch-check={MOST_DOCUMENTS}",
    # A check holds connections while it waits for more. With the 30 connections and the 50 checks of a batch at once
    # that are usual, two batches can wait for each other until they are given up; these are the fastest that do not.
    "--datastore-max-open-conns=60",
    "--datastore-max-idle-conns=60",
    "--max-concurrent-checks-per-batch-check=4",
    # By default it gives up after 3 seconds, which a large batch takes while others are under way.
    "--request-timeout=60s",
    "--http-upstream-timeout=60s",
)
_BUILT_FROM = re.compile(rb"mod\tgithub\.com/openfga/openfga\tv([0-9][^\t\n]*)")

Tuple = dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenFga:
    """A store with our model; questions name subject and document."""

    version: str
    port: int
    process: int
    store: str
    model: str
    name: str
    facts: str = "PostgreSQL"

    def single(self, question: Question) -> Asked:
        body = {"tuple_key": _reading(question, 0), "authorization_model_id": self.model}
        return Asked(self._post("check", body), _one)

    def batch(self, question: Question) -> Asked:
        """Answers come under the number of the check, in any order."""
        checks = [
            {"tuple_key": _reading(question, which), "correlation_id": str(which)}
            for which in range(len(question.documents))
        ]
        body = {"checks": checks, "authorization_model_id": self.model}

        def read(body: bytes) -> Decisions:
            result = msgspec.json.decode(body)["result"]
            return tuple(result[str(which)]["allowed"] for which in range(len(question.documents)))

        return Asked(self._post("batch-check", body), read)

    def listing(self, question: Question) -> Asked | None:  # noqa: ARG002 - ListObjects goes through all dossiers at once
        return None

    @property
    def writes(self) -> Sequence[Write]:
        return (Write("after it was written", self._block),)

    def load(self, sample: Sample) -> None:
        """All tuples of the sample, as many in a request as it takes."""
        tuples = (each for dossier in sample.dossiers for each in tuples_of(dossier))
        with httpx.Client(timeout=60) as client:
            while writes := list(islice(tuples, _TUPLES_A_WRITE)):
                self._write(client, writes)

    def _block(self, question: Question) -> None:
        subject = f"professional:{question.subject.id}"
        with httpx.Client() as client:
            self._write(client, [_tuple(subject, "blocked", f"dossier:{question.dossier.number}")])

    def _write(self, client: httpx.Client, tuples: Sequence[Tuple]) -> None:
        body = {"writes": {"tuple_keys": tuples}, "authorization_model_id": self.model}
        client.post(f"http://127.0.0.1:{self.port}/stores/{self.store}/write", json=body).raise_for_status()

    def _post(self, verb: str, body: Any) -> bytes:
        return post(f"/stores/{self.store}/{verb}", msgspec.json.encode(body))


@contextmanager
def openfga(
    program: Path, cores: Cores, folder: Path, database: str, sample: Sample, *, cached: bool
) -> Iterator[OpenFga]:
    """On a database without tables, into which the sample is written."""
    port, grpc = free_port(), free_port()
    environment = {
        "HOME": str(folder),
        "PATH": os.defpath,
        "OPENFGA_DATASTORE_ENGINE": "postgres",
        "OPENFGA_DATASTORE_URI": f"{database}?sslmode=disable",
    }
    told_by(program, "migrate", environment=environment)
    command = [str(program), "run", f"--http-addr=127.0.0.1:{port}", f"--grpc-addr=127.0.0.1:{grpc}"]
    command += [*_FLAGS, f"--check-query-cache-enabled={cached}".lower()]
    with running(
        command,
        core=cores.server,
        log=folder / "openfga.log",
        answers=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        environment=environment,
    ) as process:
        address = f"http://127.0.0.1:{port}/stores"
        store = httpx.post(address, json={"name": "dmp"}).raise_for_status().json()["id"]
        described = httpx.post(f"{address}/{store}/authorization-models", content=MODEL.read_bytes())
        model = described.raise_for_status().json()["authorization_model_id"]
        name = "OpenFGA, cache of 10 s" if cached else "OpenFGA"
        peer = OpenFga(version_of(program), port, process, store, model, name)
        peer.load(sample)
        settle(database)
        yield peer


def tuples_of(dossier: Dossier) -> Iterator[Tuple]:
    """The facts of a dossier and its documents; what everybody is tied to stands for a flag."""
    this = f"dossier:{dossier.number}"
    if dossier.treating_physician:
        yield _tuple(f"professional:{dossier.treating_physician}", "treating_physician", this)
    for nurse in dossier.nurses:
        yield _tuple(f"professional:{nurse}", "care_team", this)
    if dossier.consents:
        yield _tuple(_EVERYBODY, "care_team_consent", this)
    if dossier.blocked:
        yield _tuple(f"professional:{dossier.blocked}", "blocked", this)
    for document in dossier.documents:
        yield _tuple(this, "dossier", f"document:{document.id}")
        if document.masked:
            yield _tuple(_EVERYBODY, "masked", f"document:{document.id}")


def version_of(program: Path) -> str:
    """Of the module that it was built from: built by `go install`, it calls itself `dev`."""
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary:
        found = _BUILT_FROM.search(binary)
        return found[1].decode() if found else "dev"


def _reading(question: Question, which: int) -> Tuple:
    subject = f"{question.subject.type}:{question.subject.id}"
    return _tuple(subject, "reader", f"document:{question.documents[which].id}")


def _tuple(user: str, relation: str, thing: str) -> Tuple:
    return {"user": user, "relation": relation, "object": thing}


def _one(body: bytes) -> Decisions:
    return (msgspec.json.decode(body)["allowed"],)
