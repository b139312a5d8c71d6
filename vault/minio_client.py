"""A MinIO bucket through its SDK, which blocks: the one module that meets it. What goes wrong is told in our words.

The SDK's `put_object` sends `If-None-Match` as metadata of the object, where it means nothing; creating without
overwriting therefore goes one level below.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar, cast
from xml.sax.saxutils import escape

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error, ServerError
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from vault.blobs import StoredObject
from vault.errors import NoObjectError, ObjectExistsError, StoreError, StoreUnavailableError
from vault.notices import Notice

T = TypeVar("T")

DOCUMENTS = "documents/"

_ONLY_CREATE = {"If-None-Match": "*"}


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


class Client(Minio):
    """The SDK on one bucket, and beneath its public face what that face does not offer. Call it by `asked`."""

    def __init__(self, bucket: Bucket, limits: Limits) -> None:
        self._pool = urllib3.PoolManager(
            timeout=Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
            maxsize=limits.in_flight,
            block=True,
            retries=_retries(limits.attempts),
        )
        super().__init__(
            bucket.endpoint,
            bucket.access_key,
            bucket.secret_key,
            secure=bucket.secure,
            region=bucket.region,
            http_client=self._pool,
        )
        self._bucket = bucket.name

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
        for each in self.list_objects(self._bucket, prefix=DOCUMENTS, recursive=True):
            yield StoredObject(str(each.object_name).removeprefix(DOCUMENTS), cast("datetime", each.last_modified))

    def read(self, key: str, most: int, known: str | None) -> Notice | None:
        """An object with its ETag, or None if that is the one known."""
        try:
            response = self.get_object(self._bucket, key, request_headers={"If-None-Match": known} if known else None)
        except ServerError as error:
            if error.status_code == HTTPStatus.NOT_MODIFIED:
                return None
            raise
        try:
            return Notice(response.headers["ETag"], response.read(most))
        finally:
            response.close()
            response.release_conn()

    def replace(self, key: str, data: bytes, known: str | None) -> str:
        """Its new ETag. Raises S3Error unless the object has the one known, or is new."""
        condition = _ONLY_CREATE if known is None else {"If-Match": known}
        return str(self._put_object(self._bucket, key, data, dict(condition)).http_headers["ETag"])

    def close(self) -> None:
        self._pool.clear()


def asked(function: Callable[..., T], *arguments: Any) -> T:
    """What a method of the client gives. Raises StoreError, and nothing of the SDK."""
    try:
        return function(*arguments)
    except S3Error as error:
        raise _translated(error) from None
    except (MinioException, HTTPError) as error:
        raise StoreUnavailableError(f"the object store does not answer ({type(error).__name__})") from None


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
