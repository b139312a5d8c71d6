"""What is answered to bodies that ask for many decisions at once, whichever way they came (`api.desk` or not)."""

import math
from collections.abc import Awaitable, Callable

import msgspec

from api.alike import read_alike
from api.answers import JsonAnswer, encode_decision, encode_decisions
from api.batches import defaults_of, interleave, items_of, stop_after
from api.identity import Caller
from api.judge import EntityPage, Judge, PageRequest
from api.paging import empty_page, page_answered, page_request
from api.schemas.authzen import EvaluationRequest, EvaluationsRequest, FoundEntities, ResourceSearch, SubjectSearch
from api.strict_json import convert, decode
from models.vocabulary import Scope

Answering = Callable[[Judge, Caller, bytes], Awaitable[JsonAnswer]]
"""Answers a body of JSON. What it raises, `api.problems` tells."""

_encode = msgspec.json.Encoder().encode


async def decide(judge: Judge, caller: Caller, question: EvaluationRequest) -> JsonAnswer:
    """One question, one decision (6)."""
    (answer,) = await judge.evaluate(caller, allow_all(caller, [question]), stop_after=None)
    return JsonAnswer(encode_decision(answer))


async def decide_many(judge: Judge, caller: Caller, body: bytes) -> JsonAnswer:
    """Many questions, as many decisions (7); without any item, one as above."""
    if (alike := read_alike(body)) is not None:
        allow_all(caller, [alike.questions.question])
        ends = stop_after(alike.batch)
        return JsonAnswer(encode_decisions(await judge.evaluate(caller, alike.questions, stop_after=ends)))
    batch = decode(body, EvaluationsRequest)
    if not batch.evaluations:
        return await decide(judge, caller, convert(defaults_of(batch), EvaluationRequest))
    items = items_of(batch)
    questions = allow_all(caller, [item for item in items if isinstance(item, EvaluationRequest)])
    ends = stop_after(batch)
    judged = await judge.evaluate(caller, questions, stop_after=ends) if questions else []
    return JsonAnswer(encode_decisions(interleave(items, judged, ends=ends)))


async def find_resources(judge: Judge, caller: Caller, body: bytes) -> JsonAnswer:
    """To what may this one do this (8.5)."""
    search = decode(body, ResourceSearch)
    page = page_request(search)
    caller.client.require_speaking_for(search.subject.type)
    if page.limit == 0:
        return JsonAnswer(_encode(FoundEntities(page=empty_page(search, page), results=[])))
    return found_entities(search, page, await judge.search_resources(caller, search, page))


def found_entities(search: SubjectSearch | ResourceSearch, page: PageRequest, found: EntityPage) -> JsonAnswer:
    """What a search found, and where the rest begins."""
    answered = page_answered(search, page, found.next, len(found.results))
    return JsonAnswer(_encode(FoundEntities(page=answered, results=list(found.results))), headers=_staleness(found))


def _staleness(found: EntityPage) -> tuple[tuple[bytes, bytes], ...]:
    """Within how many seconds before the answer a change need not have counted, rounded up; if any."""
    if found.stale_seconds is None:
        return ()
    return ((b"dmp-stale-seconds", b"%.1f" % (math.ceil(found.stale_seconds * 10) / 10)),)


def allow_all(caller: Caller, questions: list[EvaluationRequest]) -> list[EvaluationRequest]:
    """The questions, if the client may ask them. Raises ForbiddenError."""
    for kind in {question.subject.type for question in questions}:
        caller.client.require_speaking_for(kind)
    contexts = {id(question.context): question for question in questions}
    if any(question.explains for question in contexts.values()):
        caller.client.require(Scope.POLICY)
    return questions
