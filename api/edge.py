"""The outermost layer: the id of a request, its line in the log, its time in the metrics, and the last net.

It stands outside the framework, so that what the framework refuses by itself (404, 405) is treated like the rest.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.errors import NotFoundError
from api.log import Answered, current_request_id, log_answered
from api.metrics import Metrics
from api.problems import PROBLEM_MEDIA_TYPE, encode_problem, problem_of

# What a caller may choose as a request's id: visible ASCII, of a length that fits a log and a journal.
_SANE_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_UNMATCHED = "unmatched"
_ID_BYTES, _DRAWN = 16, 64
_NO_STORE = (b"cache-control", b"no-store")
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


def _random_ids() -> Iterator[str]:
    """128 random bits each, drawn many at once: asking for them takes longer than they do."""
    while True:
        drawn = secrets.token_hex(_DRAWN * _ID_BYTES)
        yield from (drawn[begin : begin + 2 * _ID_BYTES] for begin in range(0, len(drawn), 2 * _ID_BYTES))


new_request_id = _random_ids().__next__


class Edge:
    """Wraps the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        monotonic: Callable[[], float],
        make_id: Callable[[], str],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._monotonic = monotonic
        self._make_id = make_id
        self._logger = structlog.get_logger().bind()  # once: this one speaks at every request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = self._monotonic()
        request_id = given_id([value for name, value in scope["headers"] if name == b"x-request-id"]) or self._make_id()
        scope["state"]["request_id"] = request_id
        token = current_request_id.set(request_id)
        answer = _Answer(send, request_id)
        try:
            await self._pass_on(scope, receive, answer)
        finally:
            self._account(scope, answer.status, self._monotonic() - started)
            current_request_id.reset(token)

    async def _pass_on(self, scope: HTTPScope, receive: Receive, answer: "_Answer") -> None:
        path = scope["path"]
        if "//" in path or (path.endswith("/") and path != "/"):
            # The framework takes `/a//b/` for `/a/b`; whoever filters paths in front of the service may not.
            await answer.fail(NotFoundError())
            return
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            # The framework turns errors into answers; what reaches here is the failure of one already begun.
            self._logger.exception("answer_broken_off")
            if answer.status:
                raise
            await answer.fail(error)

    def _account(self, scope: HTTPScope, status: int, seconds: float) -> None:
        route = scope.get("path_template", _UNMATCHED)
        method: str = scope["method"]
        self._metrics.observe_request(route, method, status, seconds)
        client = scope["state"].get("client")
        log_answered(
            [
                Answered(
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 2),
                    client=client.name if client else None,
                    request_id=scope["state"]["request_id"],
                )
            ]
        )


class _Answer:
    """What goes back: keeps the status, and adds the headers that every answer has."""

    __slots__ = ("_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = (b"x-request-id", request_id.encode("ascii"))
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], self._request_id, _NO_SNIFFING]
            if b"cache-control" not in [name for name, _ in headers]:
                headers.append(_NO_STORE)
            message["headers"] = headers
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        problem = problem_of(error)
        body = encode_problem(problem)
        headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def given_id(given: Sequence[bytes]) -> str | None:
    """The id that a caller chose for its request by the values of X-Request-ID, if it is one and fit to be told."""
    if len(given) == 1 and _SANE_REQUEST_ID.fullmatch(given[0]):
        return given[0].decode("ascii")
    return None
