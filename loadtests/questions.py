"""What each persona asks, with the answer that the population knows by construction.

There is no second copy of the rules here: whoever asks picks a dossier and a document for which the answer is plain.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from loadtests.population import INSURER, Document, Dossier, Population

Tie = TypeVar("Tie")

_PATIENCE = 10_000
_BOUNDARY = "dmp-loadtest-8c1f6a0e5b7d4e92"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about reading a document, and whether the answer is yes."""

    subject: tuple[str, str]
    document: Document
    expected: bool
    authentication: str | None = "cps"

    def body(self, *, dry_run: bool = False) -> Mapping[str, Any]:
        """The request of `POST /access/v1/evaluation`."""
        stated = {"authentication": self.authentication, "dry_run": dry_run or None}
        return {
            "subject": dict(zip(("type", "id"), self.subject, strict=True)),
            "action": {"name": "document:read"},
            "resource": {"type": "document", "id": str(self.document.id)},
            "context": {name: value for name, value in stated.items() if value is not None},
        }


def batch(asked: list[Asked], *, dry_run: bool = False) -> Mapping[str, Any]:
    """The request of `POST /access/v1/evaluations` that asks all of it."""
    return {"evaluations": [each.body(dry_run=dry_run) for each in asked]}


def treating_physician(population: Population, random: Random) -> Asked:
    """Reads whatever there is, masked or not."""
    dossier, rpps = with_treating_physician(population, random)
    return Asked(("professional", rpps), random.choice(dossier.documents), expected=True)


def treating_physician_without_card(population: Population, random: Random) -> Asked:
    """Is known by a password alone."""
    asked = treating_physician(population, random)
    return Asked(asked.subject, asked.document, expected=False, authentication=None)


def nurse(population: Population, random: Random) -> Asked:
    """Of a care team to which the patient consents: reads what is not masked."""
    dossier, nurses = _dossier(population, random, lambda dossier: dossier.nurses if dossier.consents else None)
    document = random.choice(dossier.documents)
    return Asked(("professional", random.choice(nurses)), document, expected=not document.masked)


def nurse_without_consent(population: Population, random: Random) -> Asked:
    """Of a care team to which the patient has not consented."""
    dossier, nurses = _dossier(population, random, lambda dossier: None if dossier.consents else dossier.nurses)
    return Asked(("professional", random.choice(nurses)), random.choice(dossier.documents), expected=False)


def stranger(population: Population, random: Random) -> Asked:
    """A physician whom nothing ties to the dossier."""
    dossier, rpps = _dossier(population, random, lambda dossier: dossier.stranger)
    return Asked(("professional", rpps), random.choice(dossier.documents), expected=False)


def blocked(population: Population, random: Random) -> Asked:
    """A physician whom the patient blocked; a stranger where the population is too small to have one."""
    dossier, rpps = _dossier(population, random, lambda dossier: dossier.blocked or dossier.stranger)
    return Asked(("professional", rpps), random.choice(dossier.documents), expected=False)


def insurer(population: Population, random: Random) -> Asked:
    """A complementary insurer, to whom the law refuses everything."""
    dossier, _ = _dossier(population, random, lambda _: True)
    return Asked(("organization", INSURER), random.choice(dossier.documents), expected=False, authentication=None)


def anybody(population: Population, random: Random) -> Asked:
    """One of these, as often as each other."""
    return random.choice(READERS)(population, random)


READERS: tuple[Callable[[Population, Random], Asked], ...] = (
    treating_physician,
    treating_physician_without_card,
    nurse,
    nurse_without_consent,
    stranger,
    blocked,
    insurer,
)


def of_one_dossier(population: Population, random: Random, size: int) -> list[Asked]:
    """So many questions of a treating physician about one dossier, some asked again if it has few documents."""
    dossier, rpps = with_treating_physician(population, random)
    return [Asked(("professional", rpps), random.choice(dossier.documents), expected=True) for _ in range(size)]


def with_treating_physician(population: Population, random: Random) -> tuple[Dossier, str]:
    """A dossier that has a treating physician, and his RPPS."""
    return _dossier(population, random, lambda dossier: dossier.treating_physician)


def deposit(content: bytes) -> tuple[str, bytes]:
    """The content type and the body of a hospital's deposit of a report."""
    metadata = {
        "document_type": "11488-4",
        "title": "Compte rendu",
        "content_type": "application/pdf",
        "created_at": "2026-10-01T08:00:00Z",
    }
    parts = [
        b'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
        + json.dumps(metadata).encode(),
        b'Content-Disposition: form-data; name="content"; filename="content"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + content,
    ]
    line = b"--" + _BOUNDARY.encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return f"multipart/form-data; boundary={_BOUNDARY}", body


def _dossier(population: Population, random: Random, tie: Callable[[Dossier], Tie | None]) -> tuple[Dossier, Tie]:
    """A dossier that has such a tie, with it. Raises LookupError where hardly any has."""
    for _ in range(_PATIENCE):
        dossier = population.dossier(random.randrange(population.dossiers))
        if found := tie(dossier):
            return dossier, found
    raise LookupError("the population is too small to have such a dossier")
