"""The policy decision point: AuthZEN's questions, answered on facts by the rules, and written down.

Searches are what-ifs: each candidate is judged as if it were asked about, and nothing is journaled (RULES §4.3). Those
that go through many dossiers or professionals may be answered by a replica. What asks about one dossier takes one
look-up, as a decision does, and shows what the caller may have changed just now: that is the primary's.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from api.errors import MalformedRequestError
from api.identity import Caller
from api.judge import ActionPage, AnswersOfEach, EntityPage, OfEach, PageRequest
from api.schemas.authzen import (
    ActionAsked,
    ActionSearch,
    Answer,
    Entity,
    EvaluationRequest,
    FoundAction,
    FoundEntity,
    ResourceSearch,
    SubjectSearch,
)
from api.services.cursors import place_between, read_position, write_position
from api.services.judging import Judgement, Judging
from api.services.questions import are_alike, question_of
from api.services.replicated import searched
from models.database import Database, Reads, Replica
from models.facts import Case, Professional, Question, Reference
from models.identifiers import InvalidIdentifierError, parse_pseudonym, pseudonym_texts
from models.queries import fetch_cases
from models.queries.search import dossiers_of_professional, professionals_of_dossier
from models.vocabulary import ACTIONS_ON, Action, ResourceType, SubjectType
from policy.engine import Engine

_CANDIDATES = 200
"""So many are looked up at once."""

_MOST_BATCHES = 5
"""So many times for one page: where few candidates pass it is short, even empty, and says where to go on."""

Candidates = Callable[[str | None], Awaitable[Sequence[tuple[str, Case]]]]


class DecisionPoint:
    """The judge behind the AuthZEN endpoints (`api.judge.Judge`)."""

    def __init__(self, database: Database, judging: Judging, replica: Replica | None = None) -> None:
        self._database = database
        self._replica = replica
        self._judging = judging

    async def evaluate(
        self,
        caller: Caller,
        questions: Sequence[EvaluationRequest],
        stop_after: bool | None,  # noqa: FBT001 - the protocol's
    ) -> Sequence[Answer]:
        """Judge, write down what is no dry run, and only then answer."""
        if (of_documents := _of_documents(questions)) is not None:
            return await self._evaluate_each(caller, of_documents, stop_after=stop_after)
        at = self._judging.now()
        judgements = await self._judging.judge_all(caller.client, [question_of(question, at) for question in questions])
        pairs = list(zip(questions, _until(judgements, stop_after=stop_after), strict=False))
        told = [pair for pair in pairs if not pair[0].is_dry_run]
        if told:
            resources = [Reference(question.resource.type, question.resource.id) for question, _ in told]
            await self._judging.record(caller, [judgement for _, judgement in told], resources)
        return _answers(pairs)

    async def _evaluate_each(self, caller: Caller, questions: OfEach, *, stop_after: bool | None) -> Sequence[Answer]:
        """The same of documents that are asked about alike; those that are judged alike are answered alike."""
        question = questions.question
        asked = question_of(question, self._judging.now())
        judgements, numbers = await self._judging.judge_documents(caller.client, asked, questions.values)
        if stop_after is not None:
            numbers = numbers[: len(_until([judgements[number] for number in numbers], stop_after=stop_after))]
        if not question.is_dry_run:
            kind = ResourceType.DOCUMENT.value
            resources = [Reference(kind, identity) for identity in questions.ids[: len(numbers)]]
            await self._judging.record(caller, [judgements[number] for number in numbers], resources)
        return AnswersOfEach([_answer(question, each) for each in judgements], numbers)

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        """Judge, write down what is no dry run, and only then answer."""
        at = self._judging.now()
        judged = await self._judging.judge_apart([(caller.client, _asked_at(each, at)) for caller, each in asked])
        await self._judging.record_apart(
            [
                (caller, judgement)
                for (caller, question), judgement in zip(asked, judged, strict=True)
                if isinstance(judgement, Judgement) and not question.is_dry_run
            ]
        )
        return [
            _answer(question, judgement) if isinstance(judgement, Judgement) else judgement
            for (_, question), judgement in zip(asked, judged, strict=True)
        ]

    async def search_subjects(self, caller: Caller, search: SubjectSearch, page: PageRequest) -> EntityPage:
        """The professionals tied to the dossier who may do it; other kinds of subject are not searched."""
        anybody = Entity(SubjectType.PROFESSIONAL, "")
        template = question_of(
            EvaluationRequest(anybody, search.action, search.resource, search.context), self._judging.now()
        )
        if search.subject.type != SubjectType.PROFESSIONAL:
            return EntityPage([])
        return await searched(
            self._replica, self._database, lambda database: self._professionals(database, caller, template, page)
        )

    async def _professionals(
        self, database: Reads, caller: Caller, template: Question, page: PageRequest
    ) -> EntityPage:
        (about,) = await fetch_cases(database, [template])
        if about.dossier is None:
            return EntityPage([])
        dossier = about.dossier.id

        async def candidates(after: str | None) -> Sequence[tuple[str, Case]]:
            found = await professionals_of_dossier(database, dossier, after=after or "", limit=_CANDIDATES)
            questions = [replace(template, subject=Reference(SubjectType.PROFESSIONAL, rpps)) for rpps in found]
            return list(zip(found, await fetch_cases(database, questions), strict=True))

        def may_be_asked_about(case: Case) -> bool:
            tied_to = caller.client.organization
            return tied_to is None or (isinstance(case.subject, Professional) and tied_to in case.subject.organizations)

        engine = self._judging.engine
        return await self._entities(
            caller, page, engine, candidates, lambda question: question.subject, may_be_asked_about
        )

    async def search_resources(self, caller: Caller, search: ResourceSearch, page: PageRequest) -> EntityPage:
        """The documents of the dossier in `resource.properties.dossier`, or the dossiers tied to a professional."""
        of_dossier = Entity(ResourceType.DOSSIER, _dossier_of(search) or "")
        template = question_of(
            EvaluationRequest(search.subject, search.action, of_dossier, search.context), self._judging.now()
        )
        if search.resource.type == ResourceType.DOCUMENT:
            if not of_dossier.id:
                raise MalformedRequestError("A search of documents needs the member resource.properties.dossier.")
            return await self._documents(caller, template, page)
        # May it ask about this subject, whatever is found? That is a decision.
        engine = (await self._judging.judge(caller.client, template)).engine

        async def dossiers(database: Reads, after: str | None) -> Sequence[tuple[str, Case]]:
            begin = _uuid(after) if after else None
            found = await dossiers_of_professional(database, search.subject.id, after=begin, limit=_CANDIDATES)
            questions = [replace(template, resource=Reference(ResourceType.DOSSIER, str(each))) for each in found]
            cases = await fetch_cases(database, questions)
            return [(str(each), case) for each, case in zip(found, cases, strict=True)]

        if search.resource.type == ResourceType.DOSSIER and search.subject.type == SubjectType.PROFESSIONAL:
            return await searched(
                self._replica,
                self._database,
                lambda database: self._entities(
                    caller, page, engine, partial(dossiers, database), lambda question: question.resource
                ),
            )
        return EntityPage([])

    async def _documents(self, caller: Caller, asked: Question, page: PageRequest) -> EntityPage:
        """The documents of a dossier that pass, newest first; `asked` is about the dossier."""
        after = None if page.after is None else read_position(page.after)
        found, more = await self._judging.permitted_documents(caller.client, asked, after, page.limit)
        kind = ResourceType.DOCUMENT.value
        results = [FoundEntity(kind, each) for each in pseudonym_texts(found)]
        return EntityPage(results, None if more is None else write_position(more))

    async def search_actions(self, caller: Caller, search: ActionSearch, page: PageRequest) -> ActionPage:
        """Every action on such a resource that the subject may do, in the order of the vocabulary."""
        known = search.resource.type in ResourceType.__members__.values()
        on_it = ACTIONS_ON[ResourceType(search.resource.type)] if known else frozenset[Action]()
        at = self._judging.now()
        questions = [
            question_of(
                EvaluationRequest(search.subject, ActionAsked(action.value), search.resource, search.context), at
            )
            for action in Action
            if action in on_it
        ]
        judged = await self._judging.judge_all(caller.client, questions)
        names = [each.case.question.action for each in judged if each.decision.allowed]
        begin = names.index(page.after) + 1 if page.after in names else 0
        shown = names[begin : begin + page.limit]
        return ActionPage([FoundAction(name) for name in shown], shown[-1] if names[begin + page.limit :] else None)

    async def _entities(
        self,
        caller: Caller,
        page: PageRequest,
        engine: Engine,
        candidates: Candidates,
        found: Callable[[Question], Reference],
        counts: Callable[[Case], bool] = lambda _: True,
    ) -> EntityPage:
        """The first candidates that pass, and where the next page begins if there may be one.

        That is the last one shown, or a place that nobody has: who was looked at and not shown is not told.
        """
        shown: list[FoundEntity] = []
        after = page.after
        for _ in range(_MOST_BATCHES):
            batch = await candidates(after)
            is_last = len(batch) < _CANDIDATES
            for _, case in batch if is_last else batch[:-1]:
                if counts(case) and self._judging.verdict(caller.client, case, engine).decision.allowed:
                    if len(shown) == page.limit:
                        return EntityPage(shown, shown[-1].id)
                    shown.append(_found(found(case.question)))
            if is_last:
                return EntityPage(shown)
            after = place_between(batch[-2][0], batch[-1][0])
        return EntityPage(shown, after)


def _asked_at(request: EvaluationRequest, at: datetime) -> Question | MalformedRequestError:
    try:
        return question_of(request, at)
    except MalformedRequestError as error:
        return error


def _found(reference: Reference) -> FoundEntity:
    return FoundEntity(reference.type, reference.id)


def _dossier_of(search: ResourceSearch) -> str | None:
    value = (search.resource.properties or {}).get("dossier")
    return value if isinstance(value, str) else None


def _uuid(text: str) -> UUID:
    try:
        return parse_pseudonym(text)
    except InvalidIdentifierError:
        raise MalformedRequestError("The member page.token belongs to another search.") from None


def _of_documents(questions: Sequence[EvaluationRequest]) -> OfEach | None:
    """The questions as one about each of some documents, if they are alike."""
    if isinstance(questions, OfEach):
        return questions if questions.question.resource.type == ResourceType.DOCUMENT else None
    return OfEach(questions[0], [each.resource.id for each in questions]) if are_alike(questions) else None


def _until(judgements: list[Judgement], *, stop_after: bool | None) -> list[Judgement]:
    """Those up to the first that ends the batch."""
    if stop_after is None:
        return judgements
    ends = [each.decision.allowed for each in judgements]
    return judgements[: ends.index(stop_after) + 1] if stop_after in ends else judgements


def _answers(pairs: Sequence[tuple[EvaluationRequest, Judgement]]) -> list[Answer]:
    """What is judged alike is answered alike, if it was asked in the same context."""
    shared: dict[tuple[int, int], Answer] = {}
    answers = []
    for question, judgement in pairs:
        key = (id(judgement), id(question.context))
        answer = shared.get(key)
        if answer is None:
            answer = shared[key] = _answer(question, judgement)
        answers.append(answer)
    return answers


def _answer(question: EvaluationRequest, judgement: Judgement) -> Answer:
    decision = judgement.decision
    context: dict[str, Any] = {}
    if decision.obligations:
        context["obligations"] = [{"id": obligation.value} for obligation in decision.obligations]
    if question.is_dry_run:
        context["dry_run"] = True
    if question.explains:
        reason = judgement.engine.register.reasons[decision.rule]
        context |= {
            "rule": decision.rule,
            "refused_by": list(decision.refused_by),
            "allowed_by": list(decision.allowed_by),
            "reason": {"fr": reason.fr, "en": reason.en},
            "revision": judgement.engine.revision,
            "situation": list(judgement.situation.words()),
        }
    return Answer(decision.allowed, context or None)
