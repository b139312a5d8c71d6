"""What MinIO keeps from everybody, and what it gives up: with the service's own keys, which here open everything."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from tests.servers.minio import MinioServer
from vault.errors import NoObjectError, RecordChangedError, StoreUnsuitableError
from vault.locations import Store, store_from_url

NAME, RECORD = "ab" + "0" * 30, "journal/checkpoint/00000000000000000042"
KEY = f"documents/{NAME}"


@pytest.fixture
def bucket(minio_url: str) -> str:
    """Its name."""
    return urlsplit(minio_url).path.strip("/")


@pytest.fixture
def keyholder(minio_server: MinioServer) -> Iterator[Minio]:
    """Whoever has the keys of the service, without the service."""
    with urllib3.PoolManager() as pool:
        yield Minio(
            minio_server.address, minio_server.access_key, minio_server.secret_key, secure=False, http_client=pool
        )


@pytest.fixture
async def store(minio_url: str) -> AsyncIterator[Store]:
    """Ready, in a bucket that it made."""
    opened = store_from_url(minio_url)
    await opened.prepare()
    yield opened
    await opened.close()


async def data(content: bytes) -> AsyncIterator[bytes]:
    """A stream of it."""
    yield content


def written(keyholder: Minio, bucket: str, key: str, content: bytes) -> str | None:
    """The version that is made of it."""
    return keyholder.put_object(bucket, key, BytesIO(content), len(content)).version_id


def versions(keyholder: Minio, bucket: str, key: str) -> list[str]:
    """Of an object, marks of deletion among them."""
    listed = keyholder.list_objects(bucket, prefix=key, recursive=True, include_version=True)
    return [str(each.version_id) for each in listed]


async def test_a_locked_record_stays(store: Store, keyholder: Minio, bucket: str) -> None:
    """Nobody deletes its version, shortens its time, weakens its lock or takes it off; and it is locked for years."""
    await store.keep(RECORD, b"record")
    (version,) = versions(keyholder, bucket, RECORD)
    before = keyholder.get_object_retention(bucket, RECORD, version)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    attempts: list[Callable[[], object]] = [
        lambda: keyholder.remove_object(bucket, RECORD, version),
        lambda: keyholder.set_object_retention(bucket, RECORD, Retention(COMPLIANCE, tomorrow), version),
        lambda: keyholder.set_object_retention(bucket, RECORD, Retention(GOVERNANCE, tomorrow), version),
        lambda: keyholder._execute(  # noqa: SLF001  # as an administrator with mc would ask
            "DELETE",
            bucket,
            RECORD,
            headers={"x-amz-bypass-governance-retention": "true"},
            query_params={"versionId": version},
        ),
        lambda: keyholder.remove_bucket(bucket),
    ]
    for attempt in attempts:
        with pytest.raises(S3Error):
            attempt()
    after = keyholder.get_object_retention(bucket, RECORD, version)
    assert after is not None
    assert before == after
    assert (after.mode, versions(keyholder, bucket, RECORD)) == (COMPLIANCE, [version])
    assert after.retain_until_date is not None
    assert abs(after.retain_until_date - datetime.now(UTC) - timedelta(days=3650)) < timedelta(hours=1)
    assert await store.read_record(RECORD, 100) == b"record"


async def test_a_record_is_locked_for_as_long_as_the_url_says(minio_url: str, keyholder: Minio, bucket: str) -> None:
    """In days."""
    store = store_from_url(f"{minio_url}&retention_days=1")
    await store.prepare()
    await store.keep(RECORD, b"record")
    retention = keyholder.get_object_retention(bucket, RECORD)
    await store.close()
    assert retention is not None
    assert retention.retain_until_date is not None
    assert abs(retention.retain_until_date - datetime.now(UTC) - timedelta(days=1)) < timedelta(hours=1)


async def test_what_is_laid_over_a_record_leaves_it_beneath(store: Store, keyholder: Minio, bucket: str) -> None:
    """As a version of its own, which is still locked."""
    await store.keep(RECORD, b"record")
    (version,) = versions(keyholder, bucket, RECORD)
    written(keyholder, bucket, RECORD, b"forged")
    with keyholder.get_object(bucket, RECORD, version_id=version) as beneath:
        assert beneath.read() == b"record"
    with pytest.raises(S3Error):
        keyholder.remove_object(bucket, RECORD, version)
    with pytest.raises(RecordChangedError):
        await store.keep(RECORD, b"record")


async def test_a_record_that_is_marked_as_deleted_is_read_and_listed(
    store: Store, keyholder: Minio, bucket: str
) -> None:
    """The first that was kept, whatever was laid over it before."""
    for name in (RECORD, f"{RECORD}0"):
        await store.keep(name, b"record")
    written(keyholder, bucket, RECORD, b"forged")
    keyholder.remove_object(bucket, RECORD)
    assert await store.read_record(RECORD, 100) == b"record"
    assert [name async for name in store.record_names("journal/")] == [RECORD, f"{RECORD}0"]


async def test_a_record_that_is_marked_as_deleted_is_not_kept_as_another(
    store: Store, keyholder: Minio, bucket: str
) -> None:
    """The first that was kept is it still, whatever was laid over it before; nothing is laid over it again."""
    await store.keep(RECORD, b"record")
    written(keyholder, bucket, RECORD, b"forged")
    keyholder.remove_object(bucket, RECORD)
    await store.keep(RECORD, b"record")
    for other in (b"forged", b"another"):
        with pytest.raises(RecordChangedError):
            await store.keep(RECORD, other)
    assert len(versions(keyholder, bucket, RECORD)) == 3


async def test_a_mark_of_deletion_alone_is_no_record(store: Store, keyholder: Minio, bucket: str) -> None:
    """It hides nothing; it is listed, so that whoever goes through all of them sees that something was done here.

    A record may still be kept there.
    """
    forged = written(keyholder, bucket, RECORD, b"forged")
    keyholder.remove_object(bucket, RECORD)
    keyholder.remove_object(bucket, RECORD, forged)
    with pytest.raises(NoObjectError):
        await store.read_record(RECORD, 100)
    assert [name async for name in store.record_names("journal/")] == [RECORD]
    await store.keep(RECORD, b"record")
    assert await store.read_record(RECORD, 100) == b"record"


async def test_nothing_remains_of_a_deleted_document(store: Store, keyholder: Minio, bucket: str) -> None:
    """No version, no mark of deletion and no part, whoever made them."""
    await store.put(NAME, data(b"content"))
    written(keyholder, bucket, KEY, b"another version")
    keyholder.remove_object(bucket, KEY)
    written(keyholder, bucket, KEY, b"a third one")
    for _ in range(2):
        keyholder._create_multipart_upload(bucket, KEY, {})  # noqa: SLF001  # as a writer leaves it that dies
    assert len(versions(keyholder, bucket, KEY)) == 4
    await store.delete(NAME)
    assert versions(keyholder, bucket, KEY) == []
    uploads = keyholder._list_multipart_uploads(bucket, prefix=KEY).uploads  # noqa: SLF001  # there is no other way
    assert uploads == []


async def test_what_was_published_leaves_nothing_when_it_is_removed(
    store: Store, keyholder: Minio, bucket: str
) -> None:
    """Though each replacement was a version."""
    tag = await store.post_notice("policy/bundle", b"first", None)
    await store.post_notice("policy/bundle", b"second", tag)
    await store.remove_notice("policy/bundle")
    assert versions(keyholder, bucket, "policy/") == []


async def test_a_document_marked_as_deleted_is_gone_and_may_be_created(
    store: Store, keyholder: Minio, bucket: str
) -> None:
    """It is not listed; the server sweeps what the mark hides after a week, and never a record."""
    await store.put(NAME, data(b"content"))
    keyholder.remove_object(bucket, KEY)
    assert [each async for each in store.names()] == []
    await store.put(NAME, data(b"content"))
    rules = keyholder.get_bucket_lifecycle(bucket)
    assert rules is not None
    assert [
        (rule.rule_filter and rule.rule_filter.prefix, rule.noncurrent_version_expiration.noncurrent_days)
        for rule in rules.rules
        if rule.noncurrent_version_expiration
    ] == [("documents/", 7), ("policy/", 7)]


async def test_a_bucket_that_was_made_without_a_lock_is_refused(minio_url: str, keyholder: Minio, bucket: str) -> None:
    """Unless the URL does without; the sentence says so."""
    keyholder.make_bucket(bucket)
    refused, accepted = store_from_url(minio_url), store_from_url(f"{minio_url}&lock=off")
    with pytest.raises(StoreUnsuitableError, match="lock=off"):
        await refused.prepare()
    await accepted.prepare()
    await accepted.keep(RECORD, b"record")
    assert await accepted.read_record(RECORD, 100) == b"record"
    assert (refused.locks_records, accepted.locks_records) == (True, False)
    for each in (refused, accepted):
        await each.close()


async def test_names_are_listed_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, documents and records alike."""
    for module in ("vault.minio_client", "vault.minio_bucket"):
        monkeypatch.setattr(f"{module}.LISTED_AT_ONCE", 3)
    names = [f"{number:032x}" for number in range(10)]
    records = [f"journal/checkpoint/{number}" for number in range(10)]
    for name, record in zip(names, records, strict=True):
        await store.put(name, data(b"content"))
        await store.keep(record, b"record")
    assert [each.name async for each in store.names()] == names
    assert [name async for name in store.record_names("journal/")] == records
