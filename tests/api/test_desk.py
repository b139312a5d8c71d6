"""Single questions taken straight from the socket are answered as all others are, together, and each by itself."""

import asyncio
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog
import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api.desk import PATH, DeskProtocol
from api.errors import ForbiddenError
from api.identity import Caller, Client
from api.judge import EntityPage
from api.log import configure_logging
from api.schemas.authzen import Answer, EvaluationRequest, FoundEntity
from models.errors import DatabaseUnavailableError
from models.vocabulary import Scope, SubjectType
from tests.api.judges import ConformanceJudge
from tests.api.service import EVERYTHING, KEY, service

QUESTION = (
    b'{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}'
)
OTHER = QUESTION.replace(b'"read"', b'"fly"')
DRY_RUN = QUESTION[:-1] + b',"context":{"dry_run":true}}'
EXPLAINED = QUESTION[:-1] + b',"context":{"explain":true}}'
PROFESSIONAL = QUESTION.replace(b'"user"', b'"professional"')
DEAF = Client("deaf", frozenset({Scope.JOURNAL}))
DECIDING = Client("deciding", frozenset({Scope.DECIDE}), frozenset({SubjectType.PERSON}))
AUTHORIZATION = f"Authorization: Bearer {KEY}"
PATIENCE_SECONDS = 10


class Recording(ConformanceJudge):
    """Remembers which questions came together."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        self.groups.append(len(asked))
        return await super().evaluate_apart(asked)


class Slow(Recording):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[int] = []
        self.may_answer = asyncio.Event()

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        self.under_way.append(len(asked))
        await self.may_answer.wait()
        return await super().evaluate_apart(asked)


class Faulty(ConformanceJudge):
    """Fails at whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def evaluate(self, *_: Any, **__: Any) -> Any:
        raise self.error


class Choosy(ConformanceJudge):
    """Does not let the first of those that come together ask."""

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        return [ForbiddenError(), *(await super().evaluate_apart(asked[1:]))]


