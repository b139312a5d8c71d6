"""What it costs to bring a dossier's key under another key of its shard."""

from collections.abc import Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.benchmarks.frame import Work, benchmark
from vault.keys import Name, Tree, WrappedKey, dossier_key_name, shard_key_id
from vault.keys.keyset import WrappingKey
from vault.sealing import KEY_SIZE, NONCE_SIZE

KEYS = 2_000
NONCES = [number.to_bytes(NONCE_SIZE, "big") for number in range(KEYS)]
BEFORE, AFTER = (
    WrappingKey(shard_key_id(Tree.DOSSIER, 1, version), version, bytes([version] * KEY_SIZE)) for version in (1, 2)
)


@benchmark(
    "wrap a dossier's key anew",
    subject="vault.keys.keyset.WrappingKey",
    reference="AES-256-GCM, decrypt and encrypt",
    pieces=(KEYS, KEYS),
)
def rewrapping() -> Iterator[tuple[Work, Work]]:
    """The reference has the same sizes and associated data made beforehand."""
    names = [dossier_key_name(UUID(int=1 << 116 | number), 1) for number in range(KEYS)]
    wrapped = [BEFORE.wrap(name, bytes(KEY_SIZE), nonce) for name, nonce in zip(names, NONCES, strict=True)]

    yield lambda: _rewrapped(names, wrapped), _barely(len(b"".join(names[0].facts(BEFORE.key_id))) + 29)


def _rewrapped(names: list[Name], wrapped: list[WrappedKey]) -> list[WrappedKey]:
    return [BEFORE.rewrap(name, each, AFTER, nonce) for name, each, nonce in zip(names, wrapped, NONCES, strict=True)]


def _barely(associated: int) -> Work:
    facts, (before, after) = bytes(associated), (AESGCM(bytes([version] * KEY_SIZE)) for version in (1, 2))
    sealed = [before.encrypt(nonce, bytes(KEY_SIZE), facts) for nonce in NONCES]
    return lambda: [
        after.encrypt(nonce, before.decrypt(nonce, each, facts), facts)
        for nonce, each in zip(NONCES, sealed, strict=True)
    ]
