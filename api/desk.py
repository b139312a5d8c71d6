"""Questions straight from the socket to the judge: what is asked most, and must not wait.

What lies between a socket and a handler, and a task for each request, take several times as long as a decision. So
single questions, to the one address that most of them are sent to, are taken as they come, judged together, and
answered together; batches and searches of resources are taken as well, and each answered by itself. Only requests
about which nothing is unusual are taken: a body that makes no question, a key that is not at hand, a request sent
before the last one was answered, and whatever else there is goes the way of all others, and is answered there as it is
here. Nothing is decided here: judge, keys, log and metrics are those of the whole service.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.answers import JsonAnswer, encode_decision
from api.deciding import Answering, decide_many, find_resources
from api.edge import given_id, new_request_id
from api.errors import RequestError
from api.identity import Caller, Client, Clients, remembered
from api.judge import Judge
from api.log import Answered, current_request_id, log_answered
from api.metrics import Metrics
from api.problems import told
from api.requests import MAX_JSON_BYTES
from api.schemas.authzen import Answer, EvaluationRequest
from api.strict_json import decode
from models.vocabulary import Scope

PATH = "/access/v1/evaluation"
_METHOD = "POST"
_MANY: Mapping[str, Answering] = {
    "/access/v1/evaluations": decide_many,
    "/access/v1/search/resource": find_resources,
}
_PATHS = {path.encode(): path for path in (PATH, *_MANY)}
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_MOST_TOGETHER = 256
_GROUPS_UNDER_WAY = 2

_JSON, _TEXT = b"application/json", b"text/plain; charset=utf-8"
_ALWAYS = b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"


class Asked:
    """A question on its way, and what its connection must know of it until it is answered (uvicorn's "cycle")."""

    __slots__ = (
        "body",
        "client",
        "disconnected",
        "keep_alive",
        "path",
        "protocol",
        "question",
        "request_id",
        "response_complete",
        "since",
    )
    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, protocol: "DeskProtocol", path: str, client: Client, request_id: str) -> None:
        self.protocol = protocol
        self.path = path
        self.client = client
        self.request_id = request_id
        self.since = time.perf_counter()
        self.body = b""
        self.question: EvaluationRequest
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True


