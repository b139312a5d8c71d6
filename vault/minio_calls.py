"""How a store that may be slow, failing or hanging is asked: for a time, again after a while, and not for ever.

The SDK blocks, so each call runs in a thread of the store's own.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeVar

from vault.breaker import Breaker
from vault.errors import NoObjectError, StoreSilentError, StoreUnavailableError
from vault.limits import Limits
from vault.minio_doubts import Doubts
from vault.minio_lines import Line
from vault.minio_threads import Threads

T = TypeVar("T")

_chance = random.SystemRandom()


class Response(Protocol):
    """What is read piece by piece, on one connection."""

    def read(self, amount: int) -> bytes: ...

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


class Calls:
    """Turns, threads, time limits, repetition, and a breaker: all of them once for reading and once for writing.

    A store that has lost its quorum for writing still reads, and nobody is to be kept from that. Everything raises
    StoreError, whatever the functions raise that are called. `cannot_write` is what `Doubts` asks.
    """

    def __init__(self, limits: Limits, cannot_write: Callable[[], bool]) -> None:
        self._limits = limits
        self._reading, self._writing = _Lane("reading", limits), _Lane("writing", limits)
        self._doubts = Doubts(cannot_write, limits.doubt_seconds)

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function gives that changes nothing."""
        return await self._repeated(self._reading, function, *arguments)

    async def write(self, function: Callable[..., T], *arguments: Any) -> T:
        """The same of one that changes something, and that may be called twice to change it once."""
        return await self._repeated(self._writing, function, *arguments)

    async def stream(self, open_at: Callable[[int], Response | None], start: int, size: int) -> AsyncGenerator[bytes]:
        """What is read from there on in such pieces, in one turn; broken off, it is opened again right there.

        An object that is said not to be there is asked for again before that is believed: of several nodes some of
        which have just come back, MinIO answers so for a moment about objects that it has.
        """
        position, failures, until = start, 0, self._until()
        async with self._reading.slot():
            while True:
                try:
                    async with aclosing(self._pieces(open_at, position, size)) as pieces:
                        async for piece in pieces:
                            position, failures, until = position + len(piece), 0, self._until()
                            yield piece
                except (StoreSilentError, NoObjectError) as error:
                    failures += 1
                    believed = isinstance(error, NoObjectError) and failures > self._limits.absences
                    if believed or self._is_over(failures, until):
                        raise
                else:
                    return
                await self._pause(failures)

    def close(self) -> None:
        for each in (self._reading.threads, self._writing.threads, self._doubts):
            each.close()

    async def _repeated(self, lane: "_Lane", function: Callable[..., T], *arguments: Any) -> T:
        failures, until = 0, self._until()
        while True:
            try:
                async with lane.slot():
                    return await self._once(lane, self._line(), until, function, *arguments)
            except StoreSilentError:
                failures += 1
                if self._is_over(failures, until):
                    raise
            await self._pause(failures)

    async def _pieces(
        self, open_at: Callable[[int], Response | None], position: int, size: int
    ) -> AsyncGenerator[bytes]:
        line = self._line()
        response = await self._once(self._reading, line, self._until(), open_at, position)
        if response is None:
            return
        try:
            while piece := await self._once(self._reading, line, self._until(), response.read, size):
                yield piece
        finally:
            response.close()
            response.release_conn()

    async def _once(self, lane: "_Lane", line: Line, until: float, function: Callable[..., T], *arguments: Any) -> T:
        with lane.breaker.guard():
            asking = lane.threads.run(line, until, function, *arguments)
            return await (self._doubts.watch(asking) if lane is self._writing else asking)

    def _line(self) -> Line:
        return Line(self._limits.read_seconds)

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._limits.request_seconds

    def _is_over(self, failures: int, until: float) -> bool:
        return failures > self._limits.repetitions or asyncio.get_running_loop().time() >= until

    async def _pause(self, failures: int) -> None:
        """Twice as long each time, and nobody exactly as long as the others."""
        longest = min(self._limits.pause_seconds * 2.0 ** (failures - 1), self._limits.longest_pause_seconds)
        await asyncio.sleep(longest * (0.5 + _chance.random() / 2))


class _Lane:
    """Of those who read, or of those who write: neither waits behind the others."""

    def __init__(self, guarded: str, limits: Limits) -> None:
        self.threads = Threads(limits.in_flight, guarded)
        self.breaker = Breaker(guarded, limits.failures, limits.patience_seconds, limits.rest_seconds)
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._seconds = limits.slot_seconds

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A turn. Raises StoreUnavailableError if there is none in time."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreUnavailableError("too many requests to the object store are waiting") from None
        try:
            yield
        finally:
            self._slots.release()
