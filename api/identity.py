"""Which component calls: client keys, what they open, and for whom they speak.

A key is shown once, when it is made, and kept nowhere: the service stores its SHA-256. Keys carry 256 random bits, so
a plain digest needs neither salt nor stretching. The look-up is by digest, and a caller cannot choose one: how long it
takes tells nothing about any key.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from api.errors import ForbiddenError, ScopeRequiredError, UnauthenticatedError
from models.vocabulary import Scope, SubjectType

REMEMBERED_SECONDS = 5.0
_REMEMBERED_CLIENTS = 1024
_KEY_BYTES = 32
_KEY_PREFIX = "dmp_"
_CREDENTIALS = re.compile(rb"(?i:bearer) +([A-Za-z0-9._~+/-]{1,512}=*) *")
_SUBJECT_TYPES: dict[str, SubjectType] = {word.value: word for word in SubjectType}


@dataclass(frozen=True, slots=True)
class Client:
    """A component that may call, what it may call, and the kinds of subject for which it speaks.

    `organization`, if any, is the one as which it speaks: itself, its staff, those who exercise there, and nobody else.
    That takes stored facts, so whoever joins the facts checks it, and raises ForbiddenError.
    """

    name: str
    scopes: frozenset[Scope]
    speaks_for: frozenset[SubjectType] = frozenset(SubjectType)
    organization: str | None = None

    def require(self, scope: Scope) -> None:
        """Raises ScopeRequiredError without the scope."""
        if scope not in self.scopes:
            raise ScopeRequiredError(scope)

    def require_speaking_for(self, subject_type: str) -> None:
        """Raises ForbiddenError if the client does not speak for such subjects.

        A word that is no kind of subject passes: the rules refuse it (`unknown-subject`), and the journal says so.
        """
        kind = _SUBJECT_TYPES.get(subject_type)
        if kind is not None and kind not in self.speaks_for:
            raise ForbiddenError


@dataclass(frozen=True, slots=True)
class Caller:
    """The component that calls, and the request by which it does."""

    client: Client
    request_id: str


class Register(Protocol):
    """Where clients are found by the SHA-256 of their key."""

    async def find(self, digest: bytes) -> Client | None:
        """The client whose key has this digest."""


class Clients(Register, Protocol):
    """One that knows some of them by heart."""

    def recall(self, digest: bytes) -> Client | None:
        """The same, if it can be said without looking anywhere."""


class KnownClients:
    """Clients listed once and for all."""

    def __init__(self, clients: Iterable[tuple[bytes, Client]]) -> None:
        self._clients = tuple(clients)

    async def find(self, digest: bytes) -> Client | None:
        """As `recall`."""
        return self.recall(digest)

    def recall(self, digest: bytes) -> Client | None:
        """Goes through them all, whichever matches."""
        found = None
        for known, client in self._clients:
            if hmac.compare_digest(known, digest):
                found = client
        return found


class RememberedClients:
    """Remembers each client found for REMEMBERED_SECONDS, so that a request does not cost a look-up.

    A client that is removed, or whose scopes change, is therefore served as before for that long. Wrong keys are not
    remembered: whoever sends them pays for them, and cannot fill the memory.
    """

    def __init__(self, clients: Register, monotonic: Callable[[], float], seconds: float = REMEMBERED_SECONDS) -> None:
        self._clients = clients
        self._monotonic = monotonic
        self._seconds = seconds
        self._remembered: OrderedDict[bytes, tuple[float, Client]] = OrderedDict()

    async def find(self, digest: bytes) -> Client | None:
        """The client, as it was at most so many seconds ago."""
        if (remembered := self.recall(digest)) is not None:
            return remembered
        now = self._monotonic()
        client = await self._clients.find(digest)
        self._remembered.pop(digest, None)
        if client is not None:
            self._remembered[digest] = (now + self._seconds, client)
            if len(self._remembered) > _REMEMBERED_CLIENTS:
                self._remembered.popitem(last=False)
        return client

    def recall(self, digest: bytes) -> Client | None:
        """The client, if it was found at most so many seconds ago."""
        remembered = self._remembered.get(digest)
        return remembered[1] if remembered is not None and self._monotonic() < remembered[0] else None


def new_key(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A client key of 256 random bits, with a prefix by which a leaked one is recognised."""
    return _KEY_PREFIX + base64.urlsafe_b64encode(random(_KEY_BYTES)).rstrip(b"=").decode("ascii")


def digest_of(key: str) -> bytes:
    """What is stored of a key: its SHA-256."""
    return hashlib.sha256(key.encode()).digest()


async def identify(headers: Iterable[tuple[bytes, bytes]], clients: Clients) -> Client:
    """The client of a request, from its `Authorization: Bearer` header (RFC 6750). Raises UnauthenticatedError."""
    given = [value for name, value in headers if name == b"authorization"]
    if not given:
        raise UnauthenticatedError(given=False)
    digest = _digest_in(given[0]) if len(given) == 1 else None
    client = None if digest is None else await clients.find(digest)
    if client is None:
        raise UnauthenticatedError(given=True)
    return client


def remembered(authorization: bytes, clients: Clients) -> Client | None:
    """The client of such a header, if that can be said at once."""
    digest = _digest_in(authorization)
    return None if digest is None else clients.recall(digest)


def _digest_in(authorization: bytes) -> bytes | None:
    """The SHA-256 of the key in such a header, None where there is none."""
    credentials = _CREDENTIALS.fullmatch(authorization)
    return None if credentials is None else hashlib.sha256(credentials[1]).digest()
