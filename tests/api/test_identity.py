"""Client keys: who calls, and what that opens."""

import hashlib

import pytest

from api.errors import ForbiddenError, ScopeRequiredError, UnauthenticatedError
from api.identity import (
    REMEMBERED_SECONDS,
    Client,
    KnownClients,
    RememberedClients,
    digest_of,
    identify,
    new_key,
)
from models.vocabulary import Scope, SubjectType

_CLIENT = Client("portal", frozenset({Scope.DECIDE}))
_KEY = "dmp_key"
_CLIENTS = KnownClients([(digest_of("dmp_other"), Client("other", frozenset())), (digest_of(_KEY), _CLIENT)])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Register:
    """Clients that can be added and removed; counts the look-ups."""

    def __init__(self) -> None:
        self.clients: dict[bytes, Client] = {}
        self.asked = 0

    async def find(self, digest: bytes) -> Client | None:
        self.asked += 1
        return self.clients.get(digest)


def test_a_key_has_256_bits_and_a_prefix() -> None:
    """A new key is the prefix and 32 random bytes in base64url; what is stored of it is its SHA-256."""
    key = new_key(lambda size: bytes(range(size)))
    assert key == "dmp_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert digest_of(key) == hashlib.sha256(key.encode()).digest()


def test_keys_differ() -> None:
    """No two keys are the same."""
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.parametrize("header", [b"Bearer dmp_key", b"bearer dmp_key", b"BEARER   dmp_key", b"Bearer dmp_key "])
async def test_a_key_is_recognised(header: bytes) -> None:
    """The scheme counts in any case (RFC 9110, 11.1)."""
    assert await identify([(b"accept", b"*/*"), (b"authorization", header)], _CLIENTS) is _CLIENT


async def test_no_key_is_no_client() -> None:
    """Without the header, nobody calls."""
    with pytest.raises(UnauthenticatedError) as refused:
        await identify([(b"accept", b"*/*")], _CLIENTS)
    assert not refused.value.given


@pytest.mark.parametrize(
    "headers",
    [
        [b"Bearer dmp_kez"],
        [b"Bearer dmp_key2"],
        [b"Bearer dmp_ke"],
        [b"Bearer DMP_KEY"],
        [b"Bearer"],
        [b"Bearer "],
        [b""],
        [b"dmp_key"],
        [b"Basic dmp_key"],
        [b"Bearer dmp_key, Bearer dmp_key"],
        [b"Bearer dmp key"],
        [b"Bearer \xff"],
        [b"Bearer " + b"a" * 10_000],
        [b"Bearer dmp_key", b"Bearer dmp_key"],
    ],
)
async def test_a_wrong_key_is_no_client(headers: list[bytes]) -> None:
    """Another key, no key, another scheme or two keys: nobody calls, and something was given."""
    with pytest.raises(UnauthenticatedError) as refused:
        await identify([(b"authorization", value) for value in headers], _CLIENTS)
    assert refused.value.given


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.DECIDE])
def test_a_scope_that_a_client_lacks_is_named(scope: Scope) -> None:
    """What is required and missing is said; what is there passes."""
    _CLIENT.require(Scope.DECIDE)
    with pytest.raises(ScopeRequiredError) as refused:
        _CLIENT.require(scope)
    assert refused.value.scope is scope


def test_a_client_speaks_for_every_kind_of_subject_by_default() -> None:
    """Nothing said, it speaks for all; something said, for these only; of other words the rules judge."""
    narrow = Client("narrow", frozenset(), frozenset({SubjectType.STAFF}))
    for kind in SubjectType:
        _CLIENT.require_speaking_for(kind.value)
        if kind is not SubjectType.STAFF:
            with pytest.raises(ForbiddenError):
                narrow.require_speaking_for(kind.value)
    narrow.require_speaking_for("staff")
    narrow.require_speaking_for("robot")


async def test_a_client_is_looked_up_once_in_a_while() -> None:
    """For some seconds a client is remembered, and no longer: then a removal counts."""
    clock, register = Clock(), Register()
    clients = RememberedClients(register, clock)
    register.clients[b"digest"] = _CLIENT
    assert [await clients.find(b"digest") for _ in range(3)] == [_CLIENT] * 3
    register.clients.clear()
    clock.now += REMEMBERED_SECONDS - 0.001
    assert (await clients.find(b"digest"), register.asked) == (_CLIENT, 1)
    clock.now += 0.001
    assert (await clients.find(b"digest"), register.asked) == (None, 2)


async def test_a_wrong_key_is_not_remembered() -> None:
    """A key counts as soon as its client is added, however often it was tried before."""
    clock, register = Clock(), Register()
    clients = RememberedClients(register, clock)
    assert await clients.find(b"digest") is None
    register.clients[b"digest"] = _CLIENT
    assert await clients.find(b"digest") is _CLIENT


async def test_what_is_remembered_is_bounded() -> None:
    """Of more clients than a thousand or so, the oldest is looked up again."""
    clock, register = Clock(), Register()
    clients = RememberedClients(register, clock)
    digests = [number.to_bytes(4) for number in range(1025)]
    register.clients = dict.fromkeys(digests, _CLIENT)
    for digest in digests:
        await clients.find(digest)
    await clients.find(digests[-1])
    assert register.asked == 1025
    await clients.find(digests[0])
    assert register.asked == 1026
