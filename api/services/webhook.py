"""One signed request to whoever is to be told, after Standard Webhooks 1.0 (https://www.standardwebhooks.com).

What matters is the status alone: 2xx is done, and everything else is not, redirections included.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

SECONDS = 15.0
"""In which a receiver has to answer, from the first byte to the last."""

MOST_REQUESTS = 16
"""At a time, of one instance."""

_MOST_READ = 64 * 1024
_REDIRECTS, _SUCCESSES = range(300, 400), range(200, 300)
_LONGEST_WAIT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request counts for nothing, in our words; `wait` is what the receiver asked for before the next one."""

    what: str
    wait: timedelta = timedelta()


class Webhook:
    """A receiver. Every secret signs, the current one first, so that the other side may change it at its own pace."""

    def __init__(self, url: str, secrets: Sequence[bytes], *, seconds: float = SECONDS) -> None:
        self._url = url
        self._secrets = secrets
        self._seconds = seconds
        self._http = http_client(seconds)

    async def send(self, identity: str, at: datetime, body: bytes) -> Failure | None:
        """None once the receiver has taken it."""
        headers = signed_headers(self._secrets, identity, at, body) | {"Content-Type": "application/json"}
        answer: httpx.Response | None = None
        failure = Failure("cannot be reached")
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                await _drain(answer)
        except (TimeoutError, httpx.TimeoutException):
            failure = Failure(f"no answer within {self._seconds:g} seconds")
        except httpx.HTTPError:
            pass
        return failure if answer is None else verdict(answer)

    async def close(self) -> None:
        await self._http.aclose()


def http_client(seconds: float) -> httpx.AsyncClient:
    """No proxy and no password file of the environment: what leaves goes to the one address that was set."""
    return httpx.AsyncClient(
        verify=ssl.create_default_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=seconds,
        limits=httpx.Limits(max_connections=MOST_REQUESTS),
        headers={"User-Agent": "dmp"},
    )


def signed_headers(secrets: Sequence[bytes], identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """Identity, instant of the attempt, and a signature over both and the body with each secret."""
    timestamp = str(int(at.timestamp()))
    content = f"{identity}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


async def _drain(answer: httpx.Response) -> None:
    """Read what little a receiver says, so that its connection serves again; of more, the rest is left."""
    read = 0
    with suppress(httpx.HTTPError):
        async for piece in answer.aiter_raw():
            read += len(piece)
            if read > _MOST_READ:
                return


def verdict(answer: httpx.Response) -> Failure | None:
    """None for a success; else what was answered."""
    if answer.status_code in _SUCCESSES:
        return None
    asked = answer.headers.get("Retry-After", "")
    is_count = asked.isascii() and asked.isdigit() and len(asked) <= _LONGEST_WAIT_DIGITS
    wait = timedelta(seconds=int(asked)) if is_count else timedelta()
    sent_on = ", a redirection" if answer.status_code in _REDIRECTS else ""
    return Failure(f"answered {answer.status_code}{sent_on}", wait)
