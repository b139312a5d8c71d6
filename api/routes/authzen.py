"""OpenID AuthZEN Authorization API 1.0: decisions over HTTP.

A denial is an answer (200). What comes back carries no member but the standard's, unless the caller asks the judge for
more. Errors are the standard's: a status and a sentence.
"""

import math

import msgspec
from litestar import Controller, get, post
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from api.alike import read_alike
from api.answers import JsonAnswer, encode_decision, encode_decisions
from api.batches import defaults_of, interleave, items_of, stop_after
from api.identity import Caller
from api.judge import EntityPage, Judge
from api.openapi import Documented
from api.paging import empty_page, page_answered, page_request
from api.problems import answer_sentence
from api.requests import Call, caller_of, read_json, read_json_bytes
from api.routes import authzen_examples as examples
from api.schemas.authzen import (
    ActionSearch,
    Answer,
    Configuration,
    EvaluationRequest,
    EvaluationsRequest,
    FoundActions,
    FoundEntities,
    ResourceSearch,
    SubjectSearch,
)
from api.strict_json import convert, decode
from models.vocabulary import Scope

_CONFIGURATION_CACHE = (b"cache-control", b"public, max-age=3600")
_encode = msgspec.json.Encoder().encode


class AuthzenController(Controller):
    """The five endpoints; `app.state` holds the judge."""

    path = "/access/v1"
    opt = {"scope": Scope.DECIDE}  # noqa: RUF012 - the framework declares it as an instance's
    exception_handlers = {HTTPException: answer_sentence, Exception: answer_sentence}  # noqa: RUF012 - likewise
    tags = ["AuthZEN"]  # noqa: RUF012 - likewise

    @post("/evaluation", status_code=200, summary="Decide", direct=True, documented=examples.EVALUATION)
    async def evaluation(self, request: Call) -> ASGIApp:
        """One question, one decision (6)."""
        question = await read_json(request, EvaluationRequest)
        return await _evaluate(_judge_of(request), caller_of(request), question)

    @post("/evaluations", status_code=200, summary="Decide many", direct=True, documented=examples.EVALUATIONS)
    async def evaluations(self, request: Call) -> ASGIApp:
        """Many questions, as many decisions (7); without any item, one as above."""
        body = await read_json_bytes(request)
        judge, caller = _judge_of(request), caller_of(request)
        if (alike := read_alike(body)) is not None:
            _allow_all(caller, [alike.questions.question])
            ends = stop_after(alike.batch)
            return JsonAnswer(encode_decisions(await judge.evaluate(caller, alike.questions, stop_after=ends)))
        batch = decode(body, EvaluationsRequest)
        if not batch.evaluations:
            return await _evaluate(judge, caller, convert(defaults_of(batch), EvaluationRequest))
        items = items_of(batch)
        questions = _allow_all(caller, [item for item in items if isinstance(item, EvaluationRequest)])
        ends = stop_after(batch)
        judged = await judge.evaluate(caller, questions, stop_after=ends) if questions else []
        return JsonAnswer(encode_decisions(interleave(items, judged, ends=ends)))

    @post("/search/subject", status_code=200, summary="Search subjects", documented=examples.SUBJECT_SEARCH)
    async def search_subject(self, request: Call) -> ASGIApp:
        """Who may do this to that (8.4); with `DMP-Stale-Seconds`, the last changes need not have counted."""
        search = await read_json(request, SubjectSearch)
        caller, page = caller_of(request), page_request(search)
        caller.client.require_speaking_for(search.subject.type)
        if page.limit == 0:
            return JsonAnswer(_encode(FoundEntities(page=empty_page(search, page), results=[])))
        found = await _judge_of(request).search_subjects(caller, search, page)
        answered = page_answered(search, page, found.next, len(found.results))
        return JsonAnswer(_encode(FoundEntities(page=answered, results=list(found.results))), headers=_staleness(found))

    @post(
        "/search/resource",
        status_code=200,
        summary="Search resources",
        direct=True,
        documented=examples.RESOURCE_SEARCH,
    )
    async def search_resource(self, request: Call) -> ASGIApp:
        """To what may this one do this (8.5); with `DMP-Stale-Seconds`, the last changes need not have counted."""
        search = await read_json(request, ResourceSearch)
        caller, page = caller_of(request), page_request(search)
        caller.client.require_speaking_for(search.subject.type)
        if page.limit == 0:
            return JsonAnswer(_encode(FoundEntities(page=empty_page(search, page), results=[])))
        found = await _judge_of(request).search_resources(caller, search, page)
        answered = page_answered(search, page, found.next, len(found.results))
        return JsonAnswer(_encode(FoundEntities(page=answered, results=list(found.results))), headers=_staleness(found))

    @post("/search/action", status_code=200, summary="Search actions", documented=examples.ACTION_SEARCH)
    async def search_action(self, request: Call) -> ASGIApp:
        """What may this one do to that (8.6)."""
        search = await read_json(request, ActionSearch)
        caller, page = caller_of(request), page_request(search)
        caller.client.require_speaking_for(search.subject.type)
        if page.limit == 0:
            return JsonAnswer(_encode(FoundActions(page=empty_page(search, page), results=[])))
        found = await _judge_of(request).search_actions(caller, search, page)
        answered = page_answered(search, page, found.next, len(found.results))
        return JsonAnswer(_encode(FoundActions(page=answered, results=list(found.results))))


@get(
    "/.well-known/authzen-configuration",
    summary="Where to ask",
    tags=["AuthZEN"],
    open=True,
    documented=Documented("Addresses of the endpoints.", answer=Configuration),
)
async def authzen_configuration(request: Call) -> ASGIApp:
    """The addresses of the endpoints (9), absolute, under the name by which the caller reached the service."""
    base = f"{request.url.scheme}://{request.url.netloc}"
    configuration = Configuration(
        policy_decision_point=base,
        access_evaluation_endpoint=f"{base}/access/v1/evaluation",
        access_evaluations_endpoint=f"{base}/access/v1/evaluations",
        search_subject_endpoint=f"{base}/access/v1/search/subject",
        search_resource_endpoint=f"{base}/access/v1/search/resource",
        search_action_endpoint=f"{base}/access/v1/search/action",
    )
    return JsonAnswer(_encode(configuration), headers=(_CONFIGURATION_CACHE,))


def _judge_of(request: Call) -> Judge:
    judge: Judge = request.app.state["judge"]
    return judge


def _staleness(found: EntityPage) -> tuple[tuple[bytes, bytes], ...]:
    """Within how many seconds before the answer a change need not have counted, rounded up; if any."""
    if found.stale_seconds is None:
        return ()
    return ((b"dmp-stale-seconds", b"%.1f" % (math.ceil(found.stale_seconds * 10) / 10)),)


def _allow_all(caller: Caller, questions: list[EvaluationRequest]) -> list[EvaluationRequest]:
    """The questions, if the client may ask them. Raises ForbiddenError."""
    for kind in {question.subject.type for question in questions}:
        caller.client.require_speaking_for(kind)
    contexts = {id(question.context): question for question in questions}
    if any(question.explains for question in contexts.values()):
        caller.client.require(Scope.POLICY)
    return questions


async def _evaluate(judge: Judge, caller: Caller, question: EvaluationRequest) -> ASGIApp:
    answer: Answer = (await judge.evaluate(caller, _allow_all(caller, [question]), stop_after=None))[0]
    return JsonAnswer(encode_decision(answer))
