"""Documents sealed and opened, whole and by ranges."""

from uuid import UUID

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from hypothesis import given
from hypothesis import strategies as st

from vault.envelope import HEADER, Context, Reader, Sealer
from vault.errors import SealBrokenError

KEY = bytes(range(32))
CONTEXT = Context(UUID(int=1), UUID(int=2), 3, "application/pdf")
CHUNK = 16 * 1024
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 1]


def content(size: int) -> bytes:
    """No two chunks alike."""
    return b"".join((number % 65_521).to_bytes(2, "big") for number in range(size // 2 + 1))[:size]


def sealed(plaintext: bytes, context: Context = CONTEXT) -> bytes:
    """The object, sealed in one go."""
    sealer = Sealer(KEY, context)
    return sealer.update(plaintext) + sealer.finish()


def opened(data: bytes, size: int, start: int, stop: int, *, context: Context = CONTEXT, piece: int = 10_000) -> bytes:
    """The range, from no more of the object than the reader asks for."""
    reader = Reader(KEY, context, data[:64], size, start, stop)
    wanted = data[reader.object_start : reader.object_stop]
    plaintext = b"".join(reader.update(wanted[at : at + piece]) for at in range(0, len(wanted), piece))
    reader.finish()
    return plaintext


@pytest.mark.parametrize("size", EDGES)
def test_a_document_is_a_header_and_what_cobblestone_makes_of_it(size: int) -> None:
    """Whoever has the library reads the object with it."""
    data = sealed(content(size))
    decryptor = Cobblestone256Decryptor(KEY, CONTEXT.encode())
    assert data[:8] == HEADER
    assert decryptor.update(data[8:]) + decryptor.finalize() == content(size)


@pytest.mark.parametrize("size", EDGES)
def test_what_cobblestone_sealed_opens(size: int) -> None:
    """Our reader and the library agree, at every edge of a chunk."""
    encryptor = Cobblestone256Encryptor(KEY, CONTEXT.encode())
    data = HEADER + encryptor.update(content(size)) + encryptor.finalize()
    assert opened(data, size, 0, size) == content(size)


@given(st.data())
def test_any_range_opens_from_any_cut(data: st.DataObject) -> None:
    """A range gives its bytes and no other, however the object arrives."""
    size = data.draw(st.one_of(st.sampled_from(EDGES[1:]), st.integers(1, 5 * CHUNK)))
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    encryptor = Cobblestone256Encryptor(KEY, CONTEXT.encode())
    whole = HEADER + encryptor.update(content(size)) + encryptor.finalize()
    assert opened(whole, size, start, stop, piece=data.draw(st.integers(1, 40_000))) == content(size)[start:stop]


def test_a_range_asks_only_for_the_chunks_that_hold_it() -> None:
    """Chunk n stands at 64 + n * 16400; a range to the end asks for all that follows."""
    head = sealed(content(4 * CHUNK))[:64]
    asked = [
        (reader.object_start, reader.object_stop)
        for start, stop in [(0, 1), (CHUNK - 1, CHUNK + 1), (3 * CHUNK, 4 * CHUNK - 1), (3 * CHUNK, 4 * CHUNK)]
        for reader in [Reader(KEY, CONTEXT, head, 4 * CHUNK, start, stop)]
    ]
    assert asked == [(64, 16_464), (64, 32_864), (49_264, 65_664), (49_264, None)]


def test_a_short_document_read_in_part_asks_for_its_one_chunk() -> None:
    """The last chunk is as long as it is."""
    reader = Reader(KEY, CONTEXT, sealed(b"0123456789")[:64], 10, 2, 5)
    assert (reader.object_start, reader.object_stop) == (64, 90)


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_the_digest_and_the_size_are_of_the_plaintext(step: int) -> None:
    """However it arrives, the head included."""
    sealer = Sealer(KEY, CONTEXT)
    pieces = [sealer.update(b"abc"[at : at + step]) for at in range(0, 3, step)]
    data = b"".join([*pieces, sealer.finish()])
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert (sealer.size, sealer.sha256.hex(), sealer.head) == (3, digest, data[:64])


@pytest.mark.parametrize("size", [0, 5, CHUNK])
def test_no_bit_of_an_object_can_be_flipped(size: int) -> None:
    """Whole reading verifies everything, the head in the object included."""
    data = sealed(content(size))
    step = 1 if size < CHUNK else 97
    for bit in range(0, 8 * len(data), step):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        reader = Reader(KEY, CONTEXT, data[:64], size, 0, size)
        with pytest.raises(SealBrokenError):
            _all(reader, bytes(flipped))


def test_no_length_but_its_own_opens() -> None:
    """Neither cut at any byte, nor longer, in a chunk or between two."""
    data = sealed(content(100))
    for wrong in [*(data[:length] for length in range(len(data))), data + b"\x00", data + data[64:]]:
        reader = Reader(KEY, CONTEXT, data[:64], 100, 0, 100)
        with pytest.raises(SealBrokenError):
            _all(reader, wrong)


@pytest.mark.parametrize("size", [3 * CHUNK, 3 * CHUNK + 5])
def test_a_range_to_the_end_proves_that_it_is_the_end(size: int) -> None:
    """Cut between two chunks and with the size to match, it does not open: its last chunk is not short."""
    data = sealed(content(size))
    for cut in (1, 2, 3):
        reader = Reader(KEY, CONTEXT, data[:64], cut * CHUNK, (cut - 1) * CHUNK, cut * CHUNK)
        with pytest.raises(SealBrokenError):
            _all(reader, data[reader.object_start : 64 + cut * (CHUNK + 16)])


def test_chunks_cannot_change_places() -> None:
    """Each is sealed with its number."""
    data = sealed(content(3 * CHUNK))
    size = CHUNK + 16
    swapped = data[:64] + data[64 + size : 64 + 2 * size] + data[64 : 64 + size] + data[64 + 2 * size :]
    with pytest.raises(SealBrokenError):
        opened(swapped, 3 * CHUNK, 0, 3 * CHUNK)


@pytest.mark.parametrize(
    "context",
    [
        Context(UUID(int=9), UUID(int=2), 3, "application/pdf"),
        Context(UUID(int=1), UUID(int=9), 3, "application/pdf"),
        Context(UUID(int=1), UUID(int=2), 4, "application/pdf"),
        Context(UUID(int=1), UUID(int=2), -3, "application/pdf"),
        Context(UUID(int=1), UUID(int=2), 3, "text/html"),
    ],
    ids=["dossier", "document", "version", "negative version", "content type"],
)
def test_an_object_opens_in_its_place_only(context: Context) -> None:
    """Another dossier, document, version or content type: refused before a byte of it is read."""
    data = sealed(b"content")
    with pytest.raises(SealBrokenError):
        Reader(KEY, context, data[:64], 7, 0, 7)


@pytest.mark.parametrize(
    "head", [b"", HEADER, b"\x89DMP\x02" + bytes(59), bytes(64), bytes(65)], ids=["none", "short", "v2", "zero", "long"]
)
def test_a_head_that_is_none_is_refused(head: bytes) -> None:
    """Nothing is read by a header that this version does not know."""
    with pytest.raises(SealBrokenError):
        Reader(KEY, CONTEXT, head, 0, 0, 0)


def test_a_size_that_no_object_has_is_refused() -> None:
    """The specification ends at 2^38 chunks."""
    with pytest.raises(SealBrokenError):
        Reader(KEY, CONTEXT, sealed(b"")[:64], 2**38 * CHUNK, 0, 1)


def test_plaintext_comes_chunk_by_chunk_and_only_verified() -> None:
    """What stands before a broken chunk has been verified; nothing of or after it leaves."""
    data = bytearray(sealed(content(3 * CHUNK)))
    data[64 + CHUNK + 16] ^= 1
    reader = Reader(KEY, CONTEXT, bytes(data[:64]), 3 * CHUNK, 0, 3 * CHUNK)
    assert reader.update(bytes(data[: 64 + CHUNK + 16])) == content(CHUNK)
    with pytest.raises(SealBrokenError):
        reader.update(bytes(data[64 + CHUNK + 16 :]))


def _all(reader: Reader, data: bytes) -> bytes:
    plaintext = reader.update(data)
    reader.finish()
    return plaintext
