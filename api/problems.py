"""The one place where errors become HTTP: RFC 9457 problems, and AuthZEN's plain sentences.

Every sentence is fixed here, or composed by us (MalformedRequestError). The text of an exception never leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

import msgspec
import structlog
from litestar import MediaType, Response
from litestar.exceptions import HTTPException

from api import errors
from api.requests import Call
from models.errors import ConstraintError, DatabaseUnavailableError
from models.identifiers import InvalidIdentifierError
from policy.errors import BundleError, PolicyFileError
from vault.errors import (
    ContentTooLargeError,
    DepositLostError,
    JournalUnavailableError,
    KeyStateError,
    KeysUnavailableError,
    NoContentError,
    NotIntegratedError,
    RangeNotSatisfiableError,
    SealBrokenError,
    StoreUnavailableError,
)

PROBLEM_MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:problem-type:dmp:"
_REALM = 'Bearer realm="dmp-authz"'
_ABSENCES = frozenset({"no-document", "no-message"})

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told: `kind` never changes meaning, `detail` is for people."""

    kind: str
    status: int
    detail: str
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem as it travels (RFC 9457, section 3); `reason` is the rule that refuses, or a word of ours."""

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None


_UNAVAILABLE = Problem(
    "unavailable", 503, "The service cannot answer at the moment; the same request may succeed later."
)
_STORE_UNAVAILABLE = Problem(
    "unavailable",
    503,
    "The object store does not answer at the moment; the same request may succeed later.",
    headers={"Retry-After": "5"},
)
_FAULT = Problem(
    "fault", 500, "The service failed to answer; the failure is recorded under the request's X-Request-ID."
)
_NOT_FOUND = Problem("not-found", 404, "There is no such thing here.")
_CONFLICT = Problem("conflict", 409, "This contradicts what is already there.")
_TOO_LARGE = Problem("too-large", 413, "The body is larger than this endpoint reads.")
_RANGE = Problem("range", 416, "No byte of the content is in this range.")
_POLICY = Problem("policy", 422, "The rule set is refused; the one in force stays. The log says where.")
_MALFORMED = Problem("malformed", 400, "The request cannot be read.")

_FIXED: Mapping[type[Exception], Problem] = {
    errors.ForbiddenError: Problem("forbidden", 403, "This client may not ask this."),
    errors.NotFoundError: _NOT_FOUND,
    errors.ConflictError: _CONFLICT,
    errors.TooLargeError: _TOO_LARGE,
    errors.ScannerError: Problem(
        "unavailable",
        503,
        "The content could not be searched for viruses, so it is not kept; the same request may succeed later.",
        reason="antivirus",
        headers={"Retry-After": "5"},
    ),
    errors.UnavailableError: _UNAVAILABLE,
    errors.DisconnectedError: _MALFORMED,
    InvalidIdentifierError: Problem("identifier", 400, "An identifier of the request is not one."),
    ConstraintError: _CONFLICT,
    DatabaseUnavailableError: _UNAVAILABLE,
    PolicyFileError: _POLICY,
    BundleError: _POLICY,
    JournalUnavailableError: Problem("journal", 503, "The access cannot be written down, so it is not given."),
    NotIntegratedError: Problem(
        "proof-pending",
        503,
        "The entry is not in the journal's tree yet, so there is no proof of it; there is one soon.",
        headers={"Retry-After": "2"},
    ),
    KeysUnavailableError: _UNAVAILABLE,
    KeyStateError: _UNAVAILABLE,
    StoreUnavailableError: _STORE_UNAVAILABLE,
    NoContentError: Problem("no-content", 404, "Nothing is kept under this document."),
    DepositLostError: Problem("deposit-lost", 409, "The deposit was given up before it was complete; deposit again."),
    ContentTooLargeError: _TOO_LARGE,
    RangeNotSatisfiableError: _RANGE,
    SealBrokenError: Problem("seal-broken", 500, "What is stored of this document does not open."),
}

# The kind and the status of each; the sentence and the reason are the error's own.
_UNACCEPTABLE: Mapping[type[errors.UnacceptableError], tuple[str, int]] = {
    errors.AuthorError: ("author", 400),
    errors.OverlongError: (_TOO_LARGE.kind, _TOO_LARGE.status),
    errors.ContentTypeError: ("content-type", 415),
    errors.ContentError: ("content", 422),
}

_BY_STATUS: Mapping[int, Problem] = {
    problem.status: problem
    for problem in (
        _MALFORMED,
        _NOT_FOUND,
        Problem("method", 405, "This method is not one of those that this address answers."),
        _TOO_LARGE,
        _FAULT,
        _UNAVAILABLE,
    )
}


def problem_of(error: Exception) -> Problem:
    """What an error is told as; what nobody foresaw is a fault, and nothing more is told."""
    match error:
        case errors.MalformedRequestError(sentence=sentence):
            problem = Problem(_MALFORMED.kind, _MALFORMED.status, sentence)
        case errors.UnacceptableError(reason=reason, sentence=sentence):
            problem = Problem(*_UNACCEPTABLE[type(error)], sentence, reason)
        case errors.UnauthenticatedError(given=given):
            problem = _unauthenticated(given=given)
        case errors.ScopeRequiredError(scope=scope):
            challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
            problem = Problem("scope", 403, f"This client lacks the scope {scope}.", headers=challenge)
        case errors.RefusedError(rule=rule, concealed=concealed):
            problem = _refusal(rule, concealed=concealed)
        case errors.UnsatisfiableRangeError(size=size):
            problem = replace(_RANGE, headers={"Content-Range": f"bytes */{size}"})
        case HTTPException():
            problem = _of_framework(error)
        case _:
            problem = next((_FIXED[kind] for kind in type(error).__mro__ if kind in _FIXED), _FAULT)
    return problem


def encode_problem(problem: Problem) -> bytes:
    """A problem's body."""
    title = HTTPStatus(problem.status).phrase
    return msgspec.json.encode(
        ProblemDetails(_TYPE_PREFIX + problem.kind, title, problem.status, problem.detail, problem.reason)
    )


