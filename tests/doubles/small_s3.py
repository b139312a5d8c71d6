"""A small object store that does what it is asked, but for what it is told to lack.

It keeps versions and locks in memory and verifies no signature. Conditions, ranges, versions and locks are those of
S3 as far as the vault relies on them.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from hashlib import md5
from http import HTTPStatus
from secrets import token_hex

_XML = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class _Version:
    data: bytes
    metadata: dict[str, str]
    locked: bool
    number: str = field(default_factory=lambda: token_hex(8))

    @property
    def headers(self) -> dict[str, str]:
        etag = md5(self.data, usedforsecurity=False).hexdigest()
        return {"ETag": f'"{etag}"', "x-amz-version-id": self.number, **self.metadata}


class SmallS3:
    """One bucket. `lacks` holds what it does not do."""

    def __init__(self, *lacks: str) -> None:
        self.lacks = set(lacks)
        self.exists = False
        self.is_versioned = False
        self.is_locked = False
        self.objects: dict[str, list[_Version]] = {}
        self.uploads: dict[str, tuple[str, dict[str, str], dict[int, bytes]]] = {}
        self._lock = threading.Lock()

    def answer(self, request: "Request") -> Reply:
        """What a request does."""
        does = _OPERATIONS.get((request.method, request.kind))
        with self._lock:
            return getattr(self, does.__name__)(request) if does else error(501, "NotImplemented")

    def find_bucket(self, _: "Request") -> Reply:
        return Reply(200 if self.exists else 404)

    def make_bucket(self, request: "Request") -> Reply:
        self.exists = True
        asked = request.headers.get("x-amz-bucket-object-lock-enabled") == "true"
        self.is_locked = asked and "bucket lock" not in self.lacks
        return Reply(200)

    def tell_versioning(self, _: "Request") -> Reply:
        status = "<Status>Enabled</Status>" if self.is_versioned else ""
        return _xml(f"<VersioningConfiguration>{status}</VersioningConfiguration>")

    def set_versioning(self, request: "Request") -> Reply:
        self.is_versioned = "versions" not in self.lacks and b"Enabled" in request.body
        return Reply(200)

    def tell_lock(self, _: "Request") -> Reply:
        if not self.is_locked:
            return error(404, "ObjectLockConfigurationNotFoundError")
        return _xml("<ObjectLockConfiguration/>")

    def set_lifecycle(self, _: "Request") -> Reply:
        return Reply(200)

    def list(self, request: "Request") -> Reply:
        after, prefix = request.query.get("start-after", ""), request.query["prefix"]
        listed = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in sorted(self.objects)
            if key > after and key.startswith(prefix)
        )
        return _xml(f"<ListBucketResult><Name>bucket</Name>{listed}</ListBucketResult>")

    def list_uploads(self, request: "Request") -> Reply:
        listed = "".join(
            f"<Upload><Key>{key}</Key><UploadId>{upload}</UploadId></Upload>"
            for upload, (key, _, _) in self.uploads.items()
            if key.startswith(request.query["prefix"])
        )
        return _xml(f"<ListMultipartUploadsResult>{listed}</ListMultipartUploadsResult>")

    def read(self, request: "Request") -> Reply:
        versions = self.objects.get(request.key)
        if not versions:
            return error(404, "NoSuchKey")
        version = versions[-1]
        described = version.headers | {"Last-Modified": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if request.method == "HEAD" or asked is None or "ranges" in self.lacks:
            return Reply(200, described, version.data)
        start, stop = int(asked[1]), int(asked[2] or len(version.data)) + 1
        return Reply(206, described, version.data[start:stop])

    def create(self, request: "Request") -> Reply:
        return self._write(request, request.body, _metadata(request.headers), "whole")

    def begin(self, request: "Request") -> Reply:
        upload = token_hex(8)
        self.uploads[upload] = (request.key, _metadata(request.headers), {})
        return _xml(f"<R><UploadId>{upload}</UploadId></R>")

    def add(self, request: "Request") -> Reply:
        number, upload = request.query["partNumber"], request.query["uploadId"]
        if upload not in self.uploads:
            return error(404, "NoSuchUpload")
        self.uploads[upload][2][int(number)] = request.body
        return Reply(200, {"ETag": f'"{number}"'})

    def complete(self, request: "Request") -> Reply:
        upload = request.query["uploadId"]
        if upload not in self.uploads:
            return error(404, "NoSuchUpload")
        _, metadata, parts = self.uploads[upload]
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", request.body)]
        reply = self._write(request, b"".join(parts[number] for number in numbers), metadata, "parts")
        if reply.status != HTTPStatus.OK:
            return reply
        del self.uploads[upload]
        return _xml("<CompleteMultipartUploadResult/>")

    def abort(self, request: "Request") -> Reply:
        return Reply(204) if self.uploads.pop(request.query["uploadId"], None) else error(404, "NoSuchUpload")

    def _write(self, request: "Request", data: bytes, metadata: dict[str, str], kind: str) -> Reply:
        present = self.objects.get(request.key, [])
        known = request.headers.get("If-Match")
        only_new = request.headers.get("If-None-Match") == "*"
        if "conditions" not in self.lacks and f"conditions on {kind}" not in self.lacks:
            changed = known is not None and not (present and present[-1].headers["ETag"] == known)
            if (only_new and present) or changed:
                return error(412, "PreconditionFailed")
        locked = request.headers.get("x-amz-object-lock-mode") == "COMPLIANCE" and "lock" not in self.lacks
        version = _Version(data, metadata, locked)
        self.objects[request.key] = [*present, version] if self.is_versioned else [version]
        return Reply(200, version.headers)

    def remove(self, request: "Request") -> Reply:
        versions = self.objects.get(request.key, [])
        removed = [each for each in versions if each.number == request.query.get("versionId", each.number)]
        if any(each.locked for each in removed):
            return error(400, "InvalidRequest")
        if "deletion" not in self.lacks:
            self.objects[request.key] = [each for each in versions if each not in removed]
            self.objects = {key: versions for key, versions in self.objects.items() if versions}
        return Reply(204)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    key: str
    query: dict[str, str]
    headers: Message
    body: bytes

    @property
    def kind(self) -> str:
        """What it is about: the bucket or an object, or some part of them."""
        about = next((name for name in self.query if name in _PARTICULARS), "")
        return f"{'object' if self.key else 'bucket'} {about}".strip()


_PARTICULARS = ("versioning", "object-lock", "lifecycle", "list-type", "uploads", "uploadId")
_OPERATIONS: dict[tuple[str, str], Callable[[SmallS3, Request], Reply]] = {
    ("HEAD", "bucket"): SmallS3.find_bucket,
    ("PUT", "bucket"): SmallS3.make_bucket,
    ("GET", "bucket versioning"): SmallS3.tell_versioning,
    ("PUT", "bucket versioning"): SmallS3.set_versioning,
    ("GET", "bucket object-lock"): SmallS3.tell_lock,
    ("PUT", "bucket lifecycle"): SmallS3.set_lifecycle,
    ("GET", "bucket list-type"): SmallS3.list,
    ("GET", "bucket uploads"): SmallS3.list_uploads,
    ("HEAD", "object"): SmallS3.read,
    ("GET", "object"): SmallS3.read,
    ("PUT", "object"): SmallS3.create,
    ("POST", "object uploads"): SmallS3.begin,
    ("PUT", "object uploadId"): SmallS3.add,
    ("POST", "object uploadId"): SmallS3.complete,
    ("DELETE", "object uploadId"): SmallS3.abort,
    ("DELETE", "object"): SmallS3.remove,
}


def _metadata(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amz-meta-")}


def _xml(text: str) -> Reply:
    return Reply(200, _XML, text.encode())


def error(status: int, code: str) -> Reply:
    return Reply(status, _XML, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
