"""Deposits as they arrive: a part `metadata`, then a part `content`, of which one piece is held at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import TypeAlias

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from api.errors import BrokenFormError, DisconnectedError, MalformedRequestError
from api.requests import Call

_Event: TypeAlias = MultipartSegment | bytes | bytearray | None
_MAX_METADATA_BYTES = 64 * 1024
_BROKEN = "The body is no well-formed multipart/form-data."


class _Form:
    """Reads the body of one request, once, in order."""

    def __init__(self, call: Call) -> None:
        self._events = _events(call)

    async def _metadata(self, event: _Event) -> bytes:
        _require(event, "metadata")
        metadata = bytearray()
        async for piece in self._pieces():
            metadata += piece
            if len(metadata) > _MAX_METADATA_BYTES:
                msg = f"The part metadata is larger than {_MAX_METADATA_BYTES} bytes."
                raise BrokenFormError(msg)
        return bytes(metadata)

    async def _next(self) -> _Event:
        return await anext(self._events, None)

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            if not isinstance(event, bytes | bytearray):
                return
            yield bytes(event)


class DepositBody(_Form):
    """One document."""

    async def metadata(self) -> bytes:
        """The first part. Raises BrokenFormError if it is not `metadata`."""
        return await self._metadata(await self._next())

    async def content(self) -> AsyncGenerator[bytes]:
        """The second part and last one. Raises BrokenFormError if it is not `content`, or another follows."""
        _require(await self._next(), "content")
        async for piece in self._pieces():
            yield piece
        async for _ in self._events:
            raise BrokenFormError("The body has a part too many: metadata, then content, and nothing else.")


class BatchBody(_Form):
    """Documents one after the other, each a part `metadata` and a part `content`."""

    _has_begun = _has_content = False

    async def metadata(self) -> bytes | None:
        """Of the next document, None after the last; what is left of the one before is passed over.

        Raises BrokenFormError if something else comes.
        """
        if self._has_content:
            async with aclosing(self.content()) as rest:
                async for _ in rest:
                    pass
        event = await self._next()
        if event is None:
            if not self._has_begun:
                raise BrokenFormError("The body has no part.")
            return None
        metadata = await self._metadata(event)
        _require(await self._next(), "content")
        self._has_begun = self._has_content = True
        return metadata

    async def content(self) -> AsyncGenerator[bytes]:
        """Of this document; whoever does not read to the end may go on to the next."""
        async for piece in self._pieces():
            yield piece
        self._has_content = False


def _require(event: _Event, name: str) -> None:
    if not isinstance(event, MultipartSegment) or event.name != name:
        raise BrokenFormError("The body has a part metadata, then a part content, in this order.")


async def _events(call: Call) -> AsyncGenerator[_Event]:
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
        raise BrokenFormError(_BROKEN) from None


def _parsed(parser: PushMultipartParser, chunk: bytes) -> Iterator[_Event]:
    if not chunk:
        return
    try:
        yield from parser.parse(chunk)
    except MultipartError:
        raise BrokenFormError(_BROKEN) from None


def _parser(call: Call) -> PushMultipartParser:
    given = [value for name, value in call.scope["headers"] if name == b"content-type"]
    media_type, options = parse_options_header(given[0].decode("latin-1")) if len(given) == 1 else ("", {})
    if media_type != "multipart/form-data" or not options.get("boundary"):
        raise MalformedRequestError("The header Content-Type must be multipart/form-data, with its boundary.")
    try:
        return PushMultipartParser(options["boundary"], strict=True)
    except MultipartError:
        raise BrokenFormError(_BROKEN) from None
