"""What the container of a document costs beside the bare cipher."""

import hashlib
from collections.abc import Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.benchmarks.frame import Work, benchmark
from vault.envelope import CHUNK_SIZE, Context, Reader, Sealer
from vault.sealing import KEY_SIZE, NONCE_SIZE

KEY = bytes(range(KEY_SIZE))
DOCUMENT = bytes(4 * 1024 * 1024)
CONTEXT = Context(UUID(int=1), UUID(int=2), 1, "application/pdf")


@benchmark("seal a document of 4 MiB", subject="vault.envelope.Sealer", reference="AES-256-GCM by chunk, and SHA-256")
def sealing() -> Iterator[tuple[Work, Work]]:
    """The digest is on both sides: whoever deposits is told it."""
    yield _sealed, lambda: (hashlib.sha256(DOCUMENT).digest(), b"".join(_sealed_barely()))


@benchmark("open a document of 4 MiB", subject="vault.envelope.Reader", reference="AES-256-GCM by chunk")
def opening() -> Iterator[tuple[Work, Work]]:
    """Whole, as documents of that size are verified before their first byte leaves."""
    head, sealed = _sealed()
    chunks = _sealed_barely()

    def opened() -> bytes:
        reader = Reader(KEY, CONTEXT, head, len(DOCUMENT), 0, len(DOCUMENT))
        plaintext = reader.update(sealed)
        reader.finish()
        return plaintext

    def opened_barely() -> bytes:
        cipher = AESGCM(KEY)
        return b"".join(cipher.decrypt(_nonce(number), chunk, None) for number, chunk in enumerate(chunks))

    yield opened, opened_barely


def _sealed() -> tuple[bytes, bytes]:
    sealer = Sealer(KEY, CONTEXT)
    content = sealer.update(DOCUMENT) + sealer.finish()
    return sealer.head, content


def _sealed_barely() -> list[bytes]:
    cipher = AESGCM(KEY)
    starts = range(0, len(DOCUMENT), CHUNK_SIZE)
    return [
        cipher.encrypt(_nonce(number), DOCUMENT[start : start + CHUNK_SIZE], None)
        for number, start in enumerate(starts)
    ]


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_SIZE, "big")
