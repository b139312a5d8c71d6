"""Answers that leave as they are."""

from collections.abc import AsyncIterator

from litestar import get
from litestar.types import ASGIApp

from api.answers import NoContent, Streamed
from api.openapi import Documented
from models.vocabulary import Scope
from tests.api.judges import ConformanceJudge
from tests.api.service import caller, service


@get("/v1/nothing", scope=Scope.OPERATE, documented=Documented("Nothing.", status=204))
async def nothing() -> ASGIApp:
    return NoContent()


@get("/v1/stream", scope=Scope.OPERATE, status_code=206)
async def stream() -> ASGIApp:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    return Streamed(206, ((b"content-type", b"text/plain"), (b"content-length", b"7")), pieces())


_SERVICE = service(ConformanceJudge(), route_handlers=[nothing, stream])


async def test_nothing_is_204() -> None:
    """A status, and no body."""
    async with caller(_SERVICE) as http:
        answer = await http.get("/v1/nothing")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_stream_arrives_whole() -> None:
    """Its pieces in order, under the status and headers given."""
    async with caller(_SERVICE) as http:
        answer = await http.get("/v1/stream")
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (206, "one two", "text/plain")


async def test_an_answer_without_a_body_is_described_without_one() -> None:
    """The description says the status and what it means, no more."""
    async with caller(_SERVICE) as http:
        document = (await http.get("/schema/openapi.json")).json()
    assert document["paths"]["/v1/nothing"]["get"]["responses"] == {"204": {"description": "Nothing."}}
