"""What the AuthZEN layer asks, and of whom: the protocol knows nothing of dossiers, the judge nothing of HTTP."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from msgspec.structs import replace

from api.identity import Caller
from api.schemas.authzen import (
    ActionSearch,
    Answer,
    EvaluationRequest,
    FoundAction,
    FoundEntity,
    ResourceSearch,
    SubjectSearch,
)
from models.identifiers import pseudonyms_bytes


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a search is wanted: at most `limit` results, beginning after the judge's own word `after`."""

    limit: int
    after: str | None = None


@dataclass(frozen=True, slots=True)
class EntityPage:
    """Some of the subjects or resources found; `next` is the judge's word for where the rest begins, if any.

    There may be fewer than `limit`, or none, and yet a `next`: so many candidates were looked at, and more may pass.

    `stale_seconds`, if there, is within how long before the answer a change need not have counted: a replica was asked.
    """

    results: Sequence[FoundEntity]
    next: str | None = None
    stale_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ActionPage:
    """Some of the actions found; `next` as in EntityPage."""

    results: Sequence[FoundAction]
    next: str | None = None


class OfEach(Sequence[EvaluationRequest]):
    """The same question about each of some resources, which differ in their ids alone: a sequence of questions.

    `values` are the bytes of those ids that are UUIDs, None for others.
    """

    __slots__ = ("ids", "question", "values")

    def __init__(
        self, question: EvaluationRequest, ids: Sequence[str], values: Sequence[bytes | None] | None = None
    ) -> None:
        self.question = question
        self.ids = ids
        self.values = pseudonyms_bytes(ids) if values is None else values

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> EvaluationRequest: ...

    @overload
    def __getitem__(self, place: slice) -> "OfEach": ...

    def __getitem__(self, place: int | slice) -> "EvaluationRequest | OfEach":
        if isinstance(place, slice):
            return OfEach(self.question, self.ids[place], self.values[place])
        return replace(self.question, resource=replace(self.question.resource, id=self.ids[place]))


class AnswersOfEach(Sequence[Answer]):
    """The answers to such questions: a few, and which of them each question has."""

    __slots__ = ("answers", "numbers")

    def __init__(self, answers: Sequence[Answer], numbers: Sequence[int]) -> None:
        self.answers = answers
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Answer]:
        return map(self.answers.__getitem__, self.numbers)

    @overload
    def __getitem__(self, place: int) -> Answer: ...

    @overload
    def __getitem__(self, place: slice) -> "AnswersOfEach": ...

    def __getitem__(self, place: int | slice) -> "Answer | AnswersOfEach":
        if isinstance(place, slice):
            return AnswersOfEach(self.answers, self.numbers[place])
        return self.answers[self.numbers[place]]


class Judge(Protocol):
    """Answers questions and journals those that are not dry runs; a search is a what-if and is not journaled.

    The caller has the scope and speaks for the kind of subject, and has the scope `policy` if it asks to explain;
    whether it speaks as the organization to which it is tied takes facts, so the judge checks it: ForbiddenError.
    """

    async def evaluate(
        self, caller: Caller, questions: Sequence[EvaluationRequest], *, stop_after: bool | None
    ) -> Sequence[Answer]:
        """The answers, in order, all written down.

        With `stop_after`, the first answer equal to it is the last one: the rest is neither judged nor journaled.
        """

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        """What `evaluate` would answer each of these callers about its one question, or raise, in order.

        They are answered together, all written down; what one of them may not ask is no matter of the others. Raises
        what keeps all of them from being answered.
        """

    async def search_subjects(self, caller: Caller, search: SubjectSearch, page: PageRequest) -> EntityPage:
        """Who, of the kind `search.subject.type`, may do `search.action` to `search.resource`."""

    async def search_resources(self, caller: Caller, search: ResourceSearch, page: PageRequest) -> EntityPage:
        """To which, of the kind `search.resource.type`, `search.subject` may do `search.action`."""

    async def search_actions(self, caller: Caller, search: ActionSearch, page: PageRequest) -> ActionPage:
        """What `search.subject` may do to `search.resource`."""
