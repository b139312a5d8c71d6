"""Errors as callers see them."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from litestar import get, post
from litestar.exceptions import ClientException, HTTPException, InternalServerException, TooManyRequestsException
from litestar.params import FromPath, FromQuery

from api import errors
from api.problems import encode_problem, problem_of
from api.requests import Call, read_json
from models.errors import ConstraintError, DatabaseUnavailableError
from models.identifiers import InvalidIdentifierError
from models.vocabulary import Scope
from policy.errors import PolicyFileError
from tests.api.judges import ConformanceJudge
from tests.api.service import JSON, bearer, caller, service
from vault import errors as vault_errors


class Body(msgspec.Struct):
    ins: str


@get("/v1/things/{thing:uuid}", scope=Scope.DOSSIERS)
async def thing(thing: FromPath[UUID], limit: FromQuery[int] = 1) -> dict[str, int]:
    return {"limit": limit}


@post("/v1/things", scope=Scope.DOSSIERS)
async def things(request: Call) -> dict[str, str]:
    return {"ins": (await read_json(request, Body, max_bytes=100)).ins}


SERVICE = service(ConformanceJudge(), route_handlers=[thing, things])


@pytest.mark.parametrize(
    "error, status, kind",
    [
        (errors.MalformedRequestError("This."), 400, "malformed"),
        (InvalidIdentifierError("185057800608491"), 400, "identifier"),
        (errors.DisconnectedError(), 400, "malformed"),
        (errors.BrokenFormError("This."), 400, "malformed"),
        (errors.AuthorError("author-not-verified", "This."), 400, "author"),
        (errors.UnauthenticatedError(given=False), 401, "unauthenticated"),
        (errors.UnauthenticatedError(given=True), 401, "unauthenticated"),
        (errors.ForbiddenError(), 403, "forbidden"),
        (errors.ScopeRequiredError(Scope.JOURNAL), 403, "scope"),
        (errors.RefusedError("masked"), 403, "refused"),
        (errors.RefusedError("masked", concealed=True), 404, "not-found"),
        (errors.RefusedError("no-document"), 404, "not-found"),
        (errors.RefusedError("no-message"), 404, "not-found"),
        (errors.NotFoundError(), 404, "not-found"),
        (vault_errors.NoContentError("secret"), 404, "no-content"),
        (errors.ConflictError(), 409, "conflict"),
        (ConstraintError("secret"), 409, "conflict"),
        (vault_errors.DepositLostError("secret"), 409, "deposit-lost"),
        (errors.TooLargeError(), 413, "too-large"),
        (vault_errors.ContentTooLargeError("secret"), 413, "too-large"),
        (errors.OverlongError("too-large", "This."), 413, "too-large"),
        (errors.ContentTypeError("content-type", "This."), 415, "content-type"),
        (errors.UnsatisfiableRangeError(10), 416, "range"),
        (vault_errors.RangeNotSatisfiableError("secret"), 416, "range"),
        (errors.ContentError("infected", "This."), 422, "content"),
        (PolicyFileError(Path(__file__), 1, "secret"), 422, "policy"),
        (TooManyRequestsException("secret"), 429, "http-429"),
        (RuntimeError("secret"), 500, "fault"),
        (InternalServerException("secret"), 500, "fault"),
        (vault_errors.SealBrokenError(), 500, "seal-broken"),
        (errors.UnavailableError(), 503, "unavailable"),
        (errors.ScannerError(), 503, "unavailable"),
        (DatabaseUnavailableError("secret"), 503, "unavailable"),
        (vault_errors.KeysUnavailableError("secret"), 503, "unavailable"),
        (vault_errors.KeyStateError("secret"), 503, "unavailable"),
        (vault_errors.StoreUnavailableError("secret"), 503, "unavailable"),
        (vault_errors.JournalUnavailableError("secret"), 503, "journal"),
        (vault_errors.JournalMovedError("secret"), 503, "journal"),
        (vault_errors.NotIntegratedError("secret"), 503, "proof-pending"),
        (ClientException("secret"), 400, "malformed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_has_its_problem(error: Exception, status: int, kind: str) -> None:
    """Status, type and title agree, and nothing of the error's own text is told (RFC 9457)."""
    problem = problem_of(error)
    body = msgspec.json.decode(encode_problem(problem))
    assert (body["status"], body["type"]) == (status, f"urn:problem-type:dmp:{kind}")
    assert body.keys() - {"reason"} == {"type", "title", "status", "detail"}
    assert "secret" not in str(problem)
    assert "185057800608491" not in str(problem)


