"""A store in a MinIO bucket. That the server does what is relied on is held by `prepare`."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from functools import partial

from vault.blobs import NAME, PIECE_SIZE, StoredObject, blocks, hold_suitable
from vault.errors import NoObjectError, NoticeChangedError, ObjectExistsError, StoreError, StoreUnavailableError
from vault.limits import Limits
from vault.minio_bucket import BucketClient
from vault.minio_calls import Calls
from vault.minio_client import DOCUMENTS, Bucket
from vault.notices import Notice, named
from vault.parts import send_all
from vault.records import folder_of_records, recorded

__all__ = ["Bucket", "Limits", "MinioBlobStore"]

PART_SIZE = 8 * 1024 * 1024
"""Of a multipart upload; what is no larger goes in one request. S3 takes 5 MiB to 5 GiB and 10,000 parts."""


class MinioBlobStore:
    """A BlobStore in one bucket, below `documents/`; a NoticeBoard, whose tags are ETags; a RecordStore under lock."""

    def __init__(self, bucket: Bucket, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._bucket = bucket
        self._client = BucketClient(bucket, limits)
        self._calls = Calls(limits, self._client.cannot_write)
        self._parts_of_one = limits.parts_of_one
        self._parts = asyncio.Semaphore(limits.parts_in_flight)

    def __repr__(self) -> str:
        return f"MinioBlobStore({self._bucket!r})"

    @property
    def locks_records(self) -> bool:
        """See Store."""
        return self._bucket.retention_days > 0

    async def prepare(self) -> None:
        """See BlobStore."""
        await self._calls.write(self._client.make_ready)
        await hold_suitable(self, secrets.token_hex(16), self._put_in_parts)

    async def probe(self) -> None:
        """See BlobStore."""
        if not await self._calls.read(self._client.answers):
            raise StoreUnavailableError("the bucket is gone")

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """See BlobStore."""
        parts = blocks(data, PART_SIZE)
        gathered = [await anext(parts, b"")]
        if len(gathered[0]) < PART_SIZE:
            await self._calls.write(self._client.create, _key(name), gathered[0], _word())
        else:
            await self._put_in_parts(name, parts, gathered)

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """See BlobStore."""
        opening = partial(self._client.open, _key(name), stop)
        async for piece in self._calls.stream(opening, start, PIECE_SIZE):
            yield piece

    async def delete(self, name: str) -> None:
        """See BlobStore. Every version goes."""
        await self._calls.write(self._client.remove, _key(name))

    async def names(self) -> AsyncGenerator[StoredObject]:
        """See BlobStore. Interrupted uploads are not listed: the server expires them after a day."""
        after = ""
        while page := await self._calls.read(self._client.list_after, after):
            for each in page:
                yield each
            after = page[-1].name

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        """See NoticeBoard."""
        return await self._calls.read(self._client.read, named(name), most, known)

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        """See NoticeBoard."""
        try:
            return await self._calls.write(self._client.replace, named(name), data, known, _word())
        except (ObjectExistsError, NoObjectError):
            raise NoticeChangedError("the notice is not the one that was to be replaced") from None

    async def remove_notice(self, name: str) -> None:
        """See NoticeBoard."""
        await self._calls.write(self._client.remove, named(name))

    async def keep(self, name: str, data: bytes) -> None:
        """See RecordStore."""
        await self._calls.write(self._client.keep, recorded(name), data)

    async def read_record(self, name: str, most: int) -> bytes:
        """See RecordStore."""
        return await self._calls.read(self._client.read_record, recorded(name), most)

    async def record_names(self, folder: str, after: str = "") -> AsyncGenerator[str]:
        """See RecordStore."""
        folder = folder_of_records(folder)
        while page := await self._calls.read(self._client.list_records, folder, after):
            for name in page:
                yield name
            after = page[-1]

    async def close(self) -> None:
        """See BlobStore."""
        self._calls.close()
        self._client.close()

    async def _put_in_parts(self, name: str, parts: AsyncIterator[bytes], gathered: list[bytes] | None = None) -> None:
        """An object from the part gathered already, which leaves its list, and those to come."""
        key, word = _key(name), _word()

        async def following() -> bytes:
            return gathered.pop() if gathered else await anext(parts, b"")

        upload = await self._calls.write(self._client.begin, key, word)
        finished = False
        try:
            adding = partial(self._calls.write, self._client.add, key, upload)
            etags = await send_all(following, adding, self._parts_of_one, self._parts)
            await self._calls.write(self._client.complete, key, upload, etags, word)
            finished = True
        finally:
            if not finished:
                with suppress(StoreError):
                    await self._calls.write(self._client.abort, key, upload)


def _word() -> str:
    """By which a creation knows itself."""
    return secrets.token_hex(16)


def _key(name: str) -> str:
    """A name that is none of ours has no object."""
    if not NAME.fullmatch(name):
        raise NoObjectError("there is no object of that name")
    return DOCUMENTS + name