def answer_problem(_call: Call, error: Exception) -> Response[bytes]:
    """The answer to a request that failed, as a problem."""
    problem = told(error)
    return Response(
        encode_problem(problem),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type=PROBLEM_MEDIA_TYPE,
    )


def answer_sentence(_call: Call, error: Exception) -> Response[str]:
    """The same as AuthZEN wants its errors: a message string (section 10.1.2)."""
    problem = told(error)
    return Response(
        problem.detail, status_code=problem.status, headers=dict(problem.headers), media_type=MediaType.TEXT
    )


def told(error: Exception) -> Problem:
    """The same, and what is our fault is logged."""
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request_failed", problem=problem.kind, exc_info=error)
    return problem


def _unauthenticated(*, given: bool) -> Problem:
    if given:
        challenge = f'{_REALM}, error="invalid_token"'
        return Problem("unauthenticated", 401, "This is not a client's key.", headers={"WWW-Authenticate": challenge})
    return Problem("unauthenticated", 401, "A client key is needed.", headers={"WWW-Authenticate": _REALM})


def _refusal(rule: str, *, concealed: bool) -> Problem:
    """A concealed refusal and an absence are the same to the last byte."""
    if concealed or rule in _ABSENCES:
        return replace(_NOT_FOUND, reason=rule)
    return Problem("refused", 403, "The rules of the DMP refuse this.", reason=rule)


def _of_framework(error: HTTPException) -> Problem:
    known = _BY_STATUS.get(error.status_code)
    if known is None:
        status = HTTPStatus(error.status_code)
        return Problem(f"http-{status.value}", status.value, f"{status.phrase}.")
    allowed = (error.headers or {}).get("allow")
    if known.status == HTTPStatus.METHOD_NOT_ALLOWED and allowed:
        return replace(known, headers={"Allow": allowed})
    return known
