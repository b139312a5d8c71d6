"""Objects in a MinIO bucket, through its SDK on threads.

The SDK blocks, so each call runs in a thread of the store's own. Its `put_object` sends `If-None-Match` as metadata of
the object, where it means nothing; creating without overwriting therefore goes one level below, and `prepare` holds
that the server then refuses a second creation.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast
from xml.sax.saxutils import escape

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from vault.blobs import NAME, PIECE_SIZE, StoredObject, blocks, hold_suitable
from vault.errors import NoObjectError, ObjectExistsError, StoreError, StoreUnavailableError

PART_SIZE = 8 * 1024 * 1024
"""Of a multipart upload; what is no larger goes in one request. S3 takes 5 MiB to 5 GiB and 10,000 parts."""

T = TypeVar("T")

_ONLY_CREATE = {"If-None-Match": "*"}
_PREFIX = "documents/"
_LISTED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects are and what opens the door. The region is asked for by the protocol, and free on MinIO."""

    endpoint: str
    name: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests at a time, and how long each may take: to connect, between two bytes, to get its turn."""

    in_flight: int = 32
    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    slot_seconds: float = 10.0
    attempts: int = 2


class _Client(Minio):
    """The SDK, and beneath its public face what that face does not offer. Blocks."""

    def __init__(self, bucket: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bucket = bucket

    def make_ready(self) -> None:
        """The bucket, made unless it is there: making may be forbidden where it is."""
        if self.answers():
            return
        try:
            self.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise

    def answers(self) -> bool:
        return self.bucket_exists(self._bucket)

    def create(self, key: str, data: bytes) -> None:
        """An object in one request, unless there is one."""
        self._put_object(self._bucket, key, data, dict(_ONLY_CREATE))

    def begin(self, key: str) -> str:
        return self._create_multipart_upload(self._bucket, key, {})

    def add(self, key: str, upload: str, number: int, part: bytes) -> str:
        return self._upload_part(self._bucket, key, part, None, upload, number)

    def complete(self, key: str, upload: str, etags: Sequence[str]) -> None:
        """The object put together from its parts, unless there is one."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in enumerate(etags, start=1)
        )
        response = self._execute(
            "POST",
            self._bucket,
            key,
            body=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode(),
            headers={"Content-Type": "application/xml", **_ONLY_CREATE},
            query_params={"uploadId": upload},
        )
        if b"<CompleteMultipartUploadResult" not in response.data:  # S3 may begin with 200 and fail afterwards
            raise StoreUnavailableError("the object store did not put the parts together")

    def abort(self, key: str, upload: str) -> None:
        self._abort_multipart_upload(self._bucket, key, upload)

    def open(self, key: str, start: int, stop: int | None) -> BaseHTTPResponse | None:
        """None if the object ends before `start`."""
        try:
            return self.get_object(self._bucket, key, offset=start, length=0 if stop is None else stop - start)
        except S3Error as error:
            if error.code == "InvalidRange":
                return None
            raise

    def remove(self, key: str) -> None:
        """The object, and every upload of it that was interrupted."""
        self.remove_object(self._bucket, key)
        for upload in self._list_multipart_uploads(self._bucket, prefix=key).uploads:
            self.abort(key, str(upload.upload_id))

    def list_all(self) -> Iterator[StoredObject]:
        for each in self.list_objects(self._bucket, prefix=_PREFIX, recursive=True):
            yield StoredObject(str(each.object_name).removeprefix(_PREFIX), cast("datetime", each.last_modified))


class MinioBlobStore:
    """A BlobStore in one bucket, below `documents/`."""

    def __init__(self, bucket: Bucket, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._bucket = bucket
        self._pool = urllib3.PoolManager(
            timeout=Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
            maxsize=limits.in_flight,
            block=True,
            retries=_retries(limits.attempts),
        )
        self._client = _Client(
            bucket.name,
            bucket.endpoint,
            bucket.access_key,
            bucket.secret_key,
            secure=bucket.secure,
            region=bucket.region,
            http_client=self._pool,
        )
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

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.shutdown(wait=False)
        self._pool.clear()

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
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        except S3Error as error:
            raise _translated(error) from None
        except (MinioException, HTTPError) as error:
            raise StoreUnavailableError(f"the object store does not answer ({type(error).__name__})") from None


def _next_page(listing: Iterator[StoredObject]) -> list[StoredObject]:
    return list(islice(listing, _LISTED_AT_ONCE))


def _translated(error: S3Error) -> StoreError:
    if error.code == "NoSuchKey":
        return NoObjectError("there is no object of that name")
    if error.code == "PreconditionFailed":
        return ObjectExistsError("an object of that name is there already")
    return StoreUnavailableError(f"the object store refuses ({error.code})")


def _retries(attempts: int) -> Retry:
    """Again, after a short while, what can be sent twice: anything that never left, and what only reads or deletes."""
    return Retry(
        total=attempts,
        connect=attempts,
        read=attempts,
        redirect=0,
        status=attempts,
        other=0,
        allowed_methods={"GET", "HEAD", "DELETE"},
        status_forcelist={500, 502, 503, 504},
        backoff_factor=0.2,
        backoff_jitter=0.2,
        raise_on_status=False,
    )


def _key(name: str) -> str:
    """A name that is none of ours has no object."""
    if not NAME.fullmatch(name):
        raise NoObjectError("there is no object of that name")
    return _PREFIX + name
