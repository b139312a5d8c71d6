"""What every object store does, the filesystem's and MinIO's alike."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from tests.doubles.blobs import MemoryBlobStore, OverwritingBlobStore, RangelessBlobStore
from vault.blobs import BlobStore, blocks, hold_suitable
from vault.errors import NoObjectError, ObjectExistsError, StoreUnsuitableError

NAME, OTHER = "0" * 31 + "1", "f" * 32
LARGE = 17 * 1024 * 1024 + 1


async def data(*pieces: bytes) -> AsyncIterator[bytes]:
    """A stream of these pieces."""
    for piece in pieces:
        yield piece


def large() -> AsyncIterator[bytes]:
    """More than two parts of a multipart upload."""
    return data(*(bytes([number]) * 1_000_003 for number in range(17)), b"x" * (LARGE - 17 * 1_000_003))


async def broken(size: int) -> AsyncIterator[bytes]:
    """So many bytes, then an error."""
    for _ in range(size // 1_000_000 + 1):
        yield bytes(min(size, 1_000_000))
    raise ConnectionResetError


async def read(store: BlobStore, name: str, start: int = 0, stop: int | None = None) -> bytes:
    """The range."""
    return b"".join([piece async for piece in store.get(name, start, stop)])


@pytest.mark.parametrize("size", [1, 1000, 1024 * 1024, 8 * 1024 * 1024, LARGE])
async def test_what_was_put_is_got(store: BlobStore, size: int) -> None:
    """Whatever its size, in one request or in parts."""
    content = bytes(range(256)) * (size // 256 + 1)
    await store.put(NAME, data(content[: size // 3], content[size // 3 : size], b""))
    assert await read(store, NAME) == content[:size]


@pytest.mark.parametrize(
    "start, stop, expected",
    [
        (0, 3, b"012"),
        (3, 7, b"3456"),
        (7, None, b"789"),
        (8, 100, b"89"),
        (3, 3, b""),
        (10, None, b""),
        (10, 12, b""),
        (100, 200, b""),
    ],
)
async def test_a_range_is_got_as_far_as_the_object_goes(
    store: BlobStore, start: int, stop: int | None, expected: bytes
) -> None:
    """Beyond its end there is nothing, which is no error here."""
    await store.put(NAME, data(b"0123456789"))
    assert await read(store, NAME, start, stop) == expected


@pytest.mark.parametrize("name", [NAME, "../keyring.json", "", "F" * 32, "0" * 33])
async def test_an_object_that_is_not_there_is_not_got(store: BlobStore, name: str) -> None:
    """Nor is a name that no object can have, whatever it leads to."""
    with pytest.raises(NoObjectError):
        await read(store, name)
    with pytest.raises(NoObjectError):
        await read(store, name, 5, 7)


@pytest.mark.parametrize("second", ["small", "large"])
@pytest.mark.parametrize("first", ["small", "large"])
async def test_an_object_is_never_overwritten(store: BlobStore, first: str, second: str) -> None:
    """The second creation is refused, and the first object stays as it is."""
    await store.put(NAME, data(b"first") if first == "small" else data(b"first" * 2_000_000))
    before = await read(store, NAME)
    with pytest.raises(ObjectExistsError):
        await store.put(NAME, data(b"second") if second == "small" else large())
    assert await read(store, NAME) == before


@pytest.mark.parametrize("size", [0, 1000, LARGE])
async def test_an_interrupted_stream_leaves_no_object(store: BlobStore, size: int) -> None:
    """Its error comes through, and the name stays free."""
    with pytest.raises(ConnectionResetError):
        await store.put(NAME, broken(size))
    with pytest.raises(NoObjectError):
        await read(store, NAME)
    assert [each async for each in store.names()] == []
    await store.put(NAME, data(b"again"))
    assert await read(store, NAME) == b"again"


async def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: BlobStore) -> None:
    """Deleting is finished when there is none."""
    await store.put(NAME, data(b"content"))
    await store.delete(NAME)
    await store.delete(NAME)
    with pytest.raises(NoObjectError):
        await read(store, NAME)


async def test_objects_are_listed_by_name_with_their_age(store: BlobStore) -> None:
    """In order."""
    before = datetime.now(UTC) - timedelta(seconds=5)
    for name in (OTHER, NAME, "5" * 32, "55" + "0" * 30):
        await store.put(name, data(b"content"))
    listed = [each async for each in store.names()]
    assert [each.name for each in listed] == [NAME, "55" + "0" * 30, "5" * 32, OTHER]
    assert all(before < each.modified_at < before + timedelta(minutes=5) for each in listed)


async def test_a_reading_may_be_left(store: BlobStore) -> None:
    """As often as there are connections and more."""
    await store.put(NAME, large())
    for _ in range(40):
        async with aclosing(store.get(NAME)) as pieces:
            assert (await anext(pieces))[:2] == b"\x00\x00"


async def test_a_store_may_be_prepared_twice_and_answers(store: BlobStore) -> None:
    """And what it tried on is gone."""
    await store.prepare()
    await store.probe()
    assert [each async for each in store.names()] == []


@pytest.mark.parametrize("wrong, missing", [(OverwritingBlobStore, "overwrites"), (RangelessBlobStore, "ranges")])
async def test_a_store_that_lacks_something_is_refused(wrong: type[MemoryBlobStore], missing: str) -> None:
    """With what it lacks; nothing is left in it."""
    store = wrong()
    with pytest.raises(StoreUnsuitableError, match=missing):
        await hold_suitable(store, NAME)
    assert store.objects == {}


@pytest.mark.parametrize(
    "pieces, expected",
    [
        ([], []),
        ([b""], []),
        ([b"ab", b"c", b"d"], [b"abc", b"d"]),
        ([b"abcdefg"], [b"abc", b"def", b"g"]),
        ([b"abc"], [b"abc"]),
    ],
)
async def test_blocks_have_one_size_but_the_last(pieces: list[bytes], expected: list[bytes]) -> None:
    """However the bytes come."""
    assert [block async for block in blocks(data(*pieces), 3)] == expected
