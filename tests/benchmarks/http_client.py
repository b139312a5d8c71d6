"""A client cheap enough to leave the server the bottleneck, in a process of its own.

Raw connections kept alive, one request under way on each; every answer is checked. What to send comes as one line of
JSON (`Exchange`) on standard input; every further line sends all of it once more, and is answered with a line:
`right`, or what was wrong.
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import cast

import msgspec
import uvloop


class Exchange(msgspec.Struct, frozen=True):
    """Bodies to post in turn, and the decisions that the answer to each must hold."""

    port: int
    path: str
    key: str
    connections: int
    posts: list[tuple[str, list[bool]]]


class _Answer(msgspec.Struct):
    decision: bool | None = None
    evaluations: "list[_Answer]" = []


_decode = msgspec.json.Decoder(_Answer).decode
_LENGTH = b"content-length: "
_PATIENCE_SECONDS = 60


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last is complete; the iterator is shared."""

    def __init__(self, posts: Iterator[tuple[bytes, list[bool]]]) -> None:
        self._posts = posts
        self._expected: list[bool] = []
        self._received = b""
        self.done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own, which is not derived from it
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        begin = head.lower().find(_LENGTH) + len(_LENGTH)
        if len(body) < int(head[begin : begin + 9].split(b"\r\n", 1)[0]):
            return
        self._received = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._end(f"{head[:40]!r} {body[:200]!r}")
        elif _decisions(body) != self._expected:
            self._end(f"decisions {_decisions(body)}, not {self._expected}")
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection was lost: {exc}")

    def _next(self) -> None:
        post = next(self._posts, None)
        if post is None:
            self._end("")
        else:
            self._expected = post[1]
            self._transport.write(post[0])

    def _end(self, wrong: str) -> None:
        if not self.done.done():
            self.done.set_result(wrong)
        self._transport.close()


def _decisions(body: bytes) -> list[bool | None]:
    answer = _decode(body)
    return [each.decision for each in answer.evaluations] or [answer.decision]


async def _exchange(exchange: Exchange, requests: list[tuple[bytes, list[bool]]]) -> str:
    posts, loop = iter(requests), asyncio.get_running_loop()
    pairs = await asyncio.gather(
        *(
            loop.create_connection(lambda: _Connection(posts), "127.0.0.1", exchange.port)
            for _ in range(exchange.connections)
        )
    )
    async with asyncio.timeout(_PATIENCE_SECONDS):
        outcomes = await asyncio.gather(*(connection.done for _, connection in pairs))
    return next(filter(None, outcomes), "right")


def _request(exchange: Exchange, body: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {exchange.path} HTTP/1.1\r\nHost: 127.0.0.1:{exchange.port}\r\nAuthorization: Bearer {exchange.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def main() -> None:
    exchange = msgspec.json.decode(sys.stdin.readline(), type=Exchange)
    requests = [(_request(exchange, body), expected) for body, expected in exchange.posts]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in sys.stdin:
            print(runner.run(_exchange(exchange, requests)), flush=True)


if __name__ == "__main__":
    main()
