"""A real MinIO that stands still in the middle of its work and goes on: what was acknowledged is there."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.minio import MinioServer, judges, new_drives, new_server, obtain, settings
from tests.servers.processes import free_port, running
from vault.errors import NoObjectError, StoreUnavailableError
from vault.minio_blobs import PART_SIZE, Bucket, Limits, MinioBlobStore

HASTY = Limits(
    read_seconds=0.5,
    request_seconds=2.0,
    repetitions=2,
    failures=3,
    patience_seconds=0.1,
    rest_seconds=0.2,
    doubt_seconds=0.2,
)
PATIENT = Limits(
    read_seconds=0.5,
    request_seconds=60.0,
    repetitions=100,
    longest_pause_seconds=0.2,
    failures=10_000,
    doubt_seconds=0.2,
)
NAME = "ab" + "0" * 30
LARGE = b"".join(bytes([number]) * PART_SIZE for number in range(6)) + b"end"


@dataclass(frozen=True, slots=True)
class Stoppable:
    """A store of its own that can be stopped and continued."""

    server: MinioServer
    process: int

    def stop(self) -> None:
        os.kill(self.process, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process, signal.SIGCONT)

    def open(self, limits: Limits) -> MinioBlobStore:
        server = self.server
        return MinioBlobStore(
            Bucket(server.address, "bucket", server.access_key, server.secret_key, secure=False), limits
        )


@pytest.fixture
def stoppable(minio_server: MinioServer) -> Iterator[Stoppable]:
    """Not the one that all tests share; goes on in the end, so that it hears that it is to end."""
    assert minio_server.version
    with tempfile.TemporaryDirectory(prefix="dmp-minio-") as temporary:
        folder = Path(temporary)
        server = new_server(f"127.0.0.1:{free_port()}", new_drives(folder, 1))
        command = [str(obtain()), "server", "--address", server.address, str(server.drives[0])]
        with running(
            command, log=folder / "log", answers=lambda: judges(server.address), environment=settings(server, folder)
        ) as process:
            stoppable = Stoppable(server, process.pid)
            try:
                yield stoppable
            finally:
                stoppable.go_on()


async def data(content: bytes) -> AsyncIterator[bytes]:
    """A stream of it."""
    for position in range(0, len(content), 1_000_000):
        yield content[position : position + 1_000_000]


async def read(store: MinioBlobStore, name: str = NAME) -> bytes:
    """The object."""
    return b"".join([piece async for piece in store.get(name)])


async def test_a_deposit_goes_on_when_the_store_does(stoppable: Stoppable) -> None:
    """It was stopped with parts on their way, and longer than a request waits."""
    store = stoppable.open(PATIENT)
    await store.prepare()

    async def stopping() -> AsyncIterator[bytes]:
        async for piece in data(LARGE[: len(LARGE) // 2]):
            yield piece
        stoppable.stop()
        async for piece in data(LARGE[len(LARGE) // 2 :]):
            yield piece

    depositing = asyncio.create_task(store.put(NAME, stopping()))
    await asyncio.wait([depositing], timeout=1.2)  # longer than a request waits
    assert not depositing.done()
    stoppable.go_on()
    await depositing
    assert await read(store) == LARGE
    await store.close()


async def test_a_reading_goes_on_when_the_store_does(stoppable: Stoppable) -> None:
    """From where it stood."""
    store = stoppable.open(PATIENT)
    await store.prepare()
    await store.put(NAME, data(LARGE))
    received = bytearray()

    async def receive() -> None:
        async with aclosing(store.get(NAME)) as pieces:
            async for piece in pieces:
                if not received:
                    stoppable.stop()
                received.extend(piece)

    receiving = asyncio.create_task(receive())
    await asyncio.wait([receiving], timeout=1.2)  # longer than a request waits
    assert not receiving.done()
    stoppable.go_on()
    await receiving
    assert received == LARGE
    await store.close()


async def test_a_store_that_stays_stopped_is_unavailable_and_loses_nothing(stoppable: Stoppable) -> None:
    """After a time, then at once; whatever was acknowledged is read afterwards, the rest can be deleted."""
    store, patient = stoppable.open(HASTY), stoppable.open(PATIENT)
    await patient.prepare()
    acknowledged: set[str] = set()
    refused: list[str] = []

    async def deposit(number: int, store: MinioBlobStore = store) -> None:
        name = f"{number:032x}"
        try:
            await store.put(name, data(LARGE if number % 4 == 0 else name.encode()))
            acknowledged.add(name)
        except StoreUnavailableError as error:
            refused.append(str(error))

    await asyncio.gather(*(deposit(number, patient) for number in range(8)))
    stoppable.stop()
    await asyncio.gather(*(deposit(number) for number in range(8, 24)))
    await deposit(24)
    assert len(acknowledged) == 8
    assert "left alone" in refused[-1]
    stoppable.go_on()
    async with asyncio.timeout(60):
        while True:
            with suppress(StoreUnavailableError):
                await deposit(25)
                if f"{25:032x}" in acknowledged:
                    break
            await asyncio.sleep(0.02)
    for number in [*range(8), 25]:
        name = f"{number:032x}"
        assert await read(patient, name) == (LARGE if number % 4 == 0 else name.encode())
    for number in range(8, 25):
        await patient.delete(f"{number:032x}")
        with pytest.raises(NoObjectError):
            await read(patient, f"{number:032x}")
    assert {stored.name async for stored in patient.names()} == acknowledged
    for each in (store, patient):
        await each.close()
