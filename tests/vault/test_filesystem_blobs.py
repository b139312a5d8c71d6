"""What is particular to objects in files."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vault.errors import ObjectExistsError, StoreUnavailableError
from vault.filesystem_blobs import FilesystemBlobStore

NAME = "ab" + "0" * 30


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FilesystemBlobStore]:
    """Ready, without the folder in which it tried what it relies on: that may be the one of NAME."""
    opened = FilesystemBlobStore(tmp_path / "blobs")
    await opened.prepare()
    for folder in (tmp_path / "blobs" / "documents").iterdir():
        folder.rmdir()
    yield opened
    await opened.close()


async def data(*pieces: bytes) -> AsyncIterator[bytes]:
    """A stream of these pieces."""
    for piece in pieces:
        yield piece


async def test_an_object_is_one_file_for_its_owner(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """In a folder named by its first two digits."""
    await store.put(NAME, data(b"content"))
    path = tmp_path / "blobs" / "documents" / "ab" / NAME
    assert _state(path) == (b"content", 0o600, 0o700)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


async def test_an_object_and_its_names_are_on_disk_before_it_counts(
    store: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, the new folder's name, then the file's name."""
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    await store.put(NAME, data(b"content"))
    assert synced == [NAME, "documents", "ab"]


async def test_an_object_being_written_has_its_name_taken(store: FilesystemBlobStore) -> None:
    """It is listed, so that it can be found if its writer dies, and deleted."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        began.set()
        await go_on.wait()
        yield b"first"

    writing = asyncio.create_task(store.put(NAME, slow()))
    await began.wait()
    assert [each.name async for each in store.names()] == [NAME]
    with pytest.raises(ObjectExistsError):
        await store.put(NAME, data(b"second"))
    go_on.set()
    await writing
    assert [piece async for piece in store.get(NAME)] == [b"first"]


async def test_what_a_dead_writer_left_is_deleted_by_its_name(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """Whether or not it got its final name too."""
    (tmp_path / "blobs" / "incoming" / NAME).write_bytes(b"half")
    await store.delete(NAME)
    assert [each.name async for each in store.names()] == []


async def test_a_name_taken_while_writing_is_not_overwritten(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """The last step creates too."""
    path = tmp_path / "blobs" / "documents" / "ab" / NAME

    async def meanwhile() -> AsyncIterator[bytes]:
        path.parent.mkdir()
        path.write_bytes(b"first")
        yield b"second"

    with pytest.raises(ObjectExistsError):
        await store.put(NAME, meanwhile())
    assert _state(path)[0] == b"first"


def test_a_store_shows_its_folder(tmp_path: Path) -> None:
    """When printed."""
    assert repr(FilesystemBlobStore(tmp_path)) == f"FilesystemBlobStore('{tmp_path}')"


async def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """For probing, writing and listing, with one sentence that names no object."""
    store = FilesystemBlobStore(tmp_path / "none")
    with pytest.raises(StoreUnavailableError, match="missing"):
        await store.probe()
    with pytest.raises(StoreUnavailableError, match=r"No such file or directory$"):
        await store.put(NAME, data(b"content"))
    with pytest.raises(StoreUnavailableError):
        [each async for each in store.names()]


async def test_an_object_deleted_while_listing_is_left_out(
    store: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the others are not."""
    for name in (NAME, "ab" + "1" * 30):
        await store.put(name, data(b"content"))
    stat = Path.stat

    def raced(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == NAME:
            path.unlink()
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", raced)
    assert [each.name async for each in store.names()] == ["ab" + "1" * 30]


def _state(path: Path) -> tuple[bytes, int, int]:
    return path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777
