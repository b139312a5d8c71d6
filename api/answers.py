"""Answers that leave as they are: encoded once, no copy, no negotiation."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import msgspec
from litestar.types import Receive, Scope, Send

from api.judge import AnswersOfEach
from api.schemas.authzen import Answer

_PLAIN = {True: b'{"decision":true}', False: b'{"decision":false}'}
_DECISIONS = b'{"evaluations":[%b]}'
_encode = msgspec.json.Encoder().encode


def encode_decision(answer: Answer) -> bytes:
    """The body of one decision."""
    return _PLAIN[answer.decision] if answer.context is None else _encode(answer)


def encode_decisions(answers: Sequence[Answer]) -> bytes:
    """The body of the decisions of a batch, in order; those that share an answer are encoded once."""
    if isinstance(answers, AnswersOfEach):
        some = list(map(encode_decision, answers.answers))
        return _DECISIONS % b",".join(map(some.__getitem__, answers.numbers))
    keys = list(map(id, answers))
    encoded = {key: encode_decision(each) for key, each in dict(zip(keys, answers, strict=True)).items()}
    return _DECISIONS % b",".join(map(encoded.__getitem__, keys))


class JsonAnswer:
    """Sends a body already encoded. It is an ASGI application: the framework's Response costs as much as a decision."""

    __slots__ = ("_content_type", "_status", "body", "headers")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        content_type: bytes = b"application/json",
    ) -> None:
        self.body = body
        self.headers = headers
        self._status = status
        self._content_type = content_type

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        length = b"%d" % len(self.body)
        headers = ((b"content-type", self._content_type), (b"content-length", length), *self.headers)
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class NoContent:
    """204: done, and nothing to say of it."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Streamed:
    """A body sent piece by piece as it comes.

    Once the first piece has left, a fault can only cut the answer short: the caller sees fewer bytes than announced,
    or, where no length was, a body without its end.
    """

    def __init__(self, status: int, headers: tuple[tuple[bytes, bytes], ...], pieces: AsyncIterator[bytes]) -> None:
        self._status = status
        self._headers = headers
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def begun(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The same pieces, the first at hand: what fails until then is still told as a problem."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncGenerator[bytes]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return all_of_them()


async def while_listening(receive: Receive, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The same pieces until the caller leaves: nothing more is read, opened or sent for nobody.

    For requests whose body has been read, or that have none: whatever still comes of it is passed over.
    """
    left = asyncio.create_task(_left(receive))
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if left.done():
                    return
                yield piece
    finally:
        left.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
