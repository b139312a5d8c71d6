"""A store that lacks something is told so when the service starts, by the name of what it lacks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.doubles.failing_s3 import FailingS3, Fault, listening
from tests.doubles.small_s3 import Reply, Request
from vault.errors import StoreUnsuitableError
from vault.minio_blobs import Bucket, MinioBlobStore


@asynccontextmanager
async def opened(double: FailingS3, retention_days: int = 3650) -> AsyncIterator[MinioBlobStore]:
    """A store there."""
    with listening(double) as address:
        store = MinioBlobStore(
            Bucket(address, "bucket", "access", "secret", secure=False, retention_days=retention_days)
        )
        yield store
        await store.close()


@pytest.mark.parametrize(
    "lacking, missing",
    [
        ("conditions", "overwrites an object that it was asked to create"),
        ("conditions on parts", "overwrites an object that it was asked to create"),
        ("ranges", "does not read ranges"),
        ("versions", "does not keep versions"),
        ("bucket lock", "lock=off"),
        ("lock", "removes an object that it was asked to lock"),
    ],
)
async def test_what_is_lacking_is_named(lacking: str, missing: str) -> None:
    """And nothing of the trial stays."""
    double = FailingS3(lacking)
    async with opened(double) as store:
        with pytest.raises(StoreUnsuitableError, match=missing):
            await store.prepare()
    assert [name for name in double.objects if name.startswith("documents/")] == []


async def test_a_bucket_without_a_lock_is_accepted_by_who_says_so() -> None:
    """Records are then kept without one."""
    double = FailingS3("lock", "bucket lock")
    async with opened(double, 0) as store:
        await store.prepare()
        await store.keep("journal/checkpoint/1", b"record")
        assert await store.read_record("journal/checkpoint/1", 100) == b"record"
        assert not store.locks_records


async def test_the_locked_object_of_the_trial_is_one_for_all_starts() -> None:
    """While it is locked it serves the next one; once it has served its time it makes room for another."""
    double = FailingS3()
    async with opened(double) as store:
        await store.prepare()
        first = double.objects["trial/lock"][0]
        await store.prepare()
        assert double.objects == {"trial/lock": [first]}
        first.locked = False
        await store.prepare()
        assert [each.locked for each in double.objects["trial/lock"]] == [True]
        assert double.objects["trial/lock"] != [first]


async def test_versions_are_asked_for_in_a_bucket_that_is_there() -> None:
    """And only where they are not kept yet."""
    double = FailingS3()
    double.exists = double.is_locked = True
    async with opened(double) as store:
        await store.prepare()
        await store.prepare()
    changed = [request for request in double.requests if request == "PUT /bucket?versioning="]
    assert (double.is_versioned, len(changed)) == (True, 1)


class RacedS3(FailingS3):
    """Somebody else creates each object of a trial a moment earlier."""

    def create(self, request: Request) -> Reply:
        if request.key.startswith("trial/"):
            super().create(request)
        return super().create(request)


async def test_several_who_begin_at_once_try_one_lock() -> None:
    """What another one locked serves as well."""
    double = RacedS3()
    async with opened(double) as store:
        await store.prepare()
    assert [len(versions) for versions in double.objects.values()] == [1]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
async def test_a_trial_that_is_not_answered_proves_nothing(method: str) -> None:
    """It is repeated until it is."""
    double = FailingS3("lock")
    double.faults[f"{method} /bucket/trial"] = [Fault.ERROR]
    async with opened(double) as store:
        with pytest.raises(StoreUnsuitableError, match="asked to lock"):
            await store.prepare()
    assert double.faults[f"{method} /bucket/trial"] == []
