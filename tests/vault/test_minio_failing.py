"""A store that refuses, breaks off, hangs or trickles: requests are repeated for a time, and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.doubles.failing_s3 import FailingS3, Fault, listening
from tests.doubles.small_s3 import Reply, Request, error
from vault.blobs import PIECE_SIZE
from vault.errors import NoObjectError, NoticeChangedError, ObjectExistsError, RecordChangedError, StoreUnavailableError
from vault.minio_blobs import Bucket, Limits, MinioBlobStore
from vault.notices import Notice

NAME, NOTICE, RECORD = "ab" + "0" * 30, "policy/bundle", "journal/checkpoint/1"
SMALL = b"content"
PART_SIZE = 65_536
LARGE = b"".join(bytes([number]) * PART_SIZE for number in range(5)) + b"end"
PASSING = [Fault.REFUSED, Fault.ERROR, Fault.RESET, Fault.LOST, Fault.BROKEN_OFF, Fault.HANGS]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double takes parts of any size."""
    monkeypatch.setattr("vault.minio_blobs.PART_SIZE", PART_SIZE)


async def data(content: bytes) -> AsyncIterator[bytes]:
    """A stream of it."""
    for position in range(0, len(content), 50_000):
        yield content[position : position + 50_000]


async def read(store: MinioBlobStore, start: int = 0, stop: int | None = None) -> bytes:
    """The object."""
    return b"".join([piece async for piece in store.get(NAME, start, stop)])


async def replaced(store: MinioBlobStore) -> bool:
    """Whether a notice takes the place of another one, under the tag that is told."""
    tag = await store.post_notice(NOTICE, b"first", None)
    tag = await store.post_notice(NOTICE, b"second", tag)
    return await store.read_notice(NOTICE, 100) == Notice(tag, b"second")


async def kept(store: MinioBlobStore) -> bytes:
    """The record, as it is read."""
    await store.keep(RECORD, b"record")
    return await store.read_record(RECORD, 100)


@asynccontextmanager
async def opened(double: FailingS3, **limits: float) -> AsyncIterator[MinioBlobStore]:
    """A store whose bucket is there."""
    double.exists = double.is_versioned = double.is_locked = True
    hasty = {"read_seconds": 5.0, "pause_seconds": 0.001, "longest_pause_seconds": 0.002, **limits}
    with listening(double) as address:
        bucket = Bucket(address, "bucket", "access", "secret", secure=False)
        store = MinioBlobStore(bucket, Limits(**hasty))  # type: ignore[arg-type]  # some are integers
        yield store
        await store.close()


@asynccontextmanager
async def patient(double: FailingS3) -> AsyncIterator[MinioBlobStore]:
    """The same store, for whoever has more time."""
    store = MinioBlobStore(Bucket(double.address, "bucket", "access", "secret", secure=False))
    yield store
    await store.close()


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize(
    "request_, operation",
    [
        ("PUT /bucket/documents", lambda store: store.put(NAME, data(SMALL))),
        ("POST /bucket/documents/ab000000000000000000000000000000?uploads", lambda store: store.put(NAME, data(LARGE))),
        ("partNumber=3", lambda store: store.put(NAME, data(LARGE))),
        (
            "POST /bucket/documents/ab000000000000000000000000000000?uploadId",
            lambda store: store.put(NAME, data(LARGE)),
        ),
    ],
    ids=["create", "begin", "part", "complete"],
)
async def test_a_deposit_survives_what_passes(
    fault: Fault, request_: str, operation: Callable[[MinioBlobStore], Awaitable[None]]
) -> None:
    """Twice in a row: the object is there once, whole, and known as ours though an answer was lost."""
    double = FailingS3()
    async with opened(double, read_seconds=0.5 if fault is Fault.HANGS else 5.0) as store:
        double.faults[request_] = [fault, fault]
        await operation(store)
        assert await read(store) == (SMALL if request_ == "PUT /bucket/documents" else LARGE)
        with pytest.raises(ObjectExistsError):
            await operation(store)
    versions = double.objects[f"documents/{NAME}"]
    assert (len(versions), double.faults[request_]) == (1, [])


