"""Whoever is compared is first held to the expected answers, all of them, and only then timed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import psutil

from loadtests.peers.client import Client, Exchange, Measured, WrongAnswerError
from loadtests.peers.peer import Asked, Decisions, Peer, Write
from loadtests.peers.questions import Question, Sample

SMALL_BATCH, LARGE_BATCH, WHOLE_DOSSIER = 50, 200, 1_000
LISTINGS_PER_SINGLE = 0.5
"""So many listings arrive where one single question would, each of as many documents as the dossier has."""

_REVOCATIONS = 20
_BETWEEN_ANSWERS_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Terms:
    """How everybody is timed."""

    seconds: float
    rate: float
    """Single questions a second that arrive whether or not those before them are answered."""

    warm_up_seconds: float = 1.0
    connections: int = 32
    batch_connections: int = 8
    questions: int = 7_000
    right_seconds: float = 2.0
    """A block is in force once every answer was right for so long."""

    give_up_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was answered after blocks were written: `last` is how long after its block a wrong answer still came."""

    when: str
    asked: int
    wrong: int
    last: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was measured of one; rates of batches and listings are document decisions a second."""

    name: str
    version: str
    facts: str
    single: Measured
    paced: Measured
    batches: Mapping[int, Measured]
    listing: Measured | None
    paced_listing: Measured | None
    """Whole listings, that arrive at random."""
    documents: Mapping[int, float]
    """Documents of a batch of that size, on average: few dossiers of a small population have so many."""
    revoked: Sequence[Revoked]
    memory: int


@dataclass(slots=True)
class Comparison:
    """The questions, and the answers of ours, to which everybody's must be equal."""

    sample: Sample
    terms: Terms
    seed: int
    told: Callable[[str], None]
    _agreed: dict[str, Sequence[Decisions]] = field(default_factory=dict)
    _singles: Sequence[Question] = field(init=False)
    _batches: Mapping[int, Sequence[Question]] = field(init=False)

    def __post_init__(self) -> None:
        self._singles = self.sample.singles(self.terms.questions, Random(self.seed))
        self._batches = {size: self.sample.batches(size) for size in (SMALL_BATCH, LARGE_BATCH, WHOLE_DOSSIER)}

    def of(self, peer: Peer) -> Outcome:
        """Raises WrongAnswerError if a single answer is not ours, before anything is timed or while it is."""
        terms, large = self.terms, self._batches[WHOLE_DOSSIER]
        with Client(peer.port, terms.batch_connections) as client:
            singles = self._checked(client, "single", self._singles, peer.single)
            batches = {
                size: self._checked(client, f"batch of {size}", self._batches[size], peer.batch)
                for size in (SMALL_BATCH, LARGE_BATCH)
            }
            listings = self._checked(client, "listing", large, peer.listing) if peer.listing(large[0]) else None
            self.told(f"{peer.name}: all answers are right")
            timed = {size: self._timed(client, exchanges) for size, exchanges in batches.items()}
            listing = self._timed(client, listings) if listings else None
        with Client(peer.port, terms.connections) as client:
            single = self._timed(client, singles)
        with Client(peer.port, 2 * terms.connections) as client:
            client.closed(singles, terms.warm_up_seconds)
            paced = client.paced(singles, terms.rate, terms.seconds)
            rate = terms.rate * LISTINGS_PER_SINGLE
            paced_listing = client.paced(listings, rate, terms.seconds) if listings else None
        held = psutil.Process(peer.process).memory_info().rss
        self.told(f"{peer.name}: {single.rate:,.0f} a second, p99 {single.p99:.1f} ms, client busy {single.busy:.0%}")
        return Outcome(
            peer.name,
            peer.version,
            peer.facts,
            single,
            paced,
            {size: _by_document(measured, self._mean(size)) for size, measured in timed.items()},
            listing and _by_document(listing, self._mean(WHOLE_DOSSIER)),
            paced_listing,
            {size: self._mean(size) for size in self._batches},
            [self._revoked(peer, write) for write in peer.writes],
            held,
        )

    def _checked(
        self, client: Client, what: str, questions: Sequence[Question], words: Callable[[Question], Asked | None]
    ) -> list[Exchange]:
        """Ready to be timed. Raises WrongAnswerError unless each answer is the expected one, and ours."""
        asked = [each for question in questions if (each := words(question))]
        exchanges = [Exchange(each.request, lambda _: True) for each in asked]
        client.once(exchanges)
        answers = [_read(each, exchange.right) for each, exchange in zip(asked, exchanges, strict=True)]
        for question, answer in zip(questions, answers, strict=True):
            if answer != question.expected:
                msg = f"{what}, {question.about}: {answer} instead of {question.expected}"
                raise WrongAnswerError(msg)
        if self._agreed.setdefault(what, answers) != answers:
            raise WrongAnswerError(f"{what}: the answers are not ours")
        return [
            Exchange(exchange.request, _expecting(each, question.expected), exchange.right)
            for exchange, each, question in zip(exchanges, asked, questions, strict=True)
        ]

    def _timed(self, client: Client, exchanges: Sequence[Exchange]) -> Measured:
        client.closed(exchanges, self.terms.warm_up_seconds)
        return client.closed(exchanges, self.terms.seconds)

    def _mean(self, size: int) -> float:
        questions = self._batches[size]
        return sum(len(question.documents) for question in questions) / len(questions)

    def _revoked(self, peer: Peer, write: Write) -> Revoked:
        """Treating physicians who may read, and do, are blocked one after the other, and go on asking."""
        questions = self.sample.revocations(_REVOCATIONS)
        with Client(peer.port, 1) as client:
            watch = _Watch(client, [peer.single(question) for question in questions])
            watch.ask_all()
            try:
                for which, question in enumerate(questions):
                    write.block(question)
                    watch.blocked(which)
                watch.until_right(self.terms)
            finally:
                for question in questions if write.undo else ():
                    write.undo(question)  # type: ignore[misc]  # the line above has looked
        return Revoked(write.when, watch.asked, watch.wrong, watch.last)


