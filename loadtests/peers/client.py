"""An HTTP/1.1 client that costs the machine little: requests are bytes prepared before, connections are kept alive.

Every status and every body is checked: a body is compared with the one that was found right before, and read only if it
is another. The garbage collector rests while time is taken.
"""

import asyncio
import gc
import time
from array import array
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from random import Random
from types import TracebackType
from typing import Any, Self, cast

import uvloop

Answered = Callable[["_Connection"], None]

_OK = b"HTTP/1.1 200 "
_BLANK = b"\r\n\r\n"
_LINE = b"\r\n"
_LENGTH = b"ength: "
"""The end of `Content-Length: `, which is written with capitals or without."""

_PATIENCE_SECONDS = 300
_GRAIN_SECONDS = 0.002
"""A request that the timer of the event loop lets out so late is not late."""


class WrongAnswerError(Exception):
    """What came is no answer, or not the right one; says what it was."""


class Exchange:
    """A request, how to tell that a body answers it rightly, and a body of which that was told."""

    __slots__ = ("is_right", "request", "right")

    def __init__(self, request: bytes, is_right: Callable[[bytes], bool], right: bytes = b"") -> None:
        self.request = request
        self.is_right = is_right
        self.right = right


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers in so many seconds, and milliseconds from when a request was due to the end of its answer."""

    answers: int
    seconds: float
    p50: float
    p99: float
    busy: float
    """How much of the time this client was at work: near 1 it is the client that is measured."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds if self.seconds else 0.0


