"""What is particular to objects in MinIO: how it fails."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.doubles.s3 import Answer, refusal, s3
from vault.errors import NoObjectError, ObjectExistsError, StoreError, StoreUnavailableError, StoreUnsuitableError
from vault.minio_blobs import PART_SIZE, Bucket, Limits, MinioBlobStore

NAME = "ab" + "0" * 30
BEGUN = Answer(body=b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
NO_UPLOADS = Answer(body=b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")


async def data(size: int = 7) -> AsyncIterator[bytes]:
    """A stream of so many bytes."""
    yield bytes(size)


@asynccontextmanager
async def opened(address: str, **limits: float) -> AsyncIterator[MinioBlobStore]:
    """A store at that address, in a hurry."""
    bucket = Bucket(address, "bucket", "access", "secret", secure=False)
    store = MinioBlobStore(bucket, Limits(in_flight=2, **{"repetitions": 0, "doubt_seconds": 0.1, **limits}))  # type: ignore[arg-type]  # one is an integer
    yield store
    await store.close()


async def everything(store: MinioBlobStore) -> list[str]:
    """Every operation's fate."""
    operations = [
        ("prepare", store.prepare()),
        ("probe", store.probe()),
        ("put", store.put(NAME, data())),
        ("put parts", store.put(NAME, data(PART_SIZE))),
        ("get", anext(store.get(NAME))),
        ("delete", store.delete(NAME)),
        ("names", anext(store.names())),
    ]
    fates = []
    for operation, coroutine in operations:
        with pytest.raises(StoreUnavailableError) as caught:
            await coroutine
        fates.append(f"{operation}: {caught.value}")
    return fates


@pytest.mark.parametrize(
    "answer, said",
    [
        (refusal(503, "SlowDown"), "the object store refuses (SlowDown)"),
        (refusal(403, "AccessDenied"), "the object store refuses (AccessDenied)"),
        (Answer(502, b"<html>", "text/html"), "the object store does not answer (InvalidResponseError)"),
    ],
)
async def test_a_store_that_refuses_is_unavailable(answer: Answer, said: str) -> None:
    """Whatever it is asked, in words that hold no name and no key."""
    with s3({"HEAD": Answer(answer.status), "": answer}) as (address, _):
        async with opened(address) as store:
            fates = await everything(store)
    assert {fate.partition(": ")[2] for fate in fates if not fate.startswith("pr")} == {said}