class _Watch:
    """Asks for those who were blocked and counts who still reads."""

    def __init__(self, client: Client, asked: Sequence[Asked]) -> None:
        self._client, self._questions = client, asked
        self._since: dict[int, float] = {}
        self.asked, self.wrong, self.last = 0, 0, 0.0

    def ask_all(self) -> None:
        """So that whoever remembers answers has something to remember."""
        for each in self._questions:
            self._may_read(each)

    def blocked(self, which: int) -> None:
        """Asked at once, with all who were blocked before."""
        self._since[which] = time.monotonic()
        self._ask()

    def until_right(self, terms: Terms) -> None:
        begin = right_since = time.monotonic()
        while (now := time.monotonic()) < min(right_since + terms.right_seconds, begin + terms.give_up_seconds):
            right_since = right_since if self._ask() else now
            time.sleep(_BETWEEN_ANSWERS_SECONDS)

    def _ask(self) -> bool:
        """Whether nobody who is blocked may read."""
        before = self.wrong
        for which, since in self._since.items():
            self.asked += 1
            begin = time.monotonic()
            if self._may_read(self._questions[which]):
                self.wrong += 1
                self.last = max(self.last, begin - since)
        return self.wrong == before

    def _may_read(self, asked: Asked) -> bool:
        exchange = Exchange(asked.request, lambda _: True)
        self._client.once([exchange])
        return asked.read(exchange.right) == (True,)


def _read(asked: Asked, body: bytes) -> Decisions:
    try:
        return asked.read(body)
    except (LookupError, TypeError, ValueError):
        raise WrongAnswerError(f"no answer to what was asked: {body[:300].decode(errors='replace')}") from None


def _expecting(asked: Asked, expected: Decisions) -> Callable[[bytes], bool]:
    return lambda body: asked.read(body) == expected


def _by_document(measured: Measured, documents: float) -> Measured:
    return replace(measured, answers=round(measured.answers * documents))
