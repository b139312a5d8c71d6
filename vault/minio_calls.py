"""How a store that may be slow, failing or hanging is asked: for a time, again after a while, and not for ever.

The SDK blocks, so each call runs in a thread of the store's own; whoever waits no longer cuts its connection.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeVar

from vault.breaker import Breaker
from vault.errors import StoreSilentError, StoreUnavailableError
from vault.limits import Limits
from vault.minio_errors import asked
from vault.minio_lines import Line

T = TypeVar("T")

_chance = random.SystemRandom()


class Response(Protocol):
    """What is read piece by piece, on one connection."""

    def read(self, amount: int) -> bytes: ...

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


class Calls:
    """Turns, threads, time limits, repetition, and a breaker each for reading and writing.

    A store that has lost its quorum for writing still reads, and nobody is to be kept from that. Everything raises
    StoreError, whatever the functions raise that are called.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.in_flight, thread_name_prefix="minio")
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._reading, self._writing = (
            Breaker(guarded, limits.failures, limits.patience_seconds, limits.rest_seconds)
            for guarded in ("reading", "writing")
        )

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function gives that changes nothing."""
        return await self._repeated(self._reading, function, *arguments)

    async def write(self, function: Callable[..., T], *arguments: Any) -> T:
        """The same of one that changes something, and that may be called twice to change it once."""
        return await self._repeated(self._writing, function, *arguments)

    async def stream(self, open_at: Callable[[int], Response | None], start: int, size: int) -> AsyncGenerator[bytes]:
        """What is read from there on in such pieces, in one turn; broken off, it is opened again right there."""
        position, failures, until = start, 0, self._until()
        async with self._slot():
            while True:
                try:
                    async with aclosing(self._pieces(open_at, position, size)) as pieces:
                        async for piece in pieces:
                            position, failures, until = position + len(piece), 0, self._until()
                            yield piece
                except StoreSilentError:
                    failures += 1
                    if self._is_over(failures, until):
                        raise
                else:
                    return
                await self._pause(failures)

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _repeated(self, breaker: Breaker, function: Callable[..., T], *arguments: Any) -> T:
        failures, until = 0, self._until()
        while True:
            try:
                async with self._slot():
                    return await self._once(breaker, self._line(), until, function, *arguments)
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

    async def _once(self, breaker: Breaker, line: Line, until: float, function: Callable[..., T], *arguments: Any) -> T:
        with breaker.guard():
            work = self._threads.submit(_on, line, function, *arguments)
            try:
                async with asyncio.timeout_at(until):
                    return await asyncio.wrap_future(work)
            except TimeoutError:
                raise StoreSilentError("the object store does not answer in time") from None
            finally:
                if not work.done():
                    line.cut()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.slot_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreUnavailableError("too many requests to the object store are waiting") from None
        try:
            yield
        finally:
            self._slots.release()

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


def _on(line: Line, function: Callable[..., T], *arguments: Any) -> T:
    with line.used():
        return asked(function, *arguments)