async def test_a_store_that_is_not_there_is_unavailable() -> None:
    """Nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with opened(f"127.0.0.1:{reserved.getsockname()[1]}") as store:
            fates = await everything(store)
    assert {fate.partition(": ")[2] for fate in fates} == {"the object store does not answer (NewConnectionError)"}


async def test_a_store_that_hangs_is_unavailable_after_a_while() -> None:
    """No request waits for ever."""
    with s3({"": Answer(hangs=True)}) as (address, _):
        async with opened(address, read_seconds=0.02) as store:
            fates = await everything(store)
    assert len(fates) == 7


async def test_a_store_with_too_much_to_do_is_unavailable() -> None:
    """Whoever gets no turn in time to read is told, and the others go on; whoever writes has turns of his own."""
    with s3({"GET": Answer(body=bytes(100)), "PUT": Answer()}) as (address, _):
        async with (
            opened(address, slot_seconds=0.02) as store,
            aclosing(store.get(NAME)) as one,
            aclosing(store.get(NAME)) as other,
        ):
            await anext(one)
            await anext(other)
            with pytest.raises(StoreUnavailableError, match="too many requests"):
                await store.probe()
            await store.put(NAME, data())
            await one.aclose()
            assert [piece async for piece in store.get(NAME)] == [bytes(100)]


async def test_an_object_that_ends_too_soon_is_unavailable() -> None:
    """The announced length did not come."""
    with s3({"GET": Answer(body=bytes(100), missing=1)}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(StoreUnavailableError):
                _ = [piece async for piece in store.get(NAME)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
async def test_a_refusal_that_does_not_pass_is_not_asked_for_again(method: str) -> None:
    """Keys that are wrong stay wrong."""
    with s3({"GET /bucket?": NO_UPLOADS, method: refusal(403, "AccessDenied")}) as (address, script):
        async with opened(address, repetitions=2) as store:
            operations: dict[str, Callable[[], Awaitable[object]]] = {
                "GET": lambda: anext(store.get(NAME)),
                "HEAD": lambda: store.delete(NAME),
                "PUT": lambda: store.put(NAME, data()),
                "POST": lambda: store.put(NAME, data(PART_SIZE)),
            }
            with pytest.raises(StoreUnavailableError, match="AccessDenied"):
                await operations[method]()
    assert len([request for request in script.requests if request.startswith(f"{method} /bucket/")]) == 1


async def test_parts_that_are_not_put_together_are_no_object() -> None:
    """Though the answer began well; what was sent is taken back."""
    begin = f"POST /bucket/documents/{NAME}?uploads"
    with s3({begin: BEGUN, "PUT": Answer(), "POST": refusal(200, "InternalError")}) as (address, script):
        async with opened(address) as store:
            with pytest.raises(StoreUnavailableError, match="did not put the parts together"):
                await store.put(NAME, data(PART_SIZE + 1))
    asked = [request.partition(" ")[0] for request in script.requests if "/bucket/" in request]
    assert asked == ["POST", "PUT", "PUT", "POST", "DELETE"]


async def test_a_bucket_that_may_not_be_made_is_unavailable() -> None:
    """The sentence says what the store said."""
    with s3({"HEAD": Answer(404), "PUT /bucket": refusal(403, "AccessDenied")}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(StoreUnavailableError, match="AccessDenied"):
                await store.prepare()


async def test_a_bucket_that_somebody_else_made_meanwhile_is_used() -> None:
    """Several processes begin at once."""
    answers = {
        "HEAD": Answer(404),
        "PUT /bucket": refusal(409, "BucketAlreadyOwnedByYou"),
        "GET /bucket?versioning": Answer(body=b"<V><Status>Enabled</Status></V>"),
        "GET /bucket?object-lock": refusal(404, "ObjectLockConfigurationNotFoundError"),
    }
    with s3(answers) as (address, _):
        async with opened(address) as store:
            with pytest.raises(StoreUnsuitableError, match="lock=off"):
                await store.prepare()


async def test_a_bucket_that_is_gone_is_unavailable() -> None:
    """For readiness."""
    with s3({"HEAD": Answer(404)}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(StoreUnavailableError, match="the bucket is gone"):
                await store.probe()


async def test_an_object_that_is_gone_is_none() -> None:
    """Whatever else the store knows."""
    with s3({"GET": refusal(404, "NoSuchKey")}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(NoObjectError):
                await anext(store.get(NAME))


@pytest.mark.parametrize(
    "present, fate",
    [(Answer(404), ObjectExistsError), (Answer(403), StoreUnavailableError), (Answer(200), ObjectExistsError)],
    ids=["deleted", "refused", "another"],
)
async def test_a_creation_that_is_refused_looks_whether_it_is_its_own(present: Answer, fate: type[StoreError]) -> None:
    """What is not there any more, or cannot be looked at, is not."""
    with s3({"HEAD": present, "PUT": refusal(412, "PreconditionFailed")}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(fate):
                await store.put(NAME, data())


@pytest.mark.parametrize("body", [b"", b"no XML", b"<Empty/>", b"\xff"])
async def test_an_answer_that_cannot_be_read_is_none(body: bytes) -> None:
    """Whatever the SDK makes of it."""
    with s3({"POST": Answer(body=body)}) as (address, _):
        async with opened(address) as store:
            with pytest.raises(StoreUnavailableError, match="cannot be read"):
                await store.put(NAME, data(PART_SIZE))
