"""What every store of records does, the filesystem's and MinIO's alike."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vault.errors import NoObjectError, RecordChangedError, StoreUnavailableError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.locations import Store
from vault.records import RecordStore

NAME, MOST = "journal/checkpoint/00000000000000000042", 1000
TILES = [
    "journal/tile/0/000",
    "journal/tile/0/001",
    "journal/tile/0/001.p/13",
    "journal/tile/0/001.p/9",
    "journal/tile/0/x001/067",
    "journal/tile/1/000",
]


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FilesystemBlobStore]:
    """A store in files."""
    opened = FilesystemBlobStore(tmp_path)
    await opened.prepare()
    yield opened
    await opened.close()


async def names(store: RecordStore, below: str = "journal/", after: str = "") -> list[str]:
    """Of the records, as they are listed."""
    return [name async for name in store.record_names(below, after)]


async def test_what_was_kept_is_read(store: Store) -> None:
    """As far as asked for."""
    await store.keep(NAME, b"first")
    assert await store.read_record(NAME, MOST) == b"first"
    assert await store.read_record(NAME, 3) == b"fir"


async def test_a_record_may_be_kept_again_and_never_changed(store: Store) -> None:
    """The same bytes are no news, others are refused, longer and shorter ones too."""
    await store.keep(NAME, b"first")
    await store.keep(NAME, b"first")
    for other in (b"other", b"firs", b"first and more", b""):
        with pytest.raises(RecordChangedError):
            await store.keep(NAME, other)
    assert await store.read_record(NAME, MOST) == b"first"


async def test_of_many_who_keep_at_once_one_is_believed(store: Store) -> None:
    """And those who bring the same bytes are content."""
    kept = await asyncio.gather(
        *(store.keep(NAME, b"even" if number % 2 == 0 else b"odd") for number in range(8)), return_exceptions=True
    )
    first = await store.read_record(NAME, MOST)
    refused = [number for number, fate in enumerate(kept) if isinstance(fate, RecordChangedError)]
    assert refused == [number for number in range(8) if (number % 2 == 0) != (first == b"even")]
    assert {type(fate) for fate in kept} == {type(None), RecordChangedError}


@pytest.mark.parametrize(
    "below, after, expected",
    [
        ("journal/", "", TILES),
        ("journal/tile/0/", "", TILES[:5]),
        ("journal/tile/0/001.p/", "", TILES[2:4]),
        ("journal/", "journal/tile/0/001", TILES[2:]),
        ("journal/tile/", "journal/tile/0/001.p/13", TILES[3:]),
        ("journal/tile/", "journal/tile/0/002", TILES[4:]),
        ("journal/tile/", "journal/tile/1/000", []),
        ("journal/none/", "", []),
    ],
)
async def test_records_are_listed_in_order(store: Store, below: str, after: str, expected: list[str]) -> None:
    """Of a folder and those below it, from any place on."""
    for name in reversed(TILES):
        await store.keep(name, b"tile")
    assert await names(store, below, after) == expected


@pytest.mark.parametrize(
    "name",
    [NAME, "journal/tile", "journal/../documents/x", "documents/" + "0" * 32, "journal/", "journal/a/", "journal/A"],
)
async def test_a_record_that_is_not_there_is_not_read(store: Store, name: str) -> None:
    """Nor is a name that no record can have, whatever it leads to, nor a folder's."""
    await store.keep(TILES[0], b"tile")
    with pytest.raises(NoObjectError):
        await store.read_record(name, MOST)


async def test_a_name_that_no_record_can_have_is_not_kept(store: Store) -> None:
    """Nothing is written."""
    with pytest.raises(NoObjectError):
        await store.keep("documents/" + "0" * 32, b"record")
    with pytest.raises(ValueError, match="slash"):
        await names(store, "documents/")


async def test_records_are_no_documents(store: Store) -> None:
    """They are not listed, so reconciling does not take them for orphans."""
    await store.keep(NAME, b"record")
    assert [each async for each in store.names()] == []


async def test_a_record_in_a_file_is_for_reading(folder: FilesystemBlobStore, tmp_path: Path) -> None:
    """By its owner, in folders of his own; nothing else stays."""
    await folder.keep(NAME, b"first")
    file = tmp_path / NAME
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent, file.parent.parent)]
    assert modes == [0o400, 0o700, 0o700]
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_record_and_its_names_are_on_disk_before_it_counts(
    folder: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file, the names of new folders, then the file's; whoever finds it there makes sure of its name himself."""
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append("the file" if path.parent.name == "incoming" else str(path.relative_to(tmp_path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    await folder.keep(NAME, b"first")
    assert synced == ["the file", ".", "journal", "journal/checkpoint"]
    synced.clear()
    await folder.keep(NAME, b"first")
    assert synced == ["the file", "journal/checkpoint"]


async def test_a_record_that_its_writer_left_unfinished_goes_as_an_orphan(
    folder: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has an object's name, and is no record."""

    def died(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vault.filesystem_records.make_folder", died)
    monkeypatch.setattr(Path, "unlink", died)
    with pytest.raises(StoreUnavailableError):
        await folder.keep(NAME, b"first")
    monkeypatch.undo()
    left = [each.name async for each in folder.names()]
    assert (len(left), await names(folder)) == (1, [])
    await folder.delete(left[0])
    assert [each async for each in folder.names()] == []