def request(body: bytes, *headers: str, path: str = PATH, method: str = "POST") -> bytes:
    """The bytes of a request, of type JSON unless another one is given, and asked by name."""
    if not any(header.startswith("Content-Type") for header in headers):
        headers = (*headers, "Content-Type: application/json")
    lines = (f"{method} {path} HTTP/1.1", "Host: pdp", "X-Request-ID: r-1", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Wire(asyncio.Transport):
    """The end of a connection that a test holds: what is sent on it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        """Nobody reads."""

    def resume_reading(self) -> None:
        """Nobody reads."""

    def answers(self) -> list[tuple[int, list[str], bytes]]:
        """The status, the header fields in order of their names, and the body of each that was sent whole."""
        found, rest = [], self.sent
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            first, *fields = head.decode().split("\r\n")
            length = next(int(field.split()[1]) for field in fields if field.startswith("content-length"))
            found.append((int(first.split()[1]), sorted(fields), rest[:length]))
            rest = rest[length:]
        return found


def connected(app: Litestar, number: int = 1, *, at_desk: bool = True) -> tuple[list[HttpToolsProtocol], list[Wire]]:
    """So many connections without a socket: what a test says they received is read at once."""
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    config.load()
    make: Any = partial(DeskProtocol, app.state["desk"]) if at_desk else HttpToolsProtocol
    state, wires = ServerState(), [Wire() for _ in range(number)]
    made = [make(config=config, server_state=state, app_state={}) for _ in wires]
    for protocol, wire in zip(made, wires, strict=True):
        protocol.connection_made(wire)
    return made, wires


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what it waits for happens elsewhere
            await asyncio.sleep(0)


async def answered(
    app: Litestar, *parts: bytes, at_desk: bool = True, wanted: int = 1
) -> list[tuple[int, list[str], bytes]]:
    """What one connection is answered to what is sent on it, part by part."""
    (connection,), (wire,) = connected(app, at_desk=at_desk)
    for part in parts:
        connection.data_received(part)
    await until(lambda: len(wire.answers()) == wanted)
    return wire.answers()


def bodies(wires: Sequence[Wire]) -> list[bytes]:
    return [body for wire in wires for _, _, body in wire.answers()]


@pytest.mark.parametrize(
    "client, headers, body, at_desk",
    [
        (EVERYTHING, [AUTHORIZATION], QUESTION, True),
        (EVERYTHING, [AUTHORIZATION], OTHER, True),
        (EVERYTHING, [AUTHORIZATION], DRY_RUN, True),
        (EVERYTHING, [AUTHORIZATION], EXPLAINED, True),
        (EVERYTHING, [AUTHORIZATION, "Connection: close"], QUESTION, False),
        (EVERYTHING, [AUTHORIZATION, "Content-Type: application/json; charset=utf-8"], QUESTION, False),
        (EVERYTHING, [AUTHORIZATION, "Content-Type: text/plain"], QUESTION, False),
        (EVERYTHING, [AUTHORIZATION, "Expect: 100-once"], QUESTION, False),
        (EVERYTHING, [AUTHORIZATION, AUTHORIZATION], QUESTION, False),
        (EVERYTHING, ["Authorization: Bearer dmp_unknown"], QUESTION, False),
        (EVERYTHING, [], QUESTION, False),
        (EVERYTHING, [AUTHORIZATION], b"", False),
        (EVERYTHING, [AUTHORIZATION], b"{", False),
        (EVERYTHING, [AUTHORIZATION], b"{}", False),
        (EVERYTHING, [AUTHORIZATION], b" " * (1024 * 1024 + 1), False),
        (DEAF, [AUTHORIZATION], QUESTION, False),
        (DECIDING, [AUTHORIZATION], QUESTION, True),
        (DECIDING, [AUTHORIZATION], PROFESSIONAL, False),
        (DECIDING, [AUTHORIZATION], EXPLAINED, False),
    ],
)
async def test_both_ways_give_the_same_answer(
    client: Client, headers: list[str], body: bytes, *, at_desk: bool
) -> None:
    """Status, header fields and body; and what is unusual does not come to the desk."""
    judge, sent = Recording(), request(body, *headers)
    directly = await answered(service(judge, client), sent)
    assert judge.groups == ([1] if at_desk else [])
    assert directly == await answered(service(ConformanceJudge(), client), sent, at_desk=False)


BATCH = QUESTION[:-1] + b',"evaluations":[{},{"action":{"name":"fly"}},1]}'
ALIKE = b'{"evaluations":[%b],%b' % (
    b",".join(b'{"resource":{"type":"record","id":"%b"}}' % str(UUID(int=number)).encode() for number in range(9)),
    QUESTION[1:],
)
SEARCH = QUESTION.replace(b',"id":"record-1"', b"")


@pytest.mark.parametrize(
    "path, body, at_desk",
    [
        ("evaluations", BATCH, True),
        ("evaluations", ALIKE, True),
        ("evaluations", QUESTION, True),
        ("evaluations", b'{"evaluations":{}}', True),
        ("evaluations", b"{", True),
        ("evaluations", b"", True),
        ("evaluations", EXPLAINED, True),
        ("search/resource", SEARCH, True),
        ("search/resource", SEARCH[:-1] + b',"page":{"limit":0}}', True),
        ("search/resource", SEARCH[:-1] + b',"page":{"token":"x"}}', True),
        ("search/resource", SEARCH.replace(b'"user"', b'"professional"'), True),
        ("search/subject", QUESTION, False),
        ("evaluations?a=b", BATCH, False),
    ],
)
@pytest.mark.parametrize("client", [EVERYTHING, DECIDING])
async def test_batches_and_searches_get_the_same_answer_there(
    client: Client, path: str, body: bytes, *, at_desk: bool
) -> None:
    """Good or bad, permitted or not: status, header fields and body, and the framework is not asked for them."""
    app, sent = service(ConformanceJudge(), client), request(body, AUTHORIZATION, path=f"/access/v1/{path}")
    ordinarily = await answered(app, sent, at_desk=False)
    assert await answered(app, sent) == ordinarily
    if at_desk:
        app.asgi_handler = None  # type: ignore[assignment]  # whatever came there would fail
        assert await answered(app, sent) == ordinarily


class Stale(ConformanceJudge):
    """Knows what was so a while ago."""

    async def search_resources(self, *_: Any) -> EntityPage:
        return EntityPage([FoundEntity("record", "record-1")], stale_seconds=1.25)


async def test_an_answer_that_may_be_stale_says_so_there() -> None:
    """With the header field that it has elsewhere."""
    sent = request(SEARCH, AUTHORIZATION, path="/access/v1/search/resource")
    ((status, fields, body),) = await answered(service(Stale()), sent)
    assert (status, "dmp-stale-seconds: 1.3" in fields) == (200, True)
    assert [(status, fields, body)] == await answered(service(Stale()), sent, at_desk=False)


@pytest.mark.parametrize("error, status", [(RuntimeError("secret"), 500), (DatabaseUnavailableError("secret"), 503)])
async def test_a_batch_that_fails_is_told_as_elsewhere(error: Exception, status: int) -> None:
    """Without a word of it, and it is counted under its own address."""
    app, sent = service(Faulty(error)), request(BATCH, AUTHORIZATION, path="/access/v1/evaluations")
    told = await answered(app, sent)
    assert (told[0][0], b"secret" in told[0][2]) == (status, False)
    counted = f'dmp_request_seconds_count{{method="POST",route="/access/v1/evaluations",status="{status}"}} 1.0'
    assert counted in app.state["metrics"].exposition().decode()
    assert told == await answered(service(Faulty(error)), sent, at_desk=False)


@pytest.mark.parametrize(
    "sent", [request(QUESTION, AUTHORIZATION, path=f"{PATH}?a=b"), request(b"", method="GET", path="/health/live")]
)
async def test_other_addresses_are_none_of_its_business(sent: bytes) -> None:
    """They are answered as without it."""
    judge = Recording()
    directly = await answered(service(judge), sent)
    assert (judge.groups, directly) == ([], await answered(service(ConformanceJudge()), sent, at_desk=False))


@pytest.mark.parametrize("cut", [5, 60, -len(QUESTION), -3])
async def test_a_question_may_come_in_pieces(cut: int) -> None:
    """Cut anywhere, it is the same question."""
    sent = request(QUESTION, AUTHORIZATION)
    whole = await answered(service(ConformanceJudge()), sent)
    assert await answered(service(ConformanceJudge()), sent[:cut], sent[cut:]) == whole


async def test_questions_that_are_sent_at_once_are_answered_in_order() -> None:
    """The second is sent before the first is answered, and the third before that."""
    sent = b"".join(request(body, AUTHORIZATION) for body in (QUESTION, OTHER, QUESTION, OTHER))
    answers = await answered(service(ConformanceJudge()), sent, wanted=4)
    assert [msgspec.json.decode(body)["decision"] for _, _, body in answers] == [True, False, True, False]


async def test_a_connection_is_used_again() -> None:
    """Question after question, whichever way they go."""
    judge = Recording()
    (connection,), (wire,) = connected(service(judge))
    for number, body in enumerate((QUESTION, b"{", OTHER, b"[]", QUESTION), start=1):
        connection.data_received(request(body, AUTHORIZATION))
        await until(lambda: len(wire.answers()) == number)  # noqa: B023 - waited for at once
    assert [status for status, _, _ in wire.answers()] == [200, 400, 200, 400, 200]
    assert judge.groups == [1, 1, 1]


async def test_what_is_read_at_once_is_judged_together() -> None:
    """All that the sockets held, in one group, and each is answered its own."""
    judge = Recording()
    connections, wires = connected(service(judge), 3)
    for connection, body in zip(connections, (QUESTION, OTHER, QUESTION), strict=True):
        connection.data_received(request(body, AUTHORIZATION))
    await until(lambda: all(wire.sent for wire in wires))
    assert judge.groups == [3]
    assert bodies(wires) == [b'{"decision":true}', b'{"decision":false}', b'{"decision":true}']


async def test_who_comes_while_two_groups_are_under_way_makes_the_next() -> None:
    """One is judged while the other waits; what-ifs do not wait for what is written down, nor the other way round."""
    judge = Slow()
    connections, wires = connected(service(judge), 10)
    for some, groups in ((connections[:1], [1]), (connections[1:3], [1, 2]), (connections[3:9], [1, 2])):
        for connection in some:
            connection.data_received(request(QUESTION, AUTHORIZATION))
        await until(partial(judge.under_way.__eq__, groups))
    connections[9].data_received(request(DRY_RUN, AUTHORIZATION))
    await until(lambda: judge.under_way == [1, 2, 1])
    judge.may_answer.set()
    await until(lambda: all(wire.sent for wire in wires))
    assert judge.groups == [1, 2, 1, 6]


async def test_more_than_one_group_holds_are_answered_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they came."""
    monkeypatch.setattr("api.desk._MOST_TOGETHER", 3)
    judge = Recording()
    connections, wires = connected(service(judge), 8)
    for connection in connections:
        connection.data_received(request(QUESTION, AUTHORIZATION))
    await until(lambda: all(wire.sent for wire in wires))
    assert judge.groups == [3, 3, 2]


async def test_one_that_may_not_ask_is_told_alone() -> None:
    """The others of its group get their answers."""
    connections, wires = connected(service(Choosy()), 2)
    for connection in connections:
        connection.data_received(request(QUESTION, AUTHORIZATION))
    await until(lambda: all(wire.sent for wire in wires))
    assert [wire.answers()[0][0] for wire in wires] == [403, 200]
    assert bodies(wires) == [b"This client may not ask this.", b'{"decision":true}']


@pytest.mark.parametrize("error, status", [(RuntimeError("secret"), 500), (DatabaseUnavailableError("secret"), 503)])
async def test_what_fails_for_all_is_told_to_each_as_elsewhere(error: Exception, status: int) -> None:
    """Without a word of it, but in the log with the request's id."""
    stream = io.BytesIO()
    configure_logging("info", stream)
    try:
        connections, wires = connected(service(Faulty(error)), 2)
        for connection in connections:
            connection.data_received(request(QUESTION, AUTHORIZATION))
        await until(lambda: all(wire.sent for wire in wires))
    finally:
        structlog.reset_defaults()
    assert [wire.answers()[0][0] for wire in wires] == [status, status]
    lines = [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["request_failed", "request_failed", "request", "request"]
    assert {line["request_id"] for line in lines} == {"r-1"}
    assert b"secret" not in stream.getvalue() + wires[0].sent
    told = await answered(service(Faulty(error)), request(QUESTION, AUTHORIZATION), at_desk=False)
    assert wires[0].answers() == told


async def test_a_log_that_cannot_be_written_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those who were answered nor those who came meanwhile."""

    def full(_: object) -> None:
        raise OSError("no space left")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it is told of the fault
    monkeypatch.setattr("api.desk.log_answered", full)
    judge = Slow()
    connections, wires = connected(service(judge), 3)
    for connection, groups in zip(connections, ([1], [1, 1], [1, 1]), strict=True):
        connection.data_received(request(QUESTION, AUTHORIZATION))
        await until(partial(judge.under_way.__eq__, groups))
    judge.may_answer.set()
    await until(lambda: all(wire.sent for wire in wires))
    assert bodies(wires) == [b'{"decision":true}'] * 3


async def test_who_leaves_gets_nothing_and_keeps_nobody() -> None:
    """The others of the group are answered, the answer that nobody waits for is a line in the log all the same."""
    stream = io.BytesIO()
    configure_logging("info", stream)
    try:
        connections, wires = connected(service(ConformanceJudge()), 2)
        for connection in connections:
            connection.data_received(request(QUESTION, AUTHORIZATION))
        connections[0].connection_lost(None)
        await until(lambda: bool(wires[1].sent))
    finally:
        structlog.reset_defaults()
    assert (wires[0].sent, stream.getvalue().count(b'"event":"request"')) == (b"", 2)


async def test_who_asks_while_the_service_stops_is_answered_and_let_go() -> None:
    """As everybody in flight."""
    connections, wires = connected(service(ConformanceJudge()))
    connections[0].data_received(request(QUESTION, AUTHORIZATION))
    connections[0].shutdown()
    await until(lambda: bool(wires[0].sent))
    assert (b"\r\nconnection: close\r\n" in wires[0].sent, wires[0].is_closed) == (True, True)


async def test_who_does_not_read_is_not_written_to() -> None:
    """Its questions go the way on which answers wait."""
    judge = Recording()
    connections, wires = connected(service(judge))
    connections[0].pause_writing()
    connections[0].data_received(request(QUESTION, AUTHORIZATION))
    connections[0].resume_writing()
    await until(lambda: bool(wires[0].sent))
    assert judge.groups == []


async def test_requests_are_counted_as_elsewhere() -> None:
    """By route, method and status."""
    app = service(ConformanceJudge())
    connections, wires = connected(app)
    connections[0].data_received(request(QUESTION, AUTHORIZATION))
    await until(lambda: bool(wires[0].sent))
    counted = f'dmp_request_seconds_count{{method="POST",route="{PATH}",status="200"}} 1.0'
    assert counted in app.state["metrics"].exposition().decode()
