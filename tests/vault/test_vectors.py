"""Published vectors of C2SP chunked encryption, 256-bit form (vectors/README.md)."""

import hashlib
import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
        return Reader(self.key, RawContext(self.context), self.sealed[: len(HEADER) + PREFIX], size, start, stop)

    @cached_property
    def sealed(self) -> bytes:
        """As the object store would keep it."""
        return HEADER + self.ciphertext

    @property
    def seeming(self) -> int:
        """How many bytes the plaintext has, by the length of what is sealed."""
        after = max(len(self.ciphertext) - PREFIX, 0)
        return max(after - 16 * -(-after // SEALED_CHUNK_SIZE), 0)

    def range(self, size: int, start: int, stop: int) -> bytes:
        """The range, from the chunks that hold it; `size` is what the row says."""
        reader = self.reader(size, start, stop)
        plaintext = reader.update(self.sealed[reader.object_start : reader.object_stop])
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


def _edges(size: int) -> list[int]:
    """Where chunks begin, and a byte beside."""
    return sorted(
        {
            edge + beside
            for edge in (*range(0, size, CHUNK_SIZE), size)
            for beside in (-1, 0, 1)
            if 0 <= edge + beside <= size
        }
    )


def _ranges(size: int) -> Iterator[tuple[int, int]]:
    """From every edge to every edge of the next two chunks, from the beginning and to the end; and a few drawn."""
    edges, drawn = _edges(size), random.Random(size)
    yield 0, size
    for start in edges:
        yield from ((start, stop) for stop in edges if start < stop <= start + 2 * CHUNK_SIZE + 1)
    for near in [edge for edge in edges if not 3 * CHUNK_SIZE < edge < size - 3 * CHUNK_SIZE]:
        yield from ((start, stop) for start, stop in ((0, near), (near, size)) if start < stop)
    for _ in range(20 if size > 1 else 0):
        start, stop = sorted(drawn.sample(range(size + 1), 2))
        yield start, stop


def test_the_file_is_whole() -> None:
    """35 vectors, 10 of them valid, of which so many ranges are read."""
    assert (len(VECTORS), len(VALID)) == (35, 10)
    assert [sum(1 for _ in _ranges(vector.size)) for vector in VALID] == [1, 33, 39, 54, 63, 33, 5167, 5187, 33, 33]


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


@pytest.mark.parametrize("vector", VALID, ids=str)
def test_every_range_of_a_valid_message_opens(vector: Vector) -> None:
    """From and to every chunk's edge, a byte before it and a byte behind: each from no more chunks than hold it."""
    whole = vector.range(vector.size, 0, vector.size)
    for start, stop in _ranges(vector.size):
        assert vector.range(vector.size, start, stop) == whole[start:stop], (start, stop)


@pytest.mark.parametrize("vector", INVALID, ids=str)
def test_no_range_to_the_end_of_an_invalid_message_opens(vector: Vector) -> None:
    """But for the last chunk alone, where the vector says that this one is authentic."""
    size = vector.seeming
    opened = []
    for start in range(0, size + 1, CHUNK_SIZE):
        for near in {start, max(start - 1, 0), min(start + 1, size)}:
            try:
                vector.range(size, near, size)
            except SealBrokenError:
                continue
            opened.append(near)
    last = size // CHUNK_SIZE * CHUNK_SIZE
    assert {near >= last for near in opened} == ({True} if "ValidFinalChunk" in vector.flags else set())


@pytest.mark.parametrize("vector", PARTLY_VALID, ids=str)
def test_ranges_of_an_invalid_message_open_as_far_as_it_is_valid(vector: Vector) -> None:
    """Put together again they are what the vector says, and the next byte does not open."""
    starts = range(0, vector.size, CHUNK_SIZE)
    pieces = [vector.range(10 * CHUNK_SIZE, start, start + CHUNK_SIZE) for start in starts]
    assert hashlib.sha512(b"".join(pieces)).hexdigest() == vector.sha512
    with pytest.raises(SealBrokenError):
        vector.range(10 * CHUNK_SIZE, vector.size, vector.size + 1)


@pytest.mark.parametrize("vector", INVALID, ids=str)
def test_an_invalid_message_opens_under_no_size(vector: Vector) -> None:
    """Whatever the row says its size is: as long as the object lets it seem, one less, one more, as the vector says."""
    seeming = vector.seeming
    for size in {seeming - 1, seeming, seeming + 1, seeming // CHUNK_SIZE * CHUNK_SIZE, vector.size}:
        if size >= 0:
            with pytest.raises(SealBrokenError):
                vector.range(size, 0, size)


@pytest.mark.parametrize("vector", PARTLY_VALID, ids=str)
def test_of_an_invalid_message_no_more_than_its_valid_chunks_leaves(vector: Vector) -> None:
    """The vector says how far it is authentic."""
    reader = vector.reader(10 * CHUNK_SIZE, 0, 10 * CHUNK_SIZE)
    data = vector.sealed
    plaintext = reader.update(data[: 64 + vector.size // CHUNK_SIZE * SEALED_CHUNK_SIZE])
    assert hashlib.sha512(plaintext).hexdigest() == vector.sha512
    with pytest.raises(SealBrokenError):
        _rest(reader, data[64 + vector.size // CHUNK_SIZE * SEALED_CHUNK_SIZE :])
    for again in (lambda: reader.update(b""), lambda: reader.update(data), reader.finish):
        with pytest.raises(SealBrokenError):
            again()


def _rest(reader: Reader, data: bytes) -> None:
    """All at once, though the last chunk may be valid: whoever failed once goes on failing."""
    reader.update(data)
    reader.finish()
