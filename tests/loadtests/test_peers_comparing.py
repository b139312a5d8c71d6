"""Whoever answers wrongly is not timed, and whoever lets a blocked physician read is found out."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from loadtests.peers.client import WrongAnswerError, post
from loadtests.peers.comparing import LARGE_BATCH, Comparison, Terms
from loadtests.peers.peer import Asked, Decisions, Write
from loadtests.peers.questions import Question
from tests.loadtests.peers import SAMPLE
from tests.loadtests.serving import serving

TERMS = Terms(0.05, 200.0, 0.01, connections=2, batch_connections=2, questions=70, right_seconds=0.05)


@dataclass(slots=True)
class Parrot:
    """Is told the answer with the question; `late` answers after a block it still gives the old one."""

    late: int = 0
    lies_about: str = ""
    port: int = 0
    name: str = "parrot"
    version: str = "1"
    facts: str = "the question"
    process: int = field(default_factory=os.getpid)
    blocked: set[int] = field(default_factory=set)

    def single(self, question: Question) -> Asked:
        return self._asked(question)

    def batch(self, question: Question) -> Asked:
        return self._asked(question)

    def listing(self, question: Question) -> Asked | None:
        return self._asked(question)

    @property
    def writes(self) -> Sequence[Write]:
        return (Write("after it was told", self._block),)

    def _block(self, question: Question) -> None:
        self.blocked.add(question.dossier.number)

    def _asked(self, question: Question) -> Asked:
        told = [question.about, question.dossier.number, question.expected]
        return Asked(post("/", json.dumps(told).encode()), _read)

    def answer(self, _: int, body: bytes) -> bytes:
        about, dossier, expected = json.loads(body)
        if dossier in self.blocked and self.late:
            self.late -= 1
        elif dossier in self.blocked:
            expected = [False]
        elif about == self.lies_about:
            expected = [not each for each in expected]
        answer = json.dumps(expected).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)


def _read(body: bytes) -> Decisions:
    return tuple(json.loads(body))


@contextmanager
def answering(parrot: Parrot) -> Iterator[Parrot]:
    with serving(parrot.answer) as port:
        parrot.port = port
        yield parrot


def comparison(said: list[str] | None = None) -> Comparison:
    return Comparison(SAMPLE, TERMS, 1, (said if said is not None else []).append)


def test_whoever_is_right_is_timed() -> None:
    """Single questions, batches, listings; and a batch counts as many decisions as it has documents."""
    said: list[str] = []
    with answering(Parrot()) as parrot:
        outcome = comparison(said).of(parrot)
    listed = outcome.listing
    assert (
        said[0],
        min(outcome.single.answers, outcome.paced.answers) > 0,
        outcome.batches[LARGE_BATCH].answers > outcome.documents[LARGE_BATCH],
        listed is not None and listed.rate > 0,
        [(revoked.when, revoked.wrong) for revoked in outcome.revoked],
    ) == ("parrot: all answers are right", True, True, True, [("after it was told", 0)])


@pytest.mark.parametrize("about", ["stranger", "masked", "treating physician"])
def test_one_wrong_answer_and_nobody_is_timed(about: str) -> None:
    """What was asked is named, and nothing was said to be right."""
    said: list[str] = []
    with answering(Parrot(lies_about=about)) as parrot, pytest.raises(WrongAnswerError, match=f"single, {about}"):
        comparison(said).of(parrot)
    assert said == []


def test_wrong_answers_after_a_block_are_counted() -> None:
    """All of them, and how long after its block the last one came."""
    with answering(Parrot(late=30)) as parrot:
        revoked = comparison().of(parrot).revoked[0]
    assert (revoked.wrong, revoked.asked > 30, revoked.last > 0) == (30, True, True)


def test_whoever_never_hears_of_a_block_is_given_up() -> None:
    """The run goes on: every answer was wrong."""
    patient = Terms(0.05, 200.0, 0.01, 2, 2, 70, right_seconds=0.05, give_up_seconds=0.1)
    with answering(Parrot(late=1_000_000)) as parrot:
        revoked = Comparison(SAMPLE, patient, 1, lambda _: None).of(parrot).revoked[0]
    assert revoked.wrong == revoked.asked > 0
