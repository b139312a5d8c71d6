"""Published vectors of C2SP chunked encryption, 256-bit form (vectors/README.md)."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from vault.envelope import CHUNK_SIZE, HEADER, SEALED_CHUNK_SIZE, Context, Reader
from vault.errors import SealBrokenError

FILE = Path(__file__).parent / "vectors" / "c2sp_chunked_encryption_aes_256_gcm_test.json"
PREFIX = 56


class RawContext(Context):
    """A context that encodes to the vector's bytes."""

    __slots__ = ("_bytes",)

    def __init__(self, encoded: bytes) -> None:
        object.__setattr__(self, "_bytes", encoded)

    def encode(self) -> bytes:
        return bytes(self._bytes)  # type: ignore[attr-defined]  # a slot that a frozen class cannot declare


@dataclass(frozen=True)
class Vector:
    """One message."""

    number: int
    comment: str
    key: bytes
    context: bytes
    ciphertext: bytes
    valid: bool
    flags: frozenset[str]
    size: int
    sha512: str

    def __str__(self) -> str:
        return f"{self.number}: {self.comment}"

    def reader(self, size: int, start: int, stop: int) -> Reader:
        head = HEADER + self.ciphertext[:PREFIX]
        return Reader(self.key, RawContext(self.context), head, size, start, stop)

    def range(self, size: int, start: int, stop: int) -> bytes:
        """The range, from the chunks that hold it; `size` is what the row says."""
        reader = self.reader(size, start, stop)
        plaintext = reader.update((HEADER + self.ciphertext)[reader.object_start : reader.object_stop])
        reader.finish()
        return plaintext


def _vectors() -> list[Vector]:
    return [
        Vector(
            test["tcId"],
            test["comment"],
            bytes.fromhex(test["key"]),
            bytes.fromhex(test["ctx"]),
            zlib.decompress(bytes.fromhex(test["ct"])),
            test["result"] == "valid",
            frozenset(test["flags"]),
            test.get("msgLength", 0),
            test.get("msgSha512", ""),
        )
        for group in json.loads(FILE.read_text())["testGroups"]
        for test in group["tests"]
    ]


VECTORS = _vectors()
VALID = [vector for vector in VECTORS if vector.valid]
INVALID = [vector for vector in VECTORS if not vector.valid]
PARTLY_VALID = [vector for vector in INVALID if "PartialPlaintext" in vector.flags]


def test_the_file_is_whole() -> None:
    """35 vectors, 10 of them valid."""
    assert (len(VECTORS), len(VALID)) == (35, 10)


@pytest.mark.parametrize("vector", VALID, ids=str)
def test_a_valid_message_opens(vector: Vector) -> None:
    """Whole."""
    plaintext = vector.range(vector.size, 0, vector.size)
    assert (len(plaintext), hashlib.sha512(plaintext).hexdigest()) == (vector.size, vector.sha512)


@pytest.mark.parametrize("vector", [vector for vector in VALID if vector.size], ids=str)
def test_every_chunk_of_a_valid_message_opens_alone(vector: Vector) -> None:
    """Put together again, ranges are the message."""
    starts = range(0, vector.size, CHUNK_SIZE)
    pieces = [vector.range(vector.size, start, min(start + CHUNK_SIZE, vector.size)) for start in starts]
    assert hashlib.sha512(b"".join(pieces)).hexdigest() == vector.sha512


@pytest.mark.parametrize("vector", INVALID, ids=str)
def test_an_invalid_message_opens_under_no_size(vector: Vector) -> None:
    """Whatever the row says its size is: as long as the object lets it seem, one less, one more, as the vector says."""
    after = max(len(vector.ciphertext) - PREFIX, 0)
    seeming = after - 16 * -(-after // SEALED_CHUNK_SIZE)
    for size in {seeming - 1, seeming, seeming + 1, seeming // CHUNK_SIZE * CHUNK_SIZE, vector.size}:
        if size >= 0:
            with pytest.raises(SealBrokenError):
                vector.range(size, 0, size)


@pytest.mark.parametrize("vector", PARTLY_VALID, ids=str)
def test_of_an_invalid_message_no_more_than_its_valid_chunks_leaves(vector: Vector) -> None:
    """The vector says how far it is authentic."""
    reader = vector.reader(10 * CHUNK_SIZE, 0, 10 * CHUNK_SIZE)
    data = HEADER + vector.ciphertext
    plaintext = reader.update(data[: 64 + vector.size // CHUNK_SIZE * SEALED_CHUNK_SIZE])
    assert hashlib.sha512(plaintext).hexdigest() == vector.sha512
    with pytest.raises(SealBrokenError):
        _rest(reader, data[64 + vector.size // CHUNK_SIZE * SEALED_CHUNK_SIZE :])


def _rest(reader: Reader, data: bytes) -> None:
    reader.update(data)
    reader.finish()
