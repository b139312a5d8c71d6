"""Synthetic France, small: the n-th dossier is computed from the seed and never stored.

So whoever knows the seed and n knows what is so about a dossier, and can check an answer without asking anybody.
Identifiers have right control keys and belong to nobody: departments and communes are drawn as if all existed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from loadtests.profile import POPULATION
from models.identifiers import Ins, parse_organization, parse_rpps

HOSPITAL = parse_organization("750000002")
INSURER = parse_organization("775567092")

_DOCUMENT_TYPES = ("11488-4", "SYNTH", "11502-2", "18748-4", "PRESC-KINE")
"""Types that the matrix opens to physicians and to nurses."""

_FIRST_RPPS = {"physician": 1_000_000_000, "nurse": 1_100_000_000}
_MOST_DOSSIERS = 999 * 990
_NEWEST = datetime(2026, 10, 1, 8, tzinfo=UTC)
_DEPARTMENTS = 95
_YEARS = 95


@dataclass(frozen=True, slots=True)
class Document:
    """What is so about a document: nothing of it is withheld, deleted or expired."""

    id: UUID
    document_type: str
    created_at: datetime
    masked: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is so about a dossier, which is open and whose holder is an adult.

    `nurses` are in the care team, `blocked` is tied to it in no other way, `stranger` in none at all; both are
    physicians, as is the treating physician. The first document is not masked. All are the hospital's.
    """

    number: int
    ins: str = field(repr=False)
    born: date
    treating_physician: str | None
    nurses: tuple[str, ...]
    consents: bool
    blocked: str | None
    stranger: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """So many dossiers, from a seed. Raises ValueError on fewer than one or more than numbers allow."""

    dossiers: int
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.dossiers <= _MOST_DOSSIERS:
            msg = f"a population has 1 to {_MOST_DOSSIERS} dossiers"
            raise ValueError(msg)

    def dossier(self, number: int) -> Dossier:
        """The dossier of this number, from 0."""
        return _dossier(self, number)

    def facts(self) -> Iterator[Mapping[str, Any]]:
        """Everything, as `dmp import` takes it: the directory, then dossier by dossier."""
        yield {"kind": "organization", "id": HOSPITAL, "type": "health_facility", "name": "Hôpital"}
        yield {"kind": "organization", "id": INSURER, "type": "complementary_insurer", "name": "Assureur"}
        for profession in _FIRST_RPPS:
            for which in range(_professionals(self, profession)):
                yield {"kind": "professional", "rpps": _rpps(profession, which), "profession": profession}
        for number in range(self.dossiers):
            yield from _facts_of(self.dossier(number))

    def write(self, path: Path) -> int:
        """One fact a line (NDJSON); how many."""
        lines = 0
        with path.open("w", encoding="utf-8") as file:
            for lines, fact in enumerate(self.facts(), 1):  # noqa: B007 - counted
                file.write(json.dumps(fact, ensure_ascii=False, separators=(",", ":")) + "\n")
        return lines


@lru_cache(maxsize=10_000)
def _dossier(population: Population, number: int) -> Dossier:
    random = Random(f"{population.seed}/{number}")
    born = date(1912 + random.randrange(_YEARS), 1 + random.randrange(12), 1 + random.randrange(28))
    physicians = _distinct(population, random, "physician", 3)
    nurses = _distinct(population, random, "nurse", random.randrange(int(_figure("nurses in a care team, most")) + 1))
    return Dossier(
        number,
        _ins(born, 1 + random.randrange(2), 1 + random.randrange(_DEPARTMENTS), number),
        born,
        physicians[0] if _drawn(random, "dossiers with a treating physician") else None,
        nurses,
        _drawn(random, "dossiers whose holder consents to the care team"),
        physicians[1] if _drawn(random, "dossiers with somebody blocked") else None,
        physicians[2],
        tuple(_documents(random)),
    )


def _professionals(population: Population, profession: str) -> int:
    return max(10, round(population.dossiers / _figure(f"dossiers a {profession}")))


def _distinct(population: Population, random: Random, profession: str, wanted: int) -> tuple[str, ...]:
    drawn = random.sample(range(_professionals(population, profession)), wanted)
    return tuple(_rpps(profession, which) for which in drawn)


def _facts_of(dossier: Dossier) -> Iterator[Mapping[str, Any]]:
    yield {
        "kind": "dossier",
        "ins": dossier.ins,
        "state": "open",
        "born": dossier.born.isoformat(),
        "care_team_consent": dossier.consents,
    }
    ties = [("care_team", nurse) for nurse in dossier.nurses]
    ties += [("treating_physician", dossier.treating_physician)] if dossier.treating_physician else []
    ties += [("blocked", dossier.blocked)] if dossier.blocked else []
    for relation, rpps in ties:
        yield {"kind": "relation", "dossier_ins": dossier.ins, "professional": rpps, "relation": relation}
    for document in dossier.documents:
        yield {
            "kind": "document",
            "id": str(document.id),
            "dossier_ins": dossier.ins,
            "document_type": document.document_type,
            "author": {"type": "organization", "id": HOSPITAL},
            "created_at": document.created_at.isoformat(),
            "masked": document.masked,
        }


def _documents(random: Random) -> Iterator[Document]:
    """At least one; most dossiers have few and some have hundreds."""
    mean, most = _figure("documents a dossier, mean"), _figure("most documents of a dossier")
    for which in range(round(min(most, max(1.0, random.lognormvariate(0, 1) * mean / 1.65)))):
        yield Document(
            UUID(int=random.getrandbits(128), version=4),
            _DOCUMENT_TYPES[random.randrange(len(_DOCUMENT_TYPES))],
            _NEWEST - timedelta(minutes=random.randrange(5_000_000)),
            _drawn(random, "documents masked") and which > 0,
        )


def _figure(name: str) -> float:
    return POPULATION[name].value


def _drawn(random: Random, share: str) -> bool:
    return random.random() < _figure(share)


def _ins(born: date, sex: int, department: int, number: int) -> str:
    """Commune and order tell dossiers apart, so that no two have the same."""
    body = f"{sex}{born:%y%m}{department:02}{1 + number // 999:03}{1 + number % 999:03}"
    return Ins.parse(f"{body}{97 - int(body) % 97:02}").value


def _rpps(profession: str, which: int) -> str:
    body = _FIRST_RPPS[profession] + which
    return next(rpps for key in range(10) if (rpps := _with_right_key(f"{body}{key}")))


def _with_right_key(text: str) -> str:
    try:
        return parse_rpps(text)
    except ValueError:
        return ""
