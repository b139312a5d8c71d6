"""Searching contents for viruses while they are deposited: by ClamAV's daemon, where one is set.

It fails closed: a content is kept only once the daemon said that it is harmless. Of what it finds, the log tells the
name of the signature, which says nothing of the content. Protocol: clamd(8), INSTREAM.
"""

import asyncio
import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from api.errors import ContentError, ScannerError

_LONGEST_ANSWER = 4096
_CLEAN, _FOUND = "stream: OK", re.compile(r"stream: (?P<signature>[\w.:-]{1,200}) FOUND", re.ASCII)
_BEYOND_LIMITS = "Heuristics.Limits.Exceeded"  # so it did not look at all of it (AlertExceedsMax)

logger = structlog.get_logger()

Count = Callable[[str], None]
"""Told how each search ended: clean, infected or failed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds the daemon has to answer or to take a piece, and to look at a whole content.

    It gives up itself after 120 (MaxScanTime).
    """

    answer: float = 10.0
    verdict: float = 150.0


class Search(Protocol):
    """Of one content."""

    async def take(self, piece: bytes) -> None:
        """The next bytes. Raises ScannerError."""

    async def finish(self) -> None:
        """Return if the content is harmless. Raises ContentError if it is not, ScannerError if nobody can say."""


class Scanner(Protocol):
    """Searches contents."""

    def search(self) -> AbstractAsyncContextManager[Search]:
        """A search, for as long as a block lasts. Raises ScannerError."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where the daemon listens: a socket's path, else a host and a port."""

    path: str | None = None
    host: str = ""
    port: int = 0


class Clamd:
    """ClamAV's daemon (`Scanner`)."""

    def __init__(self, address: Address, count: Count, patience: Patience = Patience()) -> None:
        self._address = address
        self._count = count
        self._patience = patience

    async def answers(self) -> bool:
        """Whether it can be asked now."""
        try:
            async with asyncio.timeout(self._patience.answer), self._connected() as (reader, writer):
                writer.write(b"zPING\0")
                return await reader.readuntil(b"\0") == b"PONG\0"
        except (OSError, IncompleteReadError, LimitOverrunError):
            return False

    @asynccontextmanager
    async def search(self) -> AsyncIterator[Search]:
        """See Scanner."""
        async with AsyncExitStack() as stack:
            with _failing_closed(self._count):
                async with asyncio.timeout(self._patience.answer):
                    reader, writer = await stack.enter_async_context(self._connected())
            writer.write(b"zINSTREAM\0")
            yield _InStream(reader, writer, self._count, self._patience)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
        """Raises OSError."""
        where = self._address
        if where.path is not None:
            reader, writer = await asyncio.open_unix_connection(where.path, limit=_LONGEST_ANSWER)
        else:
            reader, writer = await asyncio.open_connection(where.host, where.port, limit=_LONGEST_ANSWER)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


class _InStream:
    """A content in chunks, each with its length before it; an empty one is the end."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, count: Count, patience: Patience) -> None:
        self._reader = reader
        self._writer = writer
        self._count = count
        self._patience = patience

    async def take(self, piece: bytes) -> None:
        """See Search."""
        if piece:
            await self._send(piece)

    async def finish(self) -> None:
        """See Search."""
        await self._send(b"")
        with _failing_closed(self._count):
            async with asyncio.timeout(self._patience.verdict):
                answer = (await self._reader.readuntil(b"\0"))[:-1].decode("ascii", "replace")
            found = _FOUND.fullmatch(answer)
            if answer != _CLEAN and (found is None or found["signature"].startswith(_BEYOND_LIMITS)):
                raise _NoVerdictError
        if found is not None:
            logger.warning("deposit_infected", signature=found["signature"])
            self._count("infected")
            raise ContentError("infected", "Something harmful was found in the content.")
        self._count("clean")

    async def _send(self, piece: bytes) -> None:
        with _failing_closed(self._count):
            async with asyncio.timeout(self._patience.answer):
                self._writer.write(len(piece).to_bytes(4, "big") + piece)
                await self._writer.drain()


class _NoVerdictError(Exception):
    """The daemon answered neither that it found something nor that it did not: a limit of its, or another program."""


@contextmanager
def _failing_closed(count: Count) -> Iterator[None]:
    try:
        yield
    except (OSError, IncompleteReadError, LimitOverrunError, _NoVerdictError) as error:
        logger.warning("antivirus_failed", cause=type(error).__name__)
        count("failed")
        raise ScannerError from None
