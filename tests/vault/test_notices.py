"""What every notice board does, the filesystem's and MinIO's alike."""

import asyncio
import stat
from pathlib import Path
from typing import NoReturn

import pytest
from minio import Minio
from minio.error import ServerError

from tests.doubles.notices import HeedlessNoticeBoard, MemoryNoticeBoard, TalkativeNoticeBoard
from tests.doubles.s3 import Answer, refusal, s3
from vault.errors import NoObjectError, NoticeChangedError, StoreUnavailableError, StoreUnsuitableError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.locations import Store
from vault.minio_blobs import Bucket, Limits, MinioBlobStore
from vault.notices import Notice, NoticeBoard, hold_replaceable

NAME, MOST = "policy/bundle", 1000


async def read(board: NoticeBoard, known: str | None = None) -> Notice | None:
    return await board.read_notice(NAME, MOST, known)


async def test_what_was_posted_is_read(store: Store) -> None:
    """With the tag that posting gave; whoever has it gets nothing."""
    tag = await store.post_notice(NAME, b"first", None)
    assert await read(store) == Notice(tag, b"first")
    assert await read(store, "another") == Notice(tag, b"first")
    assert await read(store, tag) is None


async def test_a_notice_is_replaced_by_who_knows_it(store: Store) -> None:
    """Under another tag, and nobody who knows the old one is told that it is unchanged."""
    first = await store.post_notice(NAME, b"first", None)
    second = await store.post_notice(NAME, b"second", first)
    assert first != second
    assert await read(store, first) == Notice(second, b"second")


@pytest.mark.parametrize("known", [None, "0" * 32])
async def test_a_notice_is_not_replaced_by_who_does_not_know_it(store: Store, known: str | None) -> None:
    """Nor created where it was to be replaced."""
    if known is not None:
        with pytest.raises(NoticeChangedError):
            await store.post_notice(NAME, b"first", known)
    tag = await store.post_notice(NAME, b"first", None)
    with pytest.raises(NoticeChangedError):
        await store.post_notice(NAME, b"second", known)
    assert await read(store) == Notice(tag, b"first")


async def test_of_two_who_publish_at_once_one_is_told(store: Store) -> None:
    """And what the other one posted stands."""
    before = await store.post_notice(NAME, b"before", None)
    posted = await asyncio.gather(
        *(store.post_notice(NAME, f"by {number}".encode(), before) for number in range(8)), return_exceptions=True
    )
    tags = [each for each in posted if isinstance(each, str)]
    assert [type(each) for each in posted if not isinstance(each, str)] == [NoticeChangedError] * 7
    notice = await read(store)
    assert notice is not None
    assert [notice.tag] == tags


async def test_no_more_is_read_than_asked_for(store: Store) -> None:
    """However large the notice is; its tag is that of the whole."""
    tag = await store.post_notice(NAME, bytes(5_000_000), None)
    assert await read(store) == Notice(tag, bytes(MOST))
    assert await read(store, tag) is None


@pytest.mark.parametrize("name", [NAME, "policy/../documents", "documents/" + "0" * 32, "policy/", "bundle"])
async def test_a_notice_that_is_not_there_is_not_read(store: Store, name: str) -> None:
    """Nor is a name that no notice can have, whatever it leads to."""
    with pytest.raises(NoObjectError):
        await store.read_notice(name, MOST)


async def test_a_removed_notice_is_gone_and_may_be_removed_again(store: Store) -> None:
    """Then there is room for a first one."""
    await store.remove_notice(NAME)
    await store.post_notice(NAME, b"first", None)
    await store.remove_notice(NAME)
    await store.post_notice(NAME, b"first again", None)


async def test_notices_are_no_documents(store: Store) -> None:
    """They are not listed, so reconciling does not take them for orphans."""
    await store.post_notice(NAME, b"notice", None)
    assert [each async for each in store.names()] == []


async def test_every_store_holds_what_publishing_relies_on(store: Store) -> None:
    """Tried on a notice of its own, of which nothing is left."""
    await hold_replaceable(store, "policy/trial")
    with pytest.raises(NoObjectError):
        await store.read_notice("policy/trial", MOST)


@pytest.mark.parametrize(
    "wrong, missing", [(HeedlessNoticeBoard, "whatever it was asked"), (TalkativeNoticeBoard, "unchanged")]
)
async def test_a_board_that_lacks_something_is_refused(wrong: type[MemoryNoticeBoard], missing: str) -> None:
    """With what it lacks; nothing is left in it."""
    board = wrong()
    with pytest.raises(StoreUnsuitableError, match=missing):
        await hold_replaceable(board, NAME)
    assert board.notices == {}


async def test_a_notice_in_a_file_is_for_its_owner(tmp_path: Path) -> None:
    """In a folder of its own, in which nothing else stays."""
    store = FilesystemBlobStore(tmp_path)
    tag = await store.post_notice(NAME, b"first", None)
    await store.post_notice(NAME, b"second", tag)
    await store.close()
    file = tmp_path / NAME
    assert sorted(each.name for each in file.parent.iterdir()) == [".lock", "bundle"]
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file.parent, file)] == [0o700, 0o600]


@pytest.mark.parametrize("answer", [refusal(503, "SlowDown"), Answer(502, b"<html>", "text/html"), Answer(304, b"x")])
async def test_a_store_that_fails_is_unavailable(answer: Answer) -> None:
    """What is unchanged is told from what is wrong."""
    with s3({"": answer}) as (address, _):
        bucket = Bucket(address, "bucket", "access", "secret", secure=False)
        store = MinioBlobStore(bucket, Limits(repetitions=0))
        with pytest.raises(StoreUnavailableError):
            await read(store, "known")
        await store.close()


async def test_a_server_that_fails_without_a_word_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `304 Not Modified` says that nothing has changed, whatever the SDK raises the same error for."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise ServerError("server failed", 500)

    monkeypatch.setattr(Minio, "get_object", fail)
    store = MinioBlobStore(Bucket("127.0.0.1", "bucket", "access", "secret", secure=False))
    with pytest.raises(StoreUnavailableError):
        await read(store, "known")
    await store.close()
