"""Cerbos, asked in the words of AuthZEN and handed its facts with every question."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from loadtests.peers.authzen import ACTION, evaluation, evaluations
from loadtests.peers.peer import Asked, Handed
from loadtests.peers.processes import Cores, answers, running, told_by
from loadtests.peers.questions import Question, ties
from loadtests.population import Document
from loadtests.service import free_port

POLICIES = Path(__file__).with_name("policies") / "cerbos"
_MOST_RESOURCES = 500
"""Of a request; the most that can be set."""


@dataclass(frozen=True, slots=True)
class Cerbos(Handed):
    """The dossier's ties are attributes of the subject, which all items of a batch have in common."""

    name: str = "Cerbos, AuthZEN"

    def single(self, question: Question) -> Asked:
        return evaluation(_asking(question), _resource(question.documents[0]))

    def batch(self, question: Question) -> Asked:
        return evaluations(_asking(question), map(_resource, question.documents))


@contextmanager
def cerbos(program: Path, cores: Cores, folder: Path) -> Iterator[Cerbos]:
    port, grpc = free_port(), free_port()
    configuration = folder / "cerbos.yaml"
    configuration.write_bytes(msgspec.json.encode(_configuration(port, grpc)))  # JSON is YAML
    with running(
        [str(program), "server", f"--config={configuration}", "--log-level=error"],
        core=cores.server,
        log=folder / "cerbos.log",
        answers=lambda: answers(f"http://127.0.0.1:{port}/_cerbos/health"),
        environment={"HOME": str(folder), "CERBOS_NO_TELEMETRY": "1"},
    ) as process:
        yield Cerbos(told_by(program, "--version").splitlines()[0], port, process)


def _configuration(port: int, grpc: int) -> dict[str, Any]:
    return {
        "server": {
            "httpListenAddr": f"127.0.0.1:{port}",
            "grpcListenAddr": f"127.0.0.1:{grpc}",
            "requestLimits": {"maxResourcesPerRequest": _MOST_RESOURCES},
        },
        "telemetry": {"disabled": True},
        "storage": {"driver": "disk", "disk": {"directory": str(POLICIES), "watchForChanges": False}},
    }


def _asking(question: Question) -> dict[str, Any]:
    """The type of the subject is the role by which Cerbos finds the rules."""
    attributes: dict[str, Any] = {"dossier": ties(question.dossier)}
    if question.subject.kind:
        attributes["kind"] = question.subject.kind
    subject = {"type": question.subject.type, "id": question.subject.id, "properties": attributes}
    return {"subject": subject, "action": ACTION}


def _resource(document: Document) -> dict[str, Any]:
    return {"type": "document", "id": str(document.id), "properties": {"masked": document.masked}}
