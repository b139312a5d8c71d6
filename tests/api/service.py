"""A service around a judge, and a caller that speaks HTTP to it without a socket."""

from collections.abc import Mapping
from typing import Any

import httpx
from litestar import Litestar

from api.app import create_app
from api.identity import Client, KnownClients, digest_of
from api.judge import Judge
from models.vocabulary import Scope

KEY = "dmp_a-key-of-the-tests"
ORIGIN = "https://pdp.example"
JSON = {"Content-Type": "application/json"}
EVERYTHING = Client("tests", frozenset(Scope))


def bearer(key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def service(judge: Judge, client: Client = EVERYTHING, **parts: Any) -> Litestar:
    """The real application, which knows one client."""
    return create_app(judge=judge, clients=KnownClients([(digest_of(KEY), client)]), **parts)


def caller(app: Any, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """Somebody with the client's key, unless other headers are given."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=bearer() if headers is None else headers)
