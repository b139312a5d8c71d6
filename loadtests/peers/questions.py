"""What ours and the peers are asked alike: who may read which documents of one dossier.

The answers are known by construction, as those of the personas: a question is drawn from dossiers where it is plain.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import NamedTuple

import numpy as np

from loadtests.population import INSURER, Document, Dossier, Population

MOST_DOCUMENTS = 200
"""Of a batch or a listing."""

_THICK = 20
_SPARE = 5
"""So many times as many are looked at, since some have nobody who may read them."""
_LOOKED_THROUGH = 400_000
"""Dossiers among which those with many documents are looked for, so many at once:"""
_A_BLOCK = 50_000


class Subject(NamedTuple):
    """Who asks; `kind` is what the directory knows of an organization."""

    type: str
    id: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """May the subject read these documents of the dossier, one decision each."""

    about: str
    subject: Subject
    dossier: Dossier
    documents: tuple[Document, ...]
    expected: tuple[bool, ...]


Drawn = Callable[[Dossier, Random], Question | None]


def _treating_physician(dossier: Dossier, random: Random) -> Question | None:
    rpps = dossier.treating_physician
    return _one("treating physician", rpps, dossier, random.choice(dossier.documents), expected=True)


def _care_team(dossier: Dossier, random: Random) -> Question | None:
    unmasked = [document for document in dossier.documents if not document.masked]
    return _one("care team", _nurse(dossier, random, consent=True), dossier, random.choice(unmasked), expected=True)


def _masked(dossier: Dossier, random: Random) -> Question | None:
    masked = [document for document in dossier.documents if document.masked]
    if not masked:
        return None
    return _one("masked", _nurse(dossier, random, consent=True), dossier, random.choice(masked), expected=False)


def _no_consent(dossier: Dossier, random: Random) -> Question | None:
    nurse = _nurse(dossier, random, consent=False)
    return _one("care team without consent", nurse, dossier, random.choice(dossier.documents), expected=False)


def _blocked(dossier: Dossier, random: Random) -> Question | None:
    return _one("blocked", dossier.blocked, dossier, random.choice(dossier.documents), expected=False)


def _stranger(dossier: Dossier, random: Random) -> Question | None:
    return _one("stranger", dossier.stranger, dossier, random.choice(dossier.documents), expected=False)


def _insurer(dossier: Dossier, random: Random) -> Question | None:
    subject = Subject("organization", INSURER, "complementary_insurer")
    return Question("insurer", subject, dossier, (random.choice(dossier.documents),), (False,))


KINDS: Sequence[Drawn] = (_treating_physician, _care_team, _masked, _no_consent, _blocked, _stranger, _insurer)


def _nurse(dossier: Dossier, random: Random, *, consent: bool) -> str | None:
    return random.choice(dossier.nurses) if dossier.nurses and dossier.consents is consent else None


def _one(about: str, rpps: str | None, dossier: Dossier, document: Document, *, expected: bool) -> Question | None:
    if rpps is None:
        return None
    return Question(about, Subject("professional", rpps), dossier, (document,), (expected,))


@dataclass(frozen=True, slots=True)
class Sample:
    """The dossiers that are asked about, which every peer is given: the first of the population, and thick ones."""

    dossiers: Sequence[Dossier]
    thick: Sequence[Dossier]

    @classmethod
    def of(cls, population: Population, dossiers: int) -> "Sample":
        """So many dossiers; the thick ones have the most documents up to 200, and somebody who may read them."""
        first = list(population.dossiers_at(np.arange(min(dossiers, population.dossiers))))
        thick = _thickest(population)
        return cls([*first, *(dossier for dossier in thick if dossier.number >= len(first))], thick)

    def singles(self, count: int, random: Random) -> list[Question]:
        """So many questions about one document, each kind as often as the others, in random order.

        Raises LookupError if a kind cannot be asked of these dossiers.
        """
        share = -(-count // len(KINDS))
        drawn = [question for kind in KINDS for question in islice(self._of_kind(kind, random), share)]
        random.shuffle(drawn)
        return drawn[:count]

    def _of_kind(self, kind: Drawn, random: Random) -> Iterator[Question]:
        able = [dossier for dossier in self.dossiers if kind(dossier, random)]
        if not able:
            msg = f"none of {len(self.dossiers)} dossiers serves to ask: {kind.__name__.strip('_')}"
            raise LookupError(msg)
        while question := kind(random.choice(able), random):
            yield question

    def batches(self, size: int) -> list[Question]:
        """One about each thick dossier: its treating physician or a nurse asks for its first documents."""
        return [_of_all(dossier, size) for dossier in self.thick]

    def revocations(self, count: int) -> list[Question]:
        """Of treating physicians who may read now, each of another dossier, and whom a block would stop."""
        able = (dossier for dossier in reversed(self.dossiers) if dossier.treating_physician)
        questions = (_treating_physician(dossier, Random(dossier.number)) for dossier in able)
        return [question for question in islice(questions, count) if question]


def _thickest(population: Population) -> list[Dossier]:
    """The first that have 200 documents or more; where they are too few, those that have the most."""
    looked = np.arange(min(population.dossiers, _LOOKED_THROUGH))
    counts = np.concatenate(
        [population.block(numbers).documents.counts for numbers in np.array_split(looked, -(-len(looked) // _A_BLOCK))]
    )
    by_size = np.argsort(-np.minimum(counts, MOST_DOCUMENTS), kind="stable")
    dossiers = population.dossiers_at(by_size[: _THICK * _SPARE])
    return list(islice(filter(_has_readers, dossiers), _THICK))


def _has_readers(dossier: Dossier) -> bool:
    return dossier.treating_physician is not None or bool(dossier.nurses and dossier.consents)


def _of_all(dossier: Dossier, size: int) -> Question:
    documents = dossier.documents[:size]
    if dossier.nurses and dossier.consents and (dossier.number % 2 or not dossier.treating_physician):
        subject = Subject("professional", dossier.nurses[0])
        return Question("care team", subject, dossier, documents, tuple(not each.masked for each in documents))
    subject = Subject("professional", dossier.treating_physician or "")
    return Question("treating physician", subject, dossier, documents, (True,) * len(documents))


def ties(dossier: Dossier, *, blocked: str | None = None) -> Mapping[str, object]:
    """The facts of a dossier as peers are given them; `blocked` is somebody whom the patient blocks besides."""
    return {
        "treating_physicians": [rpps for rpps in (dossier.treating_physician,) if rpps],
        "care_team": list(dossier.nurses),
        "care_team_consent": dossier.consents,
        "blocked": [rpps for rpps in (dossier.blocked, blocked) if rpps],
    }
