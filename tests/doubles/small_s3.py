"""A small object store that does what it is asked, but for what it is told to lack, and fails when it is told to.

It keeps versions and locks in memory and verifies no signature. Conditions, ranges, versions and locks are those of
S3 as far as the vault relies on them.
"""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from enum import Enum
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

_XML = {"Content-Type": "application/xml"}


class Fault(Enum):
    """What happens to a request instead of being answered."""

    REFUSED = "it is answered that there is too much to do"
    ERROR = "it is answered that something went wrong"
    RESET = "the connection is broken off before anything is done"
    LOST = "it is done, and its answer is lost"
    BROKEN_OFF = "it is done, and half of its answer comes"
    HANGS = "nothing comes"
    TRICKLES = "the answer comes byte by byte, for ever"


@dataclass(frozen=True, slots=True)
class _Reply:
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
    """One bucket. `lacks` holds what it does not do; `faults` what befalls requests that contain a text, in turn."""

    def __init__(self, *lacks: str) -> None:
        self.lacks = set(lacks)
        self.exists = False
        self.is_versioned = False
        self.is_locked = False
        self.objects: dict[str, list[_Version]] = {}
        self.uploads: dict[str, tuple[str, dict[str, str], dict[int, bytes]]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[str] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()

    def fault(self, request: str) -> Fault | None:
        """What befalls this request."""
        with self._lock:
            self.requests.append(request)
            waiting = next((faults for text, faults in self.faults.items() if text in request and faults), None)
            return waiting.pop(0) if waiting else None

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> _Reply:
        """What a request does."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        key = url.path.removeprefix("/bucket").removeprefix("/")
        with self._lock:
            return self._object(method, key, query, headers, body) if key else self._bucket(method, query, headers, body)

    def _bucket(self, method: str, query: dict[str, str], headers: Message, body: bytes) -> _Reply:
        match method, query:
            case "HEAD", _:
                return _Reply(200 if self.exists else 404)
            case "PUT", {"versioning": _}:
                self.is_versioned = "versions" not in self.lacks and b"Enabled" in body
                return _Reply(200)
            case "GET", {"versioning": _}:
                status = "<Status>Enabled</Status>" if self.is_versioned else ""
                return _xml(f"<VersioningConfiguration>{status}</VersioningConfiguration>")
            case "GET", {"object-lock": _}:
                return _xml("<ObjectLockConfiguration/>") if self.is_locked else _error(404, "ObjectLockConfigurationNotFoundError")
            case "PUT", {"lifecycle": _}:
                return _Reply(200)
            case "GET", {"list-type": _}:
                names = sorted(key for key in self.objects if query.get("start-after", "") < key)
                listed = "".join(
                    f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                    for key in names
                    if key.startswith(query["prefix"])
                )
                return _xml(f"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>")
            case "GET", {"uploads": _}:
                listed = "".join(
                    f"<Upload><Key>{key}</Key><UploadId>{upload}</UploadId></Upload>"
                    for upload, (key, _, _) in self.uploads.items()
                    if key.startswith(query["prefix"])
                )
                return _xml(f"<ListMultipartUploadsResult>{listed}</ListMultipartUploadsResult>")
            case "PUT", _:
                self.exists = True
                self.is_locked = headers.get("x-amz-bucket-object-lock-enabled") == "true" and "bucket lock" not in self.lacks
                return _Reply(200)
        return _error(501, "NotImplemented")

    def _object(self, method: str, key: str, query: dict[str, str], headers: Message, body: bytes) -> _Reply:
        versions = self.objects.get(key, [])
        match method, query:
            case "HEAD" | "GET", _:
                return self._read(versions[-1], headers, method) if versions else _error(404, "NoSuchKey")
            case "PUT", {"uploadId": upload, "partNumber": number}:
                if upload not in self.uploads:
                    return _error(404, "NoSuchUpload")
                self.uploads[upload][2][int(number)] = body
                return _Reply(200, {"ETag": f'"{number}"'})
            case "PUT", _:
                return self._write(key, body, headers, _metadata(headers))
            case "POST", {"uploads": _}:
                upload = token_hex(8)
                self.uploads[upload] = (key, _metadata(headers), {})
                return _xml(f"<R><UploadId>{upload}</UploadId></R>")
            case "POST", {"uploadId": upload}:
                if upload not in self.uploads:
                    return _error(404, "NoSuchUpload")
                _, metadata, parts = self.uploads[upload]
                numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
                reply = self._write(key, b"".join(parts[number] for number in numbers), headers, metadata, "parts")
                if reply.status != 200:
                    return reply
                del self.uploads[upload]
                return _xml("<CompleteMultipartUploadResult/>")
            case "DELETE", {"uploadId": upload}:
                return _Reply(204) if self.uploads.pop(upload, None) else _error(404, "NoSuchUpload")
            case "DELETE", _:
                return self._remove(key, versions, query)
        return _error(501, "NotImplemented")

    def _read(self, version: _Version, headers: Message, method: str) -> _Reply:
        described = version.headers | {"Last-Modified": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range", ""))
        if headers.get("If-None-Match") == version.headers["ETag"]:
            return _Reply(304)
        if method == "HEAD" or asked is None or "ranges" in self.lacks:
            return _Reply(200, described, version.data)
        start, stop = int(asked[1]), int(asked[2] or len(version.data)) + 1
        if start >= len(version.data):
            return _error(416, "InvalidRange")
        return _Reply(206, described, version.data[start:stop])

    def _write(
        self, key: str, data: bytes, headers: Message, metadata: dict[str, str], kind: str = "whole"
    ) -> _Reply:
        present = self.objects.get(key)
        only_new = headers.get("If-None-Match") == "*" and not {"conditions", f"conditions on {kind}"} & self.lacks
        known = headers.get("If-Match")
        if (only_new and present) or (known and (not present or present[-1].headers["ETag"] != known)):
            return _error(412, "PreconditionFailed")
        locked = headers.get("x-amz-object-lock-mode") == "COMPLIANCE" and "lock" not in self.lacks
        version = _Version(data, metadata, locked)
        self.objects[key] = [*(present or []), version] if self.is_versioned else [version]
        return _Reply(200, version.headers)

    def _remove(self, key: str, versions: list[_Version], query: dict[str, str]) -> _Reply:
        removed = [each for each in versions if each.number == query.get("versionId", each.number)]
        if any(each.locked for each in removed):
            return _error(400, "InvalidRequest")
        if "deletion" not in self.lacks:
            self.objects[key] = [each for each in versions if each not in removed]
            if not self.objects[key]:
                del self.objects[key]
        return _Reply(204)


@contextmanager
def small_s3(store: SmallS3) -> Iterator[str]:
    """Its address on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = store.fault(f"{self.command} {self.path}")
            match fault:
                case Fault.REFUSED:
                    self.send(_error(503, "SlowDown"))
                case Fault.ERROR:
                    self.send(_error(500, "InternalError"))
                case Fault.RESET:
                    self.close_connection = True
                case Fault.HANGS:
                    store.ended.wait()
                    self.close_connection = True
                case Fault.TRICKLES:
                    self.trickle()
                case _:
                    self.send(store.answer(self.command, self.path, self.headers, body), fault)

        def send(self, reply: _Reply, fault: Fault | None = None) -> None:
            self.close_connection = fault is not None
            if fault is Fault.LOST:
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + (10 if fault else 0)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: len(reply.body) // 2] if fault else reply.body)

        def trickle(self) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not store.ended.is_set():
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.001)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815  # names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        """Whose callers may leave in the middle of an answer."""

        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            if not isinstance(sys.exception(), ConnectionError):
                raise

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        store.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _metadata(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amz-meta-")}


def _xml(text: str) -> _Reply:
    return _Reply(200, _XML, text.encode())


def _error(status: int, code: str) -> _Reply:
    return _Reply(status, _XML, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
