"""Open Policy Agent, handed its facts with every question or with facts loaded into its memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from loadtests.peers.client import post
from loadtests.peers.peer import Asked, Decisions, Handed, Write
from loadtests.peers.processes import Cores, answers, running, told_by
from loadtests.peers.questions import Question, Sample, ties
from loadtests.population import Document
from loadtests.service import free_port

POLICIES = Path(__file__).with_name("policies") / "opa"
_LOADING_SECONDS = 600


@dataclass(frozen=True, slots=True)
class HandedOpa(Handed):
    """Every question brings the facts that it is decided by."""

    name: str = "OPA"

    def single(self, question: Question) -> Asked:
        document = _facts(question.documents[0])
        return _asked("handed/allow", self._input(question) | {"document": document}, _one)

    def batch(self, question: Question) -> Asked:
        documents = [_facts(document) for document in question.documents]
        return _asked("handed/answers", self._input(question) | {"documents": documents}, _many)

    def _input(self, question: Question) -> dict[str, Any]:
        return {"subject": _subject(question), "dossier": ties(question.dossier)}


@dataclass(frozen=True, slots=True)
class LoadedOpa:
    """Questions name subject, dossier and documents; what is so about them was loaded before."""

    version: str
    port: int
    process: int
    name: str = "OPA, data loaded"
    facts: str = "its memory"

    def load(self, sample: Sample) -> None:
        record = msgspec.json.encode(record_of(sample))
        httpx.put(f"{self._address}/v1/data/record", content=record, timeout=_LOADING_SECONDS).raise_for_status()

    def single(self, question: Question) -> Asked:
        named = {"subject": _subject(question), "document": str(question.documents[0].id)}
        return _asked("loaded/allow", named, _one)

    def batch(self, question: Question) -> Asked:
        named = self._dossier(question) | {"documents": [str(document.id) for document in question.documents]}
        return _asked("loaded/answers", named, _many)

    def listing(self, question: Question) -> Asked | None:
        def read(body: bytes) -> Decisions:
            found = set(_result(body))
            return tuple(str(document.id) in found for document in question.documents)

        return _asked("loaded/listing", self._dossier(question), read)

    @property
    def writes(self) -> Sequence[Write]:
        """The record has it first; OPA has it when somebody loads it."""
        return (Write("before it is loaded", lambda _: None), Write("after", self._load_block))

    def _load_block(self, question: Question) -> None:
        path = f"/v1/data/record/dossiers/{question.dossier.number}/blocked"
        patch = [{"op": "add", "path": "-", "value": question.subject.id}]
        httpx.patch(f"{self._address}{path}", json=patch).raise_for_status()

    def _dossier(self, question: Question) -> dict[str, Any]:
        return {"subject": _subject(question), "dossier": str(question.dossier.number)}

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def handed(program: Path, cores: Cores, folder: Path) -> Iterator[HandedOpa]:
    with _server(program, cores, folder) as (port, process):
        yield HandedOpa(_version(program), port, process)


@contextmanager
def loaded(program: Path, cores: Cores, folder: Path, sample: Sample) -> Iterator[LoadedOpa]:
    with _server(program, cores, folder, "--optimize-store-for-read-speed") as (port, process):
        peer = LoadedOpa(_version(program), port, process)
        peer.load(sample)
        yield peer


def record_of(sample: Sample) -> Mapping[str, Any]:
    """The facts as they are loaded: what ties people to dossiers, what is in each, and what is so about documents."""
    return {
        "dossiers": {str(dossier.number): ties(dossier) for dossier in sample.dossiers},
        "contents": {
            str(dossier.number): [str(document.id) for document in dossier.documents] for dossier in sample.dossiers
        },
        "documents": {
            str(document.id): {"dossier": str(dossier.number), **_facts(document)}
            for dossier in sample.dossiers
            for document in dossier.documents
        },
    }


@contextmanager
def _server(program: Path, cores: Cores, folder: Path, *flags: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [str(program), "run", "--server", f"--addr=127.0.0.1:{port}", "--log-level=error"]
    command += ["--skip-version-check", "--history=", *flags, str(POLICIES)]
    with running(
        command,
        core=cores.server,
        log=folder / "opa.log",
        answers=lambda: answers(f"http://127.0.0.1:{port}/health"),
        environment={"HOME": str(folder)},
    ) as process:
        yield port, process


def _version(program: Path) -> str:
    """`Version: 1.22.0` is the first line."""
    return told_by(program, "version").splitlines()[0].removeprefix("Version: ")


def _subject(question: Question) -> dict[str, str]:
    return {"id": question.subject.id} | ({"kind": question.subject.kind} if question.subject.kind else {})


def _facts(document: Document) -> dict[str, bool]:
    return {"masked": document.masked}


def _asked(path: str, given: Mapping[str, Any], read: Any) -> Asked:
    return Asked(post(f"/v1/data/dmp/{path}", msgspec.json.encode({"input": given})), read)


def _result(body: bytes) -> Any:
    """Raises LookupError where the policy has no answer: OPA leaves it out."""
    return msgspec.json.decode(body)["result"]


def _one(body: bytes) -> Decisions:
    return (bool(_result(body)),)


def _many(body: bytes) -> Decisions:
    return tuple(_result(body))
