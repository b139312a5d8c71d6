"""Objects and notices of a MinIO bucket through its SDK, which blocks. What goes wrong is told in our words.

The SDK's `put_object` sends `If-None-Match` as metadata of the object, where it means nothing; creating without
overwriting therefore goes one level below. What is created carries a random word of its own: a creation that is sent
again because its answer was lost finds itself there already, and knows itself by that word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import cast
from xml.sax.saxutils import escape

from minio import Minio
from minio.error import S3Error, ServerError
from urllib3 import BaseHTTPResponse

from vault.blobs import StoredObject
from vault.errors import StoreSilentError, StoreUnavailableError
from vault.limits import Limits
from vault.minio_lines import pool_of_lines
from vault.notices import Notice

DOCUMENTS = "documents/"
LISTED_AT_ONCE = 1000

ONLY_CREATE = {"If-None-Match": "*"}

_WORD = "x-amz-meta-creation"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects are and what opens the door. The region is asked for by the protocol, and free on MinIO.

    Records are locked for so many days; none at all means that the bucket does without a lock.
    """

    endpoint: str
    name: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"
    retention_days: int = 3650


class Client(Minio):
    """The SDK on one bucket, and beneath its public face what that face does not offer.

    Call it by `vault.minio_errors.asked` on a line. Whatever it does may be done twice.
    """

    def __init__(self, bucket: Bucket, limits: Limits) -> None:
        self._pool = pool_of_lines(limits, 2 * limits.in_flight)
        self._judged = pool_of_lines(limits, 1)
        super().__init__(
            bucket.endpoint,
            bucket.access_key,
            bucket.secret_key,
            secure=bucket.secure,
            region=bucket.region,
            http_client=self._pool,
        )
        self._bucket = bucket.name
        self._health = f"{'https' if bucket.secure else 'http'}://{bucket.endpoint}/minio/health/cluster"

    def answers(self) -> bool:
        return self.bucket_exists(self._bucket)

    def cannot_write(self) -> bool:
        """Whether it says so, which MinIO alone does: its header tells that from what stands before it.

        Twice, each time on a new connection: of several nodes one may be cut off from others that can.
        """
        for _ in range(2):
            answer = self._judged.request("GET", self._health, headers={"Connection": "close"})
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or "x-minio-write-quorum" not in answer.headers:
                return False
        return True

    def create(self, key: str, data: bytes, word: str) -> None:
        """An object in one request, unless there is another one."""
        try:
            self._put_object(self._bucket, key, data, {**ONLY_CREATE, _WORD: word})
        except S3Error as error:
            if error.code != "PreconditionFailed" or self._created(key, word) is None:
                raise

    def begin(self, key: str, word: str) -> str:
        return self._create_multipart_upload(self._bucket, key, {_WORD: word})

    def add(self, key: str, upload: str, number: int, part: bytes) -> str:
        return self._upload_part(self._bucket, key, part, None, upload, number)

    def complete(self, key: str, upload: str, etags: Sequence[str], word: str) -> None:
        """The object put together from its parts, unless there is another one."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in enumerate(etags, start=1)
        )
        try:
            response = self._execute(
                "POST",
                self._bucket,
                key,
                body=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode(),
                headers={"Content-Type": "application/xml", **ONLY_CREATE},
                query_params={"uploadId": upload},
            )
        except S3Error as error:
            if error.code not in {"PreconditionFailed", "NoSuchUpload"} or self._created(key, word) is None:
                raise
            return
        if b"<CompleteMultipartUploadResult" not in response.data:  # S3 may begin with 200 and fail afterwards
            raise StoreSilentError("the object store did not put the parts together")

    def abort(self, key: str, upload: str) -> None:
        try:
            self._abort_multipart_upload(self._bucket, key, upload)
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise

    def open(self, key: str, stop: int | None, start: int) -> BaseHTTPResponse | None:
        """None if the object or the range ends before `start`."""
        if stop is not None and stop <= start:
            return None
        try:
            return self.get_object(self._bucket, key, offset=start, length=0 if stop is None else stop - start)
        except S3Error as error:
            if error.code == "InvalidRange":
                return None
            raise

    def remove(self, key: str) -> None:
        """Every upload of the object that was interrupted, then its versions and marks of deletion from the last on.

        One by one as each becomes the current one: listing versions would walk through all objects of the folder.
        """
        for upload in self._list_multipart_uploads(self._bucket, prefix=key).uploads:
            self.abort(key, str(upload.upload_id))
        removed: set[str] = set()
        while (version := self._current_version(key)) is not None:
            if version in removed:
                raise StoreUnavailableError("the object store keeps what it was asked to remove")
            self.remove_object(self._bucket, key, version_id=version)
            removed.add(version)

    def list_after(self, name: str) -> list[StoredObject]:
        """The next objects in order; none if there are no more."""
        listed = self.list_objects(self._bucket, prefix=DOCUMENTS, recursive=True, start_after=DOCUMENTS + name)
        return [
            StoredObject(str(each.object_name).removeprefix(DOCUMENTS), cast("datetime", each.last_modified))
            for each in islice(listed, LISTED_AT_ONCE)
        ]

    def read(self, key: str, most: int, known: str | None = None) -> Notice | None:
        """None if the object has the ETag known."""
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

    def replace(self, key: str, data: bytes, known: str | None, word: str) -> str:
        """Its new ETag. Raises S3Error unless the object has the one known, or is new."""
        condition = ONLY_CREATE if known is None else {"If-Match": known}
        try:
            return str(self._put_object(self._bucket, key, data, {**condition, _WORD: word}).http_headers["ETag"])
        except S3Error as error:
            created = self._created(key, word) if error.code == "PreconditionFailed" else None
            if created is None:
                raise
            return created

    def close(self) -> None:
        for each in (self._pool, self._judged):
            each.clear()

    def _created(self, key: str, word: str) -> str | None:
        """The ETag of the present object, if it is the one that was created with that word."""
        try:
            headers = self.stat_object(self._bucket, key).metadata or {}
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return str(headers["ETag"]) if headers.get(_WORD) == word else None

    def _current_version(self, key: str) -> str | None:
        """Of the object or of the mark that says it is deleted; None if there is neither."""
        try:
            return self.stat_object(self._bucket, key).version_id or "null"
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return error.response.headers.get("x-amz-version-id")
