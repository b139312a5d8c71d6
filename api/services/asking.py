"""A question about one person, put to somebody who knows him: signed as a webhook is, answered by lines of JSON.

The person's INS stands in the body and nowhere else, and the settings let it travel only where nobody reads it on the
way. What the other side answers is bounded, and its words are never repeated.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

import httpx

from api.ndjson import Line, split
from api.services.inquiries import InquiryError
from api.services.webhook import Failure, http_client, signed_headers, verdict

MOST_BYTES = 16 * 1024**2
"""Of an answer: tens of thousands of lines."""

SECONDS = 30.0
"""Between two bytes of an answer."""

_LINES, _NOTHING = 200, 204


class Peer:
    """Somebody at an address; every secret signs, the current one first."""

    def __init__(
        self, url: str, secrets: Sequence[bytes], *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._url = url
        self._secrets = secrets
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._http = http_client(seconds)

    async def ask(self, identity: str, at: datetime, question: bytes) -> AsyncGenerator[Line]:
        """The lines of the answer, as they arrive; none if nothing is known. Raises InquiryError, even after some.

        `identity` is the same for the same question, however often it is put.
        """
        headers = signed_headers(self._secrets, identity, at, question) | {
            "Content-Type": "application/json",
            "Accept": "application/x-ndjson",
            "Accept-Encoding": "identity",
        }
        try:
            async with self._http.stream("POST", self._url, content=question, headers=headers) as answer:
                if _holds_lines(answer):
                    async with aclosing(split(self._pieces(answer))) as lines:
                        async for line in lines:
                            yield line
        except httpx.TimeoutException:
            raise InquiryError(f"silent for {self._seconds:g} seconds") from None
        except httpx.HTTPError:
            raise InquiryError("cannot be reached, or cut off") from None

    async def close(self) -> None:
        await self._http.aclose()

    async def _pieces(self, answer: httpx.Response) -> AsyncGenerator[bytes]:
        read = 0
        async for piece in answer.aiter_raw():
            read += len(piece)
            if read > self._most_bytes:
                raise InquiryError(f"answered with more than {self._most_bytes} bytes")
            yield piece


def _holds_lines(answer: httpx.Response) -> bool:
    """False if it says that nothing is known. Raises InquiryError if it is no answer.

    One whose length is told neither before nor by its pieces would be whole wherever it is cut.
    """
    if answer.status_code == _NOTHING:
        return False
    if answer.status_code != _LINES:
        failure = verdict(answer) or Failure(f"answered {answer.status_code}")
        raise InquiryError(failure.what, failure.wait)
    told = answer.headers
    if told.get("Content-Encoding", "identity") != "identity":
        raise InquiryError("answered in an encoding that was not asked for")
    if "Content-Length" not in told and "Transfer-Encoding" not in told:
        raise InquiryError("answered without saying how much")
    return True
