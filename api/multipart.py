"""A deposit as it arrives: a part `metadata`, then a part `content`, of which one piece is held at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from api.errors import DisconnectedError, MalformedRequestError
from api.requests import Call

_MAX_METADATA_BYTES = 64 * 1024
_BROKEN = "The body is no well-formed multipart/form-data."


class DepositBody:
    """Reads the body of one request, once, in order."""

    def __init__(self, call: Call) -> None:
        self._events = _events(call)

    async def metadata(self) -> bytes:
        """The first part. Raises MalformedRequestError if it is not `metadata`."""
        await self._begin("metadata")
        metadata = bytearray()
        async for piece in self._pieces():
            metadata += piece
            if len(metadata) > _MAX_METADATA_BYTES:
                msg = f"The part metadata is larger than {_MAX_METADATA_BYTES} bytes."
                raise MalformedRequestError(msg)
        return bytes(metadata)

    async def content(self) -> AsyncGenerator[bytes]:
        """The second part and last one. Raises MalformedRequestError if it is not `content`, or another follows."""
        await self._begin("content")
        async for piece in self._pieces():
            yield piece
        async for _ in self._events:
            raise MalformedRequestError("The body has a part too many: metadata, then content, and nothing else.")

    async def _begin(self, name: str) -> None:
        event = await anext(self._events, None)
        if not isinstance(event, MultipartSegment) or event.name != name:
            raise MalformedRequestError("The body has a part metadata, then a part content, in this order.")

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            if not isinstance(event, bytes | bytearray):
                return
            yield bytes(event)


async def _events(call: Call) -> AsyncGenerator[MultipartSegment | bytes | bytearray | None]:
    parser = _parser(call)
    more = True
    while more:
        message = await call.receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        more = message.get("more_body", False)
        for event in _parsed(parser, message.get("body", b"")):
            yield event
    try:
        parser.close()
    except MultipartError:
        raise MalformedRequestError(_BROKEN) from None


def _parsed(parser: PushMultipartParser, chunk: bytes) -> Iterator[MultipartSegment | bytes | bytearray | None]:
    if not chunk:
        return
    try:
        yield from parser.parse(chunk)
    except MultipartError:
        raise MalformedRequestError(_BROKEN) from None


def _parser(call: Call) -> PushMultipartParser:
    given = [value for name, value in call.scope["headers"] if name == b"content-type"]
    media_type, options = parse_options_header(given[0].decode("latin-1")) if len(given) == 1 else ("", {})
    if media_type != "multipart/form-data" or not options.get("boundary"):
        raise MalformedRequestError("The header Content-Type must be multipart/form-data, with its boundary.")
    try:
        return PushMultipartParser(options["boundary"], strict=True)
    except MultipartError:
        raise MalformedRequestError(_BROKEN) from None
