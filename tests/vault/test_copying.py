"""A second store gets what the first one has, and nothing there is changed."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.blobs import MemoryBlobStore
from tests.doubles.records import MemoryRecords
from vault.blobs import StoredObject
from vault.copying import Copied, copy_objects, copy_records
from vault.errors import RecordChangedError, StoreUnavailableError
from vault.locations import Store, store_from_url

NAMES = [f"{number:032x}" for number in range(5)]


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """A stream of one piece."""
    yield data


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Store]:
    """A folder as the second store."""
    opened = store_from_url(f"file://{tmp_path / 'copy'}")
    await opened.prepare()
    yield opened
    await opened.close()


async def test_a_copy_has_the_same_objects_and_records(store: Store, target: Store) -> None:
    """From either kind of store; what is there already is passed over."""
    for name in NAMES:
        await store.put(name, pieces(name.encode() * 1000))
    await store.keep("journal/tile/0/000", b"a tile")
    await target.put(NAMES[2], pieces(b"another, which stays as it is"))
    assert await copy_objects(store, target) == Copied(objects=4)
    assert await copy_records(store, target) == 1
    assert await copy_objects(store, target) == Copied()
    for name in (*NAMES[:2], *NAMES[3:]):
        assert b"".join([piece async for piece in target.get(name)]) == name.encode() * 1000
    assert b"".join([piece async for piece in target.get(NAMES[2])]) == b"another, which stays as it is"
    assert await target.read_record("journal/tile/0/000", 100) == b"a tile"


async def test_what_the_target_alone_has_is_counted() -> None:
    """Before, between and after what both have."""
    source, target = MemoryBlobStore(), MemoryBlobStore()
    source.objects = dict.fromkeys((NAMES[1], NAMES[3]), b"sealed")
    target.objects = dict.fromkeys((NAMES[0], NAMES[2], NAMES[4]), b"older")
    assert await copy_objects(source, target) == Copied(objects=2, only_there=3)


class Going(MemoryBlobStore):
    """A store that lists an object which is erased before it is read, and one that is there under a name only."""

    async def names(self) -> AsyncGenerator[StoredObject]:
        async for each in super().names():
            if each.name == NAMES[0]:
                del self.objects[NAMES[0]]
            yield each


async def test_what_goes_meanwhile_is_not_copied() -> None:
    """The rest is."""
    source, target = Going(), MemoryBlobStore()
    source.objects = dict.fromkeys(NAMES[:2], b"sealed")
    assert await copy_objects(source, target) == Copied(objects=1)
    assert target.objects == {NAMES[1]: b"sealed"}


async def test_a_checkpoint_is_copied_after_its_tiles() -> None:
    """So a copy that is interrupted proves every checkpoint that it has."""
    source, target = MemoryRecords(), MemoryRecords()
    names = ["journal/checkpoint/00000000000000000001", "journal/tile/0/000.p/1"]
    source.records = dict.fromkeys(names, b"1")
    target.answers = 1
    with pytest.raises(StoreUnavailableError):
        await copy_records(source, target)
    assert list(target.records) == names[1:]
    target.answers = 9
    assert await copy_records(source, target) == 2
    assert target.records == source.records


async def test_another_journal_is_not_mixed_with_this_one() -> None:
    """A backup of another log is told from this one's."""
    source, target = MemoryRecords(), MemoryRecords()
    source.records, target.records = {"journal/tile/0/000": b"1"}, {"journal/tile/0/000": b"2"}
    with pytest.raises(RecordChangedError):
        await copy_records(source, target)
