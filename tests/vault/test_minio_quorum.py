"""A store that has lost so many drives that it cannot write: deposits are refused at once, and reading goes on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.doubles.failing_s3 import FailingS3, Fault, listening
from tests.doubles.small_s3 import Reply, Request
from tests.servers.cluster import Cluster, of_folders
from tests.servers.minio import MinioServer
from vault.errors import StoreReadOnlyError, StoreUnavailableError
from vault.locations import store_from_url
from vault.minio_blobs import Bucket, Limits, MinioBlobStore

NAME, OTHER, RECORD = "ab" + "0" * 30, "cd" + "0" * 30, "journal/checkpoint/1"
CONTENT = b"content"
HEALTH = "GET /minio/health/cluster"
WELL, LOST = (Reply(status, {"x-minio-write-quorum": "3"}) for status in (200, 503))


class JudgingS3(FailingS3):
    """Says of itself in turn what a test tells it to, and the last of it for ever."""

    def __init__(self, *verdicts: Reply) -> None:
        super().__init__()
        self.verdicts = list(verdicts)

    def answer(self, request: Request) -> Reply:
        if request.key != "minio/health/cluster":
            return super().answer(request)
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]

    def count(self, text: str) -> int:
        """Of the requests that contain it."""
        return sum(text in request for request in self.requests)


async def data(content: bytes = CONTENT) -> AsyncIterator[bytes]:
    """A stream of it."""
    yield content


async def read(store: MinioBlobStore, name: str = NAME) -> bytes:
    """The object."""
    return b"".join([piece async for piece in store.get(name)])


@asynccontextmanager
async def opened(double: FailingS3, **limits: float) -> AsyncIterator[MinioBlobStore]:
    """A store whose bucket is there, and that doubts soon and waits for long."""
    double.exists = double.is_versioned = double.is_locked = True
    patient = {"read_seconds": 600.0, "request_seconds": 600.0, "doubt_seconds": 0.05, "pause_seconds": 0.001, **limits}
    with listening(double) as address:
        bucket = Bucket(address, "bucket", "access", "secret", secure=False)
        store = MinioBlobStore(bucket, Limits(**patient))  # type: ignore[arg-type]  # some are integers
        yield store
        await store.close()


@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.TRICKLES, Fault.REFUSED])
async def test_a_deposit_is_given_up_once_the_store_says_that_it_cannot_write(fault: Fault) -> None:
    """The first too, and without being sent again; the next ones are refused at once and ask for nothing."""
    double = JudgingS3(WELL)
    async with opened(double, rest_seconds=600.0) as store:
        await store.put(NAME, data())
        double.verdicts = [LOST]
        double.faults["PUT"] = [fault]
        with pytest.raises(StoreReadOnlyError, match="cannot write"):
            await store.put(OTHER, data())
        asked = len(double.requests)
        for refused in (store.put(OTHER, data()), store.keep(RECORD, b"record"), store.delete(NAME)):
            with pytest.raises(StoreUnavailableError, match="left alone"):
                await refused
        assert (len(double.requests), double.count(f"PUT /bucket/documents/{OTHER}")) == (asked, 1)
        assert await read(store) == CONTENT


async def test_a_deposit_in_parts_is_given_up_as_well() -> None:
    """Whichever of its requests it is; what it sent remains until the name is deleted."""
    double = JudgingS3(LOST)
    async with opened(double, rest_seconds=0.0) as store:
        double.faults["partNumber=2"] = [Fault.HANGS]
        with pytest.raises(StoreReadOnlyError):
            await store.put(NAME, data(bytes(9_000_000)))
        double.verdicts = [WELL]
        await store.delete(NAME)
    assert (list(double.uploads), list(double.objects)) == ([], [])


async def test_a_store_that_can_write_again_is_written_to_after_a_rest() -> None:
    """One tries, and succeeds."""
    double = JudgingS3(LOST)
    async with opened(double, rest_seconds=0.0) as store:
        double.faults["PUT"] = [Fault.HANGS]
        with pytest.raises(StoreReadOnlyError):
            await store.put(NAME, data())
        double.verdicts = [WELL]
        await store.put(NAME, data())
        assert await read(store) == CONTENT


@pytest.mark.parametrize(
    "verdicts",
    [[Reply(503)], [Reply(404)], [WELL], [LOST, WELL]],
    ids=["in front of it somebody has too much to do", "another store", "all is well", "one node alone"],
)
async def test_a_store_that_does_not_say_so_is_waited_for(verdicts: list[Reply]) -> None:
    """For as long as it may stay silent; the deposit is then sent again."""
    double = JudgingS3(*verdicts)
    async with opened(double, read_seconds=0.5) as store:
        double.faults["PUT"] = [Fault.HANGS, Fault.REFUSED]
        await store.put(NAME, data())
        assert await read(store) == CONTENT
    assert (double.verdicts, double.count(HEALTH) > 1) == (verdicts[-1:], True)


@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.TRICKLES, Fault.RESET])
async def test_a_store_that_does_not_answer_the_question_is_waited_for(fault: Fault) -> None:
    """It may have too much to do, and the deposit arrive."""
    double = JudgingS3(WELL)
    async with opened(double, read_seconds=0.5) as store:
        double.faults = {"PUT": [Fault.HANGS], HEALTH: [fault] * 1000}
        await store.put(NAME, data())
        assert await read(store) == CONTENT


class SlowS3(JudgingS3):
    """Answers a creation as soon as it is asked how it is, and the question not at all."""

    def __init__(self) -> None:
        super().__init__(WELL)
        self.questioned = threading.Event()

    def answer(self, request: Request) -> Reply:
        if request.key == "minio/health/cluster":
            self.questioned.set()
            self.ended.wait()
        if request.method == "PUT":
            self.questioned.wait()
        return super().answer(request)


async def test_a_deposit_that_arrives_while_the_store_is_asked_has_arrived() -> None:
    """Nobody waits for what it would have said."""
    double = SlowS3()
    async with opened(double, doubt_seconds=0.5) as store:
        await store.put(NAME, data())
        assert double.objects.keys() == {f"documents/{NAME}"}


async def test_whoever_leaves_a_deposit_that_is_doubted_ends_it() -> None:
    """The one turn there is serves others at once."""
    double = JudgingS3(WELL)
    async with opened(double, in_flight=1) as store:
        double.faults["PUT"] = [Fault.HANGS] * 3
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await store.put(NAME, data())
        double.faults.clear()
        async with asyncio.timeout(30):
            await store.put(NAME, data())


async def test_reading_does_not_wait_behind_deposits_that_hang() -> None:
    """However many; each has its own turns."""
    double = FailingS3()
    async with opened(double, in_flight=2) as store:
        await store.put(NAME, data())
        double.faults["PUT"] = [Fault.HANGS] * 1000
        depositing = [asyncio.create_task(store.put(f"{number:032x}", data())) for number in range(8)]
        async with asyncio.timeout(30):
            while sum("PUT" in request for request in double.requests) < 3:
                assert await read(store) == CONTENT
            for _ in range(20):
                assert await read(store) == CONTENT
            await store.probe()
        for each in depositing:
            each.cancel()
        await asyncio.gather(*depositing, return_exceptions=True)


@pytest.fixture
def folders(minio_server: MinioServer) -> Iterator[Cluster]:
    """A real store of four drives, which are taken away from it."""
    assert minio_server.version
    with of_folders("taken away") as made:
        yield made


async def test_minio_says_itself_that_it_has_lost_too_many_drives(folders: Cluster) -> None:
    """Forty deposits at once are refused, small ones that it would leave waiting too; every reading goes on."""
    store = store_from_url(folders.server.url("bucket"))
    await store.prepare()
    await store.put(NAME, data())
    for node in (1, 2):
        folders.lose(node)

    async def deposit(number: int) -> None:
        with pytest.raises(StoreUnavailableError):
            await store.put(f"{number:032x}", data())

    depositing = [asyncio.create_task(deposit(number)) for number in range(40)]
    while not all(each.done() for each in depositing):
        assert b"".join([piece async for piece in store.get(NAME)]) == CONTENT
        await asyncio.sleep(0.01)
    await asyncio.gather(*depositing)
    with pytest.raises(StoreUnavailableError, match="left alone"):
        await store.put(OTHER, data())
    await store.close()
