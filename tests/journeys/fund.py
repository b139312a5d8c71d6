"""A fund that feeds over a connection of its own, which reads while it sends, and which may be cut at any line."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from tests.journeys.people import Json

_LONG = 8_000


def padded(line: Json) -> bytes:
    """A line, as long as one may be that is not too long: so a few hundred make a batch."""
    return json.dumps(line).encode() + b" " * _LONG + b"\n"


@dataclass(frozen=True, slots=True)
class Feed:
    """A request whose lines are on their way."""

    answer: BinaryIO

    def results(self, most: int | None = None) -> list[Json]:
        """Results as they come, until there are so many or the connection ends."""
        found: list[Json] = []
        with suppress(OSError):
            while (most is None or len(found) < most) and (line := self.answer.readline()):
                if line.startswith(b"{") and line.endswith(b"}\n"):  # what else there is, frames the pieces
                    found.append(json.loads(line))
        return found


@contextmanager
def feeding(address: str, key: str, lines: Sequence[bytes], *, whole: bool = False) -> Iterator[Feed]:
    """Send lines without waiting for anything, and cut the connection; without `whole` the body has no end."""
    parts = urlsplit(address)
    head = (
        "POST /v1/feeds/reimbursements HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/x-ndjson",
        "Transfer-Encoding: chunked",
        "Connection: close",
    )
    body = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines) + (b"0\r\n\r\n" if whole else b"")
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:

        def send() -> None:
            with suppress(OSError):  # it is cut
                connection.sendall("\r\n".join((*head, "", "")).encode() + body)

        sending = threading.Thread(target=send)
        sending.start()
        with connection.makefile("rb") as answer:
            yield Feed(answer)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        sending.join()