@pytest.mark.parametrize("fault", PASSING)
async def test_everything_else_survives_what_passes(fault: Fault) -> None:
    """Each request once, whatever it does."""
    double = FailingS3()
    async with opened(double, read_seconds=0.5 if fault is Fault.HANGS else 5.0) as store:
        await store.put(NAME, data(SMALL))
        double.faults = {text: [fault] for text in ("HEAD /bucket ", "GET /bucket/documents", "list-type=2")}
        double.faults |= {f"{method} /bucket/journal": [fault] for method in ("PUT", "GET")}
        double.faults |= {f"{method} /bucket/policy": [fault] for method in ("PUT", "GET")}
        await store.probe()
        assert await read(store, 2) == SMALL[2:]
        assert [each.name async for each in store.names()] == [NAME]
        assert await kept(store) == b"record"
        assert await replaced(store)
        double.faults |= {"DELETE": [fault], "uploads": [fault], f"HEAD /bucket/documents/{NAME}": [fault]}
        await store.delete(NAME)
        assert (await store.read_record(RECORD, 3), [each async for each in store.names()]) == (b"rec", [])
    assert double.objects.keys() == {NOTICE, RECORD}


@pytest.mark.parametrize("fault", PASSING)
async def test_what_others_did_is_not_taken_for_ours(fault: Fault) -> None:
    """Though our own answer was lost, and their bytes are the same."""
    double = FailingS3()
    async with opened(double, read_seconds=0.5 if fault is Fault.HANGS else 5.0) as store:
        await store.put(NAME, data(SMALL))
        await store.post_notice(NOTICE, b"first", None)
        await store.keep(RECORD, b"first")
        double.faults = {text: [fault] for text in ("PUT /bucket/doc", "PUT /bucket/policy", "PUT /bucket/journal")}
        with pytest.raises(ObjectExistsError):
            await store.put(NAME, data(SMALL))
        with pytest.raises(NoticeChangedError):
            await store.post_notice(NOTICE, b"first", None)
        with pytest.raises(RecordChangedError):
            await store.keep(RECORD, b"second")
    assert [len(versions) for versions in double.objects.values()] == [1, 1, 1]


@pytest.mark.parametrize("fault", [*PASSING, Fault.TRICKLES])
@pytest.mark.parametrize("text", ["uploads", "partNumber=1", "partNumber=3", "partNumber=6", "uploadId", ""])
async def test_a_deposit_that_fails_leaves_nothing(fault: Fault, text: str) -> None:
    """For good: whichever request it was, no part and no object remains once the name is deleted."""
    double = FailingS3()
    async with opened(
        double, read_seconds=0.2, request_seconds=1.0, doubt_seconds=0.1, repetitions=1, patience_seconds=60
    ) as store:
        double.faults[text] = [fault] * 1000
        with pytest.raises(StoreUnavailableError):
            await store.put(NAME, data(LARGE))
        double.faults.clear()
        async with patient(double) as other:
            await other.delete(NAME)
    assert (list(double.uploads), list(double.objects)) == ([], [])


async def test_an_upload_that_was_taken_back_unheard_is_taken_back() -> None:
    """The answer was lost, and the second attempt finds none."""
    double = FailingS3()
    async with opened(double, repetitions=1) as store:
        double.faults = {"partNumber=2": [Fault.ERROR] * 2, "DELETE": [Fault.LOST]}
        with pytest.raises(StoreUnavailableError):
            await store.put(NAME, data(LARGE))
        aborts = [request for request in double.requests if request.startswith("DELETE")]
    assert (len(aborts), list(double.uploads)) == (2, [])


async def test_a_part_that_fails_takes_the_upload_back() -> None:
    """At once, where the store still answers that."""
    double = FailingS3()
    async with opened(double, repetitions=1) as store:
        double.faults["partNumber=2"] = [Fault.ERROR] * 2
        with pytest.raises(StoreUnavailableError):
            await store.put(NAME, data(LARGE))
    assert (list(double.uploads), list(double.objects)) == ([], [])


@pytest.mark.parametrize("fault", PASSING)
async def test_a_reading_goes_on_where_it_broke_off(fault: Fault) -> None:
    """With the bytes that are missing, and no others."""
    double = FailingS3()
    async with opened(double, read_seconds=0.5 if fault is Fault.HANGS else 5.0) as store:
        await store.put(NAME, data(LARGE))
        double.faults["GET"] = [fault, fault]
        assert await read(store, 10, len(LARGE) - 1) == LARGE[10:-1]
        double.faults["GET"] = [Fault.BROKEN_OFF] * 3
        assert await read(store) == LARGE