def test_a_store_that_does_not_answer_says_when_to_come_back() -> None:
    """In seconds, after which it is asked again."""
    assert problem_of(vault_errors.StoreSilentError("secret")).headers == {"Retry-After": "5"}


def test_a_refusal_names_its_rule() -> None:
    """The deciding rule is the problem's `reason`."""
    assert msgspec.json.decode(encode_problem(problem_of(errors.RefusedError("break-glass-refused")))) == {
        "type": "urn:problem-type:dmp:refused",
        "title": "Forbidden",
        "status": 403,
        "detail": "The rules of the DMP refuse this.",
        "reason": "break-glass-refused",
    }


def test_a_concealed_refusal_is_an_absence_to_the_last_byte() -> None:
    """What is hidden and what does not exist are told in the same bytes and headers."""
    hidden, absent = (problem_of(errors.RefusedError("no-document", concealed=hides)) for hides in (True, False))
    assert (hidden, encode_problem(hidden)) == (absent, encode_problem(absent))


@pytest.mark.parametrize(
    "error, headers",
    [
        (errors.UnauthenticatedError(given=False), {"WWW-Authenticate": 'Bearer realm="dmp-authz"'}),
        (
            errors.UnauthenticatedError(given=True),
            {"WWW-Authenticate": 'Bearer realm="dmp-authz", error="invalid_token"'},
        ),
        (
            errors.ScopeRequiredError(Scope.JOURNAL),
            {"WWW-Authenticate": 'Bearer realm="dmp-authz", error="insufficient_scope", scope="journal"'},
        ),
        (errors.UnsatisfiableRangeError(10), {"Content-Range": "bytes */10"}),
        (HTTPException(status_code=405, headers={"allow": "POST"}), {"Allow": "POST"}),
        (HTTPException(status_code=405), {}),
        (HTTPException(status_code=404, headers={"allow": "POST"}), {}),
    ],
)
def test_what_a_status_wants_in_headers(error: Exception, headers: dict[str, str]) -> None:
    """401 and 403 challenge (RFC 6750), 416 says the size, 405 the methods (RFC 9110)."""
    assert dict(problem_of(error).headers) == headers


@pytest.mark.parametrize(
    "method, path, content, status, detail",
    [
        ("GET", "/v1/nothing", None, 404, "There is no such thing here."),
        ("GET", "/v1/things/not-a-uuid", None, 404, "There is no such thing here."),
        ("PUT", "/v1/things", b"{}", 405, "This method is not one of those that this address answers."),
        ("POST", "/v1/things", b"{}", 400, "The member ins is missing."),
        ("POST", "/v1/things", b"x" * 101, 413, "The body is larger than this endpoint reads."),
        ("GET", "/v1/things/00000000-0000-0000-0000-000000000000?limit=x", None, 400, "The request cannot be read."),
    ],
)
async def test_problems_travel_as_such(method: str, path: str, content: bytes | None, status: int, detail: str) -> None:
    """Whatever refuses, framework or handler, the answer is a problem."""
    async with caller(SERVICE, bearer() | JSON) as http:
        answer = await http.request(method, path, content=content)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_an_address_says_its_methods() -> None:
    """405 lists what the address answers, and so does OPTIONS."""
    async with caller(SERVICE) as http:
        answers = [await http.put("/v1/things"), await http.options("/v1/things")]
    allowed = [set(answer.headers["Allow"].split(", ")) for answer in answers]
    assert allowed == [{"POST", "OPTIONS"}] * 2
