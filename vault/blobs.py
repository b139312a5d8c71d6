"""Where sealed objects are kept, whatever keeps them. Names are random and say nothing of what is inside."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.errors import ObjectExistsError, StoreUnsuitableError

NAME = re.compile(r"[0-9a-f]{32}")
"""An object's name: 128 random bits in hexadecimal."""

PIECE_SIZE = 1024 * 1024
"""In how large pieces a store reads and writes."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store lists it."""

    name: str
    modified_at: datetime


class BlobStore(Protocol):
    """Keeps objects of any size. Any method raises StoreUnavailableError when the store does not answer in time."""

    async def prepare(self) -> None:
        """Make the store ready for its first object and hold that it does what is asked of it.

        Raises StoreUnsuitableError, above all if it would overwrite an object.
        """
        ...

    async def probe(self) -> None:
        """Return if the store answers."""
        ...

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """Keep a new object, durably when this returns, in memory that does not grow with its size.

        Raises ObjectExistsError and changes nothing if the name is taken. If `data` raises there is no object.
        """
        ...

    def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """Bytes `start` until before `stop`, or to the end, in one request; fewer if the object is shorter.

        Raises NoObjectError before the first piece. Whoever does not read to the end closes the generator.
        """
        ...

    async def delete(self, name: str) -> None:
        """Remove the object and whatever an interrupted `put` left of it. There need not be any."""
        ...

    def names(self) -> AsyncGenerator[StoredObject]:
        """Every object in the order of names; what an interrupted `put` left may be among them."""
        ...

    async def close(self) -> None: ...


async def blocks(data: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes]:
    """The same bytes in blocks of exactly this size, but for the last."""
    buffer = bytearray()
    async for piece in data:
        taken = 0
        while taken < len(piece):
            missing = size - len(buffer)
            buffer += piece[taken : taken + missing]
            taken += missing
            if len(buffer) == size:
                yield _emptied(buffer)
    if buffer:
        yield _emptied(buffer)


def _emptied(buffer: bytearray) -> bytes:
    """What it held; the buffer's memory is free before the block is used."""
    block = bytes(buffer)
    buffer.clear()
    return block


Put = Callable[[str, AsyncIterator[bytes]], Awaitable[None]]


async def hold_suitable(store: BlobStore, name: str, *other_ways: Put) -> None:
    """Try, on an object of its own, what documents rely on; `other_ways` to create are tried on it too.

    Raises StoreUnsuitableError with what is missing.
    """

    async def twelve_bytes() -> AsyncIterator[bytes]:
        yield b"dmp-authz ok"

    await store.put(name, twelve_bytes())
    try:
        for put in (store.put, *other_ways):
            try:
                await put(name, twelve_bytes())
            except ObjectExistsError:
                continue
            raise StoreUnsuitableError("this object store overwrites an object that it was asked to create")
        if b"".join([piece async for piece in store.get(name, 4, 9)]) != b"authz":
            raise StoreUnsuitableError("this object store does not read ranges")
    finally:
        await store.delete(name)