def post(path: str, body: bytes, key: str = "") -> bytes:
    """The bytes of a request."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def body_of(received: bytes) -> bytes | None:
    """The body of an answer; None while it has not all come. Raises WrongAnswerError unless the status is 200."""
    end = received.find(_BLANK)
    if end < 0:
        return None
    if not received.startswith(_OK):
        raise WrongAnswerError(received[:500].decode(errors="replace"))
    length = received.find(_LENGTH, 0, end)
    if length < 0:
        return _joined(received, end + len(_BLANK))
    size = int(received[length + len(_LENGTH) : received.index(_LINE, length)])
    begin = end + len(_BLANK)
    return received[begin : begin + size] if len(received) >= begin + size else None


def _joined(received: bytes, begin: int) -> bytes | None:
    """A body that comes in chunks (RFC 9112, 7.1), from its first one."""
    chunks: list[bytes] = []
    while (line := received.find(_LINE, begin)) >= 0:
        size = int(received[begin:line], 16)
        begin = line + len(_LINE) + size + len(_LINE)
        if len(received) < begin:
            return None
        if size == 0:
            return b"".join(chunks)
        chunks.append(received[line + len(_LINE) : begin - len(_LINE)])
    return None


class _Connection(asyncio.Protocol):
    """One request under way at a time."""

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        self._fail = fail
        self._received = b""
        self.answered: Answered
        self.exchange: Exchange
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own, which is not derived from it

    def ask(self, exchange: Exchange, due: float) -> None:
        self.exchange, self.due = exchange, due
        self._transport.write(exchange.request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        try:
            body = body_of(received)
            if body is None:
                self._received = received
                return
            self._received = b""
            if body != self.exchange.right:
                self._read(body)
        except (WrongAnswerError, ValueError, LookupError, TypeError) as error:  # what reads a body may find anything
            self._fail(error)
        else:
            self.answered(self)

    def _read(self, body: bytes) -> None:
        if not self.exchange.is_right(body):
            asked = self.exchange.request.partition(_BLANK)[2][:300]
            raise WrongAnswerError(f"{body[:300].decode()} to {asked.decode()}")
        self.exchange.right = body

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("the server closed a connection"))

    def close(self) -> None:
        self._fail = lambda _: None
        self._transport.close()


class Client:
    """So many connections to a server on the loopback interface. Every method raises WrongAnswerError at the first."""

    def __init__(self, port: int, connections: int) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._port, self._wanted = port, connections
        self._connections: list[_Connection] = []

    def __enter__(self) -> Self:
        self._runner.__enter__()
        self._run(self._connect())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for connection in self._connections:
            connection.close()
        self._runner.__exit__(kind, error, at)

    def once(self, exchanges: Sequence[Exchange]) -> None:
        """Each of these, once; its body is then `right` in it."""
        self._run(self._closed(iter(exchanges), float("inf"), array("d")))

    def closed(self, exchanges: Sequence[Exchange], seconds: float) -> Measured:
        """Over and over for so long, each connection asking again as soon as it has its answer."""
        times = array("d")
        with _undisturbed():
            begin, spent = time.perf_counter(), time.process_time()
            self._run(self._closed(cycle(exchanges), begin + seconds, times), seconds)
            return _measured(times, time.perf_counter() - begin, time.process_time() - spent)

    def paced(self, exchanges: Sequence[Exchange], rate: float, seconds: float) -> Measured:
        """Arrivals at random, so many a second, whether or not those before them are answered.

        Connections take turns, so that no server closes one for being idle; a slow rate needs few of them.
        """
        times = array("d")
        with _undisturbed():
            begin, spent = time.perf_counter(), time.process_time()
            self._run(self._paced(cycle(exchanges), rate, seconds, times), seconds)
            return _measured(times, time.perf_counter() - begin, time.process_time() - spent)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = loop.create_future()
        for _ in range(self._wanted):
            _, connection = await loop.create_connection(lambda: _Connection(self._fail), "127.0.0.1", self._port)
            self._connections.append(connection)

    def _run(self, work: Coroutine[Any, Any, None], seconds: float = 0.0) -> None:
        """Until it is done; a server that is much slower than that is given up."""
        try:
            self._runner.run(asyncio.wait_for(work, seconds + _PATIENCE_SECONDS))
        except TimeoutError:
            raise WrongAnswerError("the server has not answered") from None

    def _fail(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(WrongAnswerError(str(error)))

    async def _closed(self, exchanges: Iterator[Exchange], end: float, times: "array[float]") -> None:
        self._ended = asyncio.get_running_loop().create_future()
        left = len(self._connections)

        def ask_next(connection: _Connection, now: float) -> None:
            nonlocal left
            exchange = next(exchanges, None) if now < end else None
            if exchange is not None:
                connection.ask(exchange, now)
                return
            left -= 1
            if not left and not self._ended.done():
                self._ended.set_result(None)

        def answered(connection: _Connection) -> None:
            now = time.perf_counter()
            times.append(now - connection.due)
            ask_next(connection, now)

        for connection in self._connections:
            connection.answered = answered
            ask_next(connection, time.perf_counter())
        await self._ended

    async def _paced(self, exchanges: Iterator[Exchange], rate: float, seconds: float, times: "array[float]") -> None:
        self._ended = asyncio.get_running_loop().create_future()
        idle, late = deque(self._connections), deque[float]()
        arrivals = _arrivals(rate, seconds)
        left = len(arrivals)

        def answered(connection: _Connection) -> None:
            nonlocal left
            times.append(time.perf_counter() - connection.due)
            left -= 1
            if late:
                connection.ask(next(exchanges), late.popleft())
            else:
                idle.append(connection)
            if not left and not self._ended.done():
                self._ended.set_result(None)

        def arrive(due: float, now: float) -> None:
            if idle:
                idle.popleft().ask(next(exchanges), now if now - due < _GRAIN_SECONDS else due)
            else:
                late.append(due)

        for connection in self._connections:
            connection.answered = answered
        await asyncio.gather(_let_arrive(arrivals, arrive), self._ended)


async def _let_arrive(arrivals: Sequence[float], arrive: Callable[[float, float], None]) -> None:
    begin = time.perf_counter()
    for due in arrivals:
        now = time.perf_counter()
        if now < begin + due:
            await asyncio.sleep(begin + due - now)
            now = time.perf_counter()
        arrive(begin + due, now)


def _arrivals(rate: float, seconds: float) -> list[float]:
    """Seconds from the beginning; the same for all who are compared."""
    random, arrivals, due = Random(rate), list[float](), 0.0
    while (due := due + random.expovariate(rate)) < seconds:
        arrivals.append(due)
    return arrivals


def _measured(times: "array[float]", seconds: float, spent: float) -> Measured:
    ordered = sorted(times)
    p50, p99 = (1_000 * ordered[int(share * (len(ordered) - 1))] if ordered else 0.0 for share in (0.50, 0.99))
    return Measured(len(ordered), seconds, p50, p99, spent / seconds)


@contextmanager
def _undisturbed() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
