"""Object stores that are not what they promise."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from vault.blobs import StoredObject
from vault.errors import NoObjectError, ObjectExistsError, StoreUnavailableError

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """One reading that a store was asked for."""

    name: str
    start: int
    stop: int | None


class MemoryBlobStore:
    """Objects in a dictionary, which a test may alter as whoever holds the store could. It notes what is read."""

    def __init__(self, piece_size: int = 50_000) -> None:
        self.objects: dict[str, bytes] = {}
        self.modified_at: dict[str, datetime] = {}
        self.requests: list[Request] = []
        self.open_readings = 0
        self._piece_size = piece_size

    async def prepare(self) -> None:
        """Always ready."""

    async def probe(self) -> None:
        """Always there."""

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        if name in self.objects:
            raise ObjectExistsError
        self.objects[name] = b"".join([piece async for piece in data])

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        self.requests.append(Request(name, start, stop))
        if name not in self.objects:
            raise NoObjectError
        data = self.objects[name][start:stop]
        self.open_readings += 1
        try:
            for position in range(0, len(data), self._piece_size):
                yield data[position : position + self._piece_size]
        finally:
            self.open_readings -= 1

    async def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    async def names(self) -> AsyncGenerator[StoredObject]:
        for name in sorted(self.objects):
            yield StoredObject(name, self.modified_at.get(name, LONG_AGO))

    async def close(self) -> None:
        """Nothing to let go of."""

    def alter(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Put something else in an object's place."""
        self.objects[name] = change(self.objects[name])

    def swap(self, one: str, other: str) -> None:
        """Put each of two objects in the other's place."""
        self.objects[one], self.objects[other] = self.objects[other], self.objects[one]


class OverwritingBlobStore(MemoryBlobStore):
    """Ignores that an object is to be created only."""

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        self.objects.pop(name, None)
        await super().put(name, data)


class RangelessBlobStore(MemoryBlobStore):
    """Gives the whole object, whatever range is asked for."""

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        async for piece in super().get(name):
            yield piece


class FailingBlobStore(MemoryBlobStore):
    """Does not answer when asked for one of these."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self.failing = set(failing)

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        self._maybe_fail("put")
        await super().put(name, data)
        self._maybe_fail("after put")

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        self._maybe_fail("get")
        async for piece in super().get(name, start, stop):
            yield piece
            self._maybe_fail("during get")

    async def delete(self, name: str) -> None:
        self._maybe_fail("delete")
        await super().delete(name)
        self._maybe_fail("after delete")

    def _maybe_fail(self, step: str) -> None:
        if step in self.failing:
            raise StoreUnavailableError(step)
