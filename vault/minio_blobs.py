"""Objects in a MinIO bucket.

The SDK blocks, so each call runs in a thread of the store's own. That the server refuses a second creation is held by
`prepare`.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any, TypeVar

from vault.blobs import NAME, PIECE_SIZE, StoredObject, blocks, hold_suitable
from vault.errors import NoObjectError, NoticeChangedError, ObjectExistsError, StoreError, StoreUnavailableError
from vault.minio_client import DOCUMENTS, Bucket, Client, Limits, asked
from vault.notices import Notice, named

__all__ = ["Bucket", "Limits", "MinioBlobStore"]

PART_SIZE = 8 * 1024 * 1024
"""Of a multipart upload; what is no larger goes in one request. S3 takes 5 MiB to 5 GiB and 10,000 parts."""

T = TypeVar("T")

_LISTED_AT_ONCE = 1000


class MinioBlobStore:
    """A BlobStore in one bucket, below `documents/`; and a NoticeBoard, whose tags are ETags."""

    def __init__(self, bucket: Bucket, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._bucket = bucket
        self._client = Client(bucket, limits)
        self._threads = ThreadPoolExecutor(limits.in_flight, thread_name_prefix="minio")
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._slot_seconds = limits.slot_seconds

    def __repr__(self) -> str:
        return f"MinioBlobStore({self._bucket!r})"

    async def prepare(self) -> None:
        """See BlobStore."""
        await self._call(self._client.make_ready)
        await hold_suitable(self, secrets.token_hex(16), self._put_in_parts)

    async def probe(self) -> None:
        """See BlobStore."""
        if not await self._call(self._client.answers):
            raise StoreUnavailableError("the bucket is gone")

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """See BlobStore."""
        parts = blocks(data, PART_SIZE)
        gathered = [await anext(parts, b"")]
        if len(gathered[0]) < PART_SIZE:
            await self._call(self._client.create, _key(name), gathered[0])
        else:
            await self._put_in_parts(name, parts, gathered)

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """See BlobStore."""
        key = _key(name)
        async with self._slot():
            response = await self._run(self._client.open, key, start, stop)
            if response is None:
                return
            try:
                while piece := await self._run(response.read, PIECE_SIZE):
                    yield piece
            finally:
                response.close()
                response.release_conn()

    async def delete(self, name: str) -> None:
        """See BlobStore."""
        await self._call(self._client.remove, _key(name))

    async def names(self) -> AsyncGenerator[StoredObject]:
        """See BlobStore. Interrupted uploads are not listed: the server expires them after a day."""
        listing = self._client.list_all()
        while page := await self._call(_next_page, listing):
            for each in page:
                yield each

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        """See NoticeBoard."""
        return await self._call(self._client.read, named(name), most, known)

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        """See NoticeBoard."""
        try:
            return await self._call(self._client.replace, named(name), data, known)
        except (ObjectExistsError, NoObjectError):
            raise NoticeChangedError("the notice is not the one that was to be replaced") from None

    async def remove_notice(self, name: str) -> None:
        """See NoticeBoard."""
        await self._call(self._client.remove, named(name))

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.shutdown(wait=False)
        self._client.close()

    async def _put_in_parts(self, name: str, parts: AsyncIterator[bytes], gathered: list[bytes] | None = None) -> None:
        """An object from the part gathered already, which leaves its list, and those to come. Holds one at a time."""
        key = _key(name)
        upload = await self._call(self._client.begin, key)
        finished = False
        etags: list[str] = []
        try:
            while part := gathered.pop() if gathered else await anext(parts, b""):
                etags.append(await self._call(self._client.add, key, upload, len(etags) + 1, part))
                part = b""  # let go before the next is gathered
            await self._call(self._client.complete, key, upload, etags)
            finished = True
        finally:
            if not finished:
                with suppress(StoreError):
                    await self._call(self._client.abort, key, upload)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        async with self._slot():
            return await self._run(function, *arguments)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._slot_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreUnavailableError("too many requests to the object store are waiting") from None
        try:
            yield
        finally:
            self._slots.release()

    async def _run(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, asked, function, *arguments)


def _next_page(listing: Iterator[StoredObject]) -> list[StoredObject]:
    return list(islice(listing, _LISTED_AT_ONCE))


def _key(name: str) -> str:
    """A name that is none of ours has no object."""
    if not NAME.fullmatch(name):
        raise NoObjectError("there is no object of that name")
    return DOCUMENTS + name
