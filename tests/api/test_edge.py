"""What every request gets, whatever becomes of it."""

import io
from typing import Any

import msgspec
import pytest
import structlog
from litestar import get
from litestar.exceptions import ImproperlyConfiguredException
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.edge import Edge
from api.log import configure_logging, current_request_id
from api.metrics import Metrics
from api.requests import Call
from models.vocabulary import Scope
from tests.api.judges import ConformanceJudge
from tests.api.service import ORIGIN, bearer, caller, service


class BrokenOff:
    """An answer that fails after it has begun."""

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"private")]})
        raise RuntimeError("secret")


@get("/v1/broken/{number:int}", scope=Scope.OPERATE)
async def broken(number: FromPath[int]) -> ASGIApp:
    return BrokenOff()


@get("/v1/slow", scope=Scope.OPERATE)
async def slow(request: Call) -> dict[str, str | None]:
    return {"id": current_request_id.get()}


@pytest.mark.parametrize("given", ["a", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "!~" * 64])
async def test_a_sane_request_id_comes_back(given: str) -> None:
    """Visible ASCII up to 128 characters is kept, on success and on refusal (10.1.3)."""
    async with caller(service(ConformanceJudge()), bearer() | {"X-Request-ID": given}) as http:
        answers = [await http.get("/health/live"), await http.get("/nothing"), await http.post("/access/v1/evaluation")]
    assert [answer.headers["X-Request-ID"] for answer in answers] == [given] * 3


@pytest.mark.parametrize("given", [[], [b""], [b"a b"], [b"\xc3\xa9"], [b"a" * 129], [b"a", b"b"]])
async def test_any_other_request_id_is_made(given: list[bytes]) -> None:
    """None, an empty, a long, a strange one or two: the service makes one of 128 bits."""
    async with caller(service(ConformanceJudge())) as http:
        answers = [await http.get("/health/live", headers=[(b"x-request-id", value) for value in given]) for _ in "12"]
    made = {answer.headers["X-Request-ID"] for answer in answers}
    assert [len(bytes.fromhex(identity)) for identity in made] == [16, 16]


async def test_every_answer_says_how_to_keep_it() -> None:
    """Nothing is stored by caches or guessed at by browsers, unless the handler says otherwise."""
    async with caller(service(ConformanceJudge())) as http:
        live, configuration = await http.get("/health/live"), await http.get("/.well-known/authzen-configuration")
    assert live.headers["Cache-Control"] == "no-store"
    assert configuration.headers["Cache-Control"] == "public, max-age=3600"
    assert live.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/access/v1/evaluation/", "//access/v1/evaluation", "/access//v1/evaluation", "//"])
async def test_an_address_has_one_spelling(path: str) -> None:
    """A slash more is another address, and there is nothing."""
    async with caller(service(ConformanceJudge())) as http:
        answer = await http.post(f"{ORIGIN}{path}", json={})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert "X-Request-ID" in answer.headers


async def test_a_request_is_one_line_without_its_address() -> None:
    """The line has the route, not the ids in it, nor the query; and the client, the status and the time."""
    stream = io.BytesIO()
    configure_logging("info", stream)
    try:
        app = service(ConformanceJudge(), route_handlers=[slow])
        async with caller(app, bearer() | {"X-Request-ID": "r-1"}) as http:
            await http.get("/v1/slow?name=secret")
            await http.get("/v1/secret")
    finally:
        structlog.reset_defaults()
    lines = [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]
    assert [(line.pop("at") is None, line.pop("milliseconds") < 0) for line in lines] == [(False, False)] * 2
    common = {"event": "request", "level": "info", "method": "GET", "request_id": "r-1"}
    assert lines == [
        common | {"route": "/v1/slow", "status": 200, "client": "tests"},
        common | {"route": "unmatched", "status": 404, "client": None},
    ]


async def test_handlers_and_logs_know_the_request_id() -> None:
    """While a request is answered its id is in the context, and not after."""
    async with caller(service(ConformanceJudge(), route_handlers=[slow]), bearer() | {"X-Request-ID": "r-1"}) as http:
        assert (await http.get("/v1/slow")).json() == {"id": "r-1"}
    assert current_request_id.get() is None


async def test_requests_are_measured_by_route() -> None:
    """Latency is counted by template, method and status; methods that nobody knows are one."""
    metrics = Metrics()
    async with caller(service(ConformanceJudge(), route_handlers=[slow], metrics=metrics)) as http:
        await http.get("/v1/slow")
        await http.request("BREW", "/v1/slow")
        text = (await http.get("/metrics")).text
    assert 'dmp_request_seconds_count{method="GET",route="/v1/slow",status="200"} 1.0' in text
    assert 'dmp_request_seconds_count{method="OTHER",route="unmatched",status="405"} 1.0' in text


async def test_an_answer_broken_off_is_logged_and_not_mended() -> None:
    """What has begun cannot become an error; the server closes the connection, the log says where, not what."""
    stream = io.BytesIO()
    configure_logging("info", stream)
    try:
        async with caller(service(ConformanceJudge(), route_handlers=[broken])) as http:
            with pytest.raises(Exception, match="after response started"):
                await http.get("/v1/broken/7")
    finally:
        structlog.reset_defaults()
    events = [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["answer_broken_off", "request"]
    assert {link["type"] for link in events[0]["exception"]} == {"LitestarException", "RuntimeError"}
    assert events[1]["route"] == "/v1/broken/{number}"
    assert b"secret" not in stream.getvalue()


async def test_the_last_net() -> None:
    """Should the framework itself fail before an answer has begun, there is still one."""

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("secret")

    async def receive() -> Any:
        return {"type": "http.request"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    edge = Edge(failing, Metrics(), lambda: 0.0, lambda: "made")
    await edge({"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}}, receive, send)  # type: ignore[arg-type]  # as far as it is read
    assert [sent[0]["status"], msgspec.json.decode(sent[1]["body"])["type"]] == [500, "urn:problem-type:dmp:fault"]
    assert (b"x-request-id", b"made") in sent[0]["headers"]


async def test_what_is_no_request_passes() -> None:
    """A socket is refused by the framework, not by the edge."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "websocket", "path": "/access/v1/evaluation", "headers": [], "query_string": b""}
    await service(ConformanceJudge())(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_handler_says_who_may_pass() -> None:
    """An application does not start with a handler that forgets to say its scope."""

    @get("/v1/forgetful")
    async def forgetful() -> None: ...

    with pytest.raises(ImproperlyConfiguredException, match="/v1/forgetful says neither"):
        service(ConformanceJudge(), route_handlers=[forgetful])
