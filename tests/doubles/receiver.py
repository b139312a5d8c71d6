"""Whoever is told by a webhook: a real HTTP server on loopback that answers as a test wants it to."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

KEY = bytes(range(32))
Made = TypeVar("Made")
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass(frozen=True)
class Told:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def identity(self) -> str:
        return self.headers["webhook-id"]

    @property
    def says(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said

    def is_signed_by(self, key: bytes) -> bool:
        """As the specification says, and not as our code does it."""
        mac = hmac.new(key, digestmod=hashlib.sha256)
        for part in (self.identity, ".", self.headers["webhook-timestamp"], "."):
            mac.update(part.encode("ascii"))
        mac.update(self.body)
        wanted = "v1," + base64.standard_b64encode(mac.digest()).decode("ascii")
        return any(hmac.compare_digest(wanted, given) for given in self.headers["webhook-signature"].split(" "))


@dataclass
class Receiver:
    """Answers 204, or what `answers` hold first: the bytes of an answer, or None to keep silent till the other goes."""

    url: str = ""
    told: list[Told] = field(default_factory=list)
    answers: deque[bytes | None] = field(default_factory=deque)
    connections: int = 0

    def answer_to(self, _request: Told) -> bytes | None:
        return self.answers.popleft() if self.answers else answering(204)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await _read(reader):
                self.told.append(request)
                answer = self.answer_to(request)
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                await writer.drain()
                if b"Content-Length" not in answer:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answering(status: int, body: bytes = b"", **headers: str) -> bytes:
    """An answer; `_` in a header's name is written `-`."""
    told = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items() if value)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    receiver = Receiver()
    async with listening(receiver):
        yield receiver


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[None]:
    """It is met on a free port of 127.0.0.1."""
    server = await asyncio.start_server(receiver.meet, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/told?by=dmp"
    async with server:
        yield


@contextmanager
def in_a_thread(make: Callable[[], AbstractAsyncContextManager[Made]]) -> Iterator[Made]:
    """What is made lives in a loop and a thread of its own, while a test waits for other processes."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    held: list[Made] = []

    async def hold() -> None:
        async with make() as made:
            held.append(made)
            ready.set()
            await done.wait()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(loop.run_until_complete, hold())
        ready.wait()
        yield held[0]
        loop.call_soon_threadsafe(done.set)
        running.result()
    loop.close()


async def _read(reader: asyncio.StreamReader) -> Told | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Told(first.split(" ")[1], headers, body)
