"""What is compared: a server that answers our questions in its own words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from loadtests.peers.questions import Question

Decisions = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in a peer's words: the bytes of the request, and how the decisions are read from a body."""

    request: bytes
    read: Callable[[bytes], Decisions]


@dataclass(frozen=True, slots=True)
class Write:
    """How a block comes to where this peer finds its facts, and how it is taken back where that is needed."""

    when: str
    block: Callable[[Question], None]
    undo: Callable[[Question], None] | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """Of a peer that is handed whatever a question is decided by: it keeps nothing and lists nothing."""

    version: str
    port: int
    process: int
    facts: str = "the caller"
    writes: Sequence[Write] = ()

    def listing(self, question: Question) -> Asked | None:  # noqa: ARG002 - whoever hands over all documents has listed them
        return None


class Peer(Protocol):
    """A server that runs and has its facts."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def facts(self) -> str:
        """Where they come from."""

    @property
    def port(self) -> int: ...

    @property
    def process(self) -> int: ...

    def single(self, question: Question) -> Asked:
        """About the one document of the question."""

    def batch(self, question: Question) -> Asked:
        """About all its documents, in one request."""

    def listing(self, question: Question) -> Asked | None:
        """Which documents of the dossier the subject may read; None where that cannot be asked."""

    @property
    def writes(self) -> Sequence[Write]:
        """None where the caller brings the facts along."""
