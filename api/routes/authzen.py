"""OpenID AuthZEN Authorization API 1.0: decisions over HTTP.

A denial is an answer (200). What comes back carries no member but the standard's, unless the caller asks the judge for
more. Errors are the standard's: a status and a sentence.
"""

import msgspec
from litestar import Controller, get, post
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from api.answers import JsonAnswer
from api.deciding import decide, decide_many, find_resources, found_entities
from api.judge import Judge
from api.openapi import Documented
from api.paging import empty_page, page_answered, page_request
from api.problems import answer_sentence
from api.requests import Call, caller_of, read_json, read_json_bytes
from api.routes import authzen_examples as examples
from api.schemas.authzen import (
    ActionSearch,
    Configuration,
    EvaluationRequest,
    FoundActions,
    FoundEntities,
    SubjectSearch,
)
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
        return await decide(_judge_of(request), caller_of(request), question)

    @post("/evaluations", status_code=200, summary="Decide many", direct=True, documented=examples.EVALUATIONS)
    async def evaluations(self, request: Call) -> ASGIApp:
        """Many questions, as many decisions (7); without any item, one as above."""
        body = await read_json_bytes(request)
        return await decide_many(_judge_of(request), caller_of(request), body)

    @post("/search/subject", status_code=200, summary="Search subjects", documented=examples.SUBJECT_SEARCH)
    async def search_subject(self, request: Call) -> ASGIApp:
        """Who may do this to that (8.4); with `DMP-Stale-Seconds`, the last changes need not have counted."""
        search = await read_json(request, SubjectSearch)
        caller, page = caller_of(request), page_request(search)
        caller.client.require_speaking_for(search.subject.type)
        if page.limit == 0:
            return JsonAnswer(_encode(FoundEntities(page=empty_page(search, page), results=[])))
        return found_entities(search, page, await _judge_of(request).search_subjects(caller, search, page))

    @post(
        "/search/resource",
        status_code=200,
        summary="Search resources",
        direct=True,
        documented=examples.RESOURCE_SEARCH,
    )
    async def search_resource(self, request: Call) -> ASGIApp:
        """To what may this one do this (8.5); with `DMP-Stale-Seconds`, the last changes need not have counted."""
        body = await read_json_bytes(request)
        return await find_resources(_judge_of(request), caller_of(request), body)

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
