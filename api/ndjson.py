"""A body of lines as it arrives: newline-delimited JSON, of which no more than a piece and a line is held."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

from api.errors import DisconnectedError, MalformedRequestError
from api.requests import Call

MAX_LINE_BYTES = 16 * 1024
_MEDIA_TYPE = b"application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number, from 1; `data` is None if it is longer than MAX_LINE_BYTES."""

    number: int
    data: bytes | None = field(repr=False)


def require_ndjson(call: Call) -> None:
    """Raises MalformedRequestError if the body is said to be something else."""
    given = [value for name, value in call.scope["headers"] if name == b"content-type"]
    if len(given) != 1 or given[0].split(b";")[0].strip().lower() != _MEDIA_TYPE:
        raise MalformedRequestError("The header Content-Type must be application/x-ndjson.")


async def lines_of(call: Call) -> AsyncGenerator[Line]:
    """The lines of a body. Raises DisconnectedError when the caller leaves in the middle."""
    async with aclosing(split(_pieces(call))) as lines:
        async for line in lines:
            yield line


async def split(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Line]:
    """The lines that are not blank, in order."""
    number, begun, too_long = 0, b"", False
    async for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            number += 1
            line, begun = begun + part, b""
            if too_long or line.strip():
                yield _line(number, line, too_long=too_long)
            too_long = False
        begun += rest
        if len(begun) > MAX_LINE_BYTES:
            begun, too_long = b"", True
    if too_long or begun.strip():
        yield _line(number + 1, begun, too_long=too_long)


async def _pieces(call: Call) -> AsyncGenerator[bytes]:
    more = True
    while more:
        message = await call.receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _line(number: int, data: bytes, *, too_long: bool) -> Line:
    return Line(number, None if too_long or len(data) > MAX_LINE_BYTES else data)
