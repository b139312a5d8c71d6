"""Answers that leave as they are."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
import pytest
from litestar import get
from litestar.types import ASGIApp, HTTPReceiveMessage

from api.answers import NoContent, Streamed, encode_decisions, while_listening
from api.judge import AnswersOfEach
from api.openapi import Documented
from api.schemas.authzen import Answer, Answers
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


@pytest.mark.parametrize("numbers", [[], [0], [2, 0, 1, 0, -1]])
def test_answers_that_are_shared_are_a_sequence_like_any_other(numbers: list[int]) -> None:
    """One by one, in part, and in the body that says them."""
    answers = [Answer(decision=True), Answer(decision=False), Answer(decision=True, context={"dry_run": True})]
    shared, each = AnswersOfEach(answers, numbers), [answers[number] for number in numbers]
    assert (list(shared), len(shared), list(shared[1:])) == (each, len(each), each[1:])
    assert [shared[place] for place in range(len(each))] == each
    assert encode_decisions(shared) == encode_decisions(each) == msgspec.json.encode(Answers(each))


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


async def test_nothing_more_is_read_for_a_caller_who_left() -> None:
    """The stream is closed at the next piece, and whatever it holds let go."""
    leaves, left = asyncio.Event(), asyncio.Event()
    told: list[str] = []

    async def receive() -> HTTPReceiveMessage:
        await leaves.wait()
        left.set()
        return {"type": "http.disconnect"}

    async def pieces() -> AsyncGenerator[bytes]:
        try:
            for number in range(100):
                told.append(str(number))
                yield b"piece"
        finally:
            told.append("closed")

    received = 0
    async for _ in while_listening(receive, pieces()):
        received += 1
        if received == 3:
            leaves.set()
            await left.wait()
    assert (received, told) == (3, ["0", "1", "2", "3", "closed"])


async def test_a_caller_who_stays_gets_all() -> None:
    """Nobody waits for his leaving once the stream has ended."""
    listening, no_more = asyncio.Event(), asyncio.Event()

    async def receive() -> HTTPReceiveMessage:
        try:
            listening.set()
            await asyncio.Event().wait()
        finally:
            no_more.set()
        return {"type": "http.disconnect"}

    async def pieces() -> AsyncGenerator[bytes]:
        await listening.wait()
        for _ in range(3):
            yield b"piece"

    assert [piece async for piece in while_listening(receive, pieces())] == [b"piece"] * 3
    await no_more.wait()