async def test_a_reading_that_gave_something_goes_on_behind_it() -> None:
    """It was broken off after several pieces: none is given twice, and none is left out."""
    double, content = FailingS3(), b"".join(bytes([number]) * PIECE_SIZE for number in range(5))
    async with opened(double) as store:
        await store.put(NAME, data(content))
        double.faults["GET"] = [Fault.BROKEN_OFF] * 3
        assert await read(store, 3) == content[3:]


@pytest.mark.parametrize("fault", [*PASSING, Fault.TRICKLES])
async def test_a_reading_ends_when_it_no_longer_goes_on(fault: Fault) -> None:
    """After some attempts or some time without a byte more."""
    double = FailingS3()
    async with opened(double, read_seconds=0.05, request_seconds=0.5, repetitions=2, patience_seconds=60) as store:
        async with patient(double) as other:
            await other.put(NAME, data(SMALL))
        double.faults["GET"] = [fault] * 1000
        with pytest.raises(StoreUnavailableError):
            await read(store)


async def test_a_store_that_stays_silent_is_left_alone_for_a_while() -> None:
    """Writing is refused at once then and asks for nothing, reading goes on; the first answer ends it."""
    double = FailingS3()
    async with opened(double, failures=3, patience_seconds=0, rest_seconds=0.3, repetitions=2) as store:
        await store.put(NAME, data(SMALL))
        double.faults["PUT"] = [Fault.REFUSED] * 1000
        with pytest.raises(StoreUnavailableError, match="SlowDown"):
            await store.keep(RECORD, b"record")
        asked = len(double.requests)
        with pytest.raises(StoreUnavailableError, match="left alone"):
            await store.keep(RECORD, b"record")
        assert len(double.requests) == asked
        assert await read(store) == SMALL
        double.faults.clear()
        async with asyncio.timeout(30):
            while True:
                try:
                    await store.keep(RECORD, b"record")
                    break
                except StoreUnavailableError:
                    await asyncio.sleep(0.01)
        assert await store.read_record(RECORD, 100) == b"record"


async def test_whoever_leaves_a_request_ends_it() -> None:
    """The thread that waited is free for others at once, and nothing that he wrote appears afterwards."""
    double = FailingS3()
    async with opened(double, in_flight=1, read_seconds=600.0, request_seconds=600.0) as store:
        double.faults["PUT"] = [Fault.HANGS] * 3
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await store.put(NAME, data(SMALL))
        async with asyncio.timeout(30):
            with pytest.raises(NoObjectError):
                await read(store)


class RacedS3(FailingS3):
    """Somebody else keeps a record a moment earlier."""

    def __init__(self, earlier: bytes) -> None:
        super().__init__()
        self._earlier = earlier

    def create(self, request: Request) -> Reply:
        super().create(replace(request, body=self._earlier))
        return super().create(request)


async def test_a_record_that_is_kept_twice_at_once_is_one() -> None:
    """If it is the same."""
    async with opened(RacedS3(b"record")) as store:
        assert await kept(store) == b"record"
    async with opened(RacedS3(b"another")) as store:
        with pytest.raises(RecordChangedError):
            await store.keep(RECORD, b"record")


async def test_a_store_that_keeps_what_it_should_remove_is_unavailable() -> None:
    """Rather than being asked for ever."""
    double = FailingS3()
    async with opened(double) as store:
        await store.put(NAME, data(SMALL))
        double.lacks.add("deletion")
        with pytest.raises(StoreUnavailableError, match="asked to remove"):
            await store.delete(NAME)


async def test_an_absence_is_doubted() -> None:
    """An object that two answers say is missing reads by the third; one that is missing is said to be."""

    class Forgetful(FailingS3):
        absences = 2

        def answer(self, request: Request) -> Reply:
            if request.key == f"documents/{NAME}" and request.method == "GET" and self.absences:
                self.absences -= 1
                return error(404, "NoSuchKey")
            return super().answer(request)

    double = Forgetful()
    async with opened(double) as store:
        await store.put(NAME, data(SMALL))
        assert await read(store) == SMALL
        await store.delete(NAME)
        with pytest.raises(NoObjectError):
            await read(store)
    assert sum(request.startswith("GET /bucket/documents") for request in double.requests) == 3 + 3