class Desk:
    """Where questions are handed in and answered; what is asked for good waits for the journal apart from what-ifs."""

    def __init__(self, judge: Judge, clients: Clients, metrics: Metrics) -> None:
        self._judge = judge
        self._clients = clients
        self._metrics = metrics
        self._dry_runs, self._others = _Queue(self._answer), _Queue(self._answer)
        self._answering: set[asyncio.Task[None]] = set()

    def client(self, authorization: bytes) -> Client | None:
        """Who asks, if that can be said at once and it may ask for decisions."""
        client = remembered(authorization, self._clients)
        return client if client is not None and Scope.DECIDE in client.scopes else None

    def hand_in(self, asked: Asked) -> None:
        """To be answered with whatever else comes. Raises RequestError if it is no question, or may not be asked."""
        if asked.path in _MANY:
            task = asyncio.get_running_loop().create_task(self._answer_many(asked))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            return
        question = asked.question = decode(asked.body, EvaluationRequest)
        asked.client.require_speaking_for(question.subject.type)
        if question.explains:
            asked.client.require(Scope.POLICY)
        (self._dry_runs if question.is_dry_run else self._others).put(asked)

    async def _answer_many(self, asked: Asked) -> None:
        current_request_id.set(asked.request_id)
        answer: JsonAnswer | Exception
        try:
            answer = await _MANY[asked.path](self._judge, Caller(asked.client, asked.request_id), asked.body)
        except Exception as error:  # noqa: BLE001 - it is told
            answer = error
        self._tell([asked], [answer])

    async def _answer(self, together: Sequence[Asked]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            questions = [(Caller(asked.client, asked.request_id), asked.question) for asked in together]
            answers = await self._judge.evaluate_apart(questions)
        except Exception as error:  # noqa: BLE001 - each of them is told
            answers = [error] * len(together)
        self._tell(together, answers)

    def _tell(self, together: Sequence[Asked], answers: Sequence[Answer | JsonAnswer | Exception]) -> None:
        """Answer each of them, and account for it."""
        now, lines = time.perf_counter(), []
        for asked, answer in zip(together, answers, strict=True):
            status = asked.protocol.answer(asked, answer)
            seconds = now - asked.since
            self._metrics.observe_request(asked.path, _METHOD, status, seconds)
            lines.append(
                Answered(
                    method=_METHOD,
                    route=asked.path,
                    status=status,
                    milliseconds=round(seconds * 1000, 2),
                    client=asked.client.name,
                    request_id=asked.request_id,
                )
            )
        log_answered(lines)


class _Queue:
    """Those who wait, answered in groups: who comes while as many as may be are under way makes the next.

    Looking up the facts of one takes as long as of a dozen, so many small groups would be slower than few; yet while
    one waits for the database, another is judged.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Awaitable[None]]) -> None:
        self._answer = answer
        self._waiting: list[Asked] = []
        self._sitting: set[asyncio.Task[None]] = set()
        self._gathers = False

    def put(self, asked: Asked) -> None:
        self._waiting.append(asked)
        self._call()

    def _call(self) -> None:
        if self._waiting and not self._gathers and len(self._sitting) < _GROUPS_UNDER_WAY:
            self._gathers = True
            sitting = asyncio.get_running_loop().create_task(self._sit())
            self._sitting.add(sitting)
            sitting.add_done_callback(self._rise)

    async def _sit(self) -> None:
        await asyncio.sleep(0)  # until all that has come by now is read
        together, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
        self._gathers = False
        self._call()
        await self._answer(together)

    def _rise(self, sat: asyncio.Task[None]) -> None:
        self._sitting.discard(sat)
        self._call()  # a fault in one group, as of a log that cannot be written, keeps nobody behind it waiting


class DeskProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, but that plain questions go to the desk."""

    def __init__(self, desk: Desk, **given: Any) -> None:
        super().__init__(**given)
        self._desk = desk
        self._asked: Asked | None = None

    def on_headers_complete(self) -> None:
        self._asked = self._taken()
        if self._asked is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._asked is None:
            super().on_body(body)
        else:
            self._asked.body += body

    def on_message_complete(self) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            super().on_message_complete()
            return
        before, self.cycle = self.cycle, asked  # type: ignore[assignment]  # it has all that is asked of one
        try:
            self._desk.hand_in(asked)
        except RequestError:
            self.cycle = before
            super().on_headers_complete()
            super().on_body(asked.body)
            super().on_message_complete()

    def _taken(self) -> Asked | None:
        """The request whose headers have come, if there is nothing unusual about it."""
        parser, headers = self.parser, dict(self.headers)
        path = _PATHS.get(self.url)
        if (
            path is None
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or len(headers) != len(self.headers)
            or not _UNUSUAL.isdisjoint(headers)
            or headers.get(b"content-type") != _JSON
            or int(headers.get(b"content-length", b"0")) > MAX_JSON_BYTES
            or (self.cycle is not None and not self.cycle.response_complete)  # type: ignore[redundant-expr]  # None at first
            or self.flow.write_paused
        ):
            return None
        client = self._desk.client(headers.get(b"authorization", b""))
        if client is None:
            return None
        chosen = headers.get(b"x-request-id")
        return Asked(self, path, client, given_id([] if chosen is None else [chosen]) or new_request_id())

    def answer(self, asked: Asked, answer: Answer | JsonAnswer | Exception) -> int:
        """Send it, unless who asked is gone. Gives the status."""
        if isinstance(answer, Exception):
            status, kind, more, body = _failure(asked, answer)
        elif isinstance(answer, JsonAnswer):
            status, kind, more, body = 200, _JSON, _lines(answer.headers), answer.body
        else:
            status, kind, more, body = 200, _JSON, b"", encode_decision(answer)
        asked.response_complete = True
        if asked.disconnected:
            return status
        self.transport.write(
            b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%bx-request-id: %b\r\n%b\r\n%b"
            % (
                STATUS_LINE[status],
                _lines(self.server_state.default_headers),
                kind,
                len(body),
                more,
                asked.request_id.encode("ascii"),
                _ALWAYS if asked.keep_alive else _ALWAYS + b"connection: close\r\n",
                body,
            )
        )
        if not asked.keep_alive:
            self.transport.close()
        self.on_response_complete()
        return status


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def _failure(asked: Asked, error: Exception) -> tuple[int, bytes, bytes, bytes]:
    """Status, type, more headers and body of an error as AuthZEN wants it."""
    token = current_request_id.set(asked.request_id)
    try:
        problem = told(error)
    finally:
        current_request_id.reset(token)
    headers: Mapping[str, str] = problem.headers
    more = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
    return problem.status, _TEXT, more.encode(), problem.detail.encode()
