"""The small object store on the loopback interface, whose requests fail when a test tells them to."""

import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.doubles.small_s3 import Reply, Request, SmallS3, error


class Fault(Enum):
    """What happens to a request instead of being answered."""

    REFUSED = "it is answered that there is too much to do"
    ERROR = "it is answered that something went wrong"
    RESET = "the connection is broken off before anything is done"
    LOST = "it is done, and its answer is lost"
    BROKEN_OFF = "it is done, and half of its answer comes"
    HANGS = "nothing comes"
    TRICKLES = "the answer comes byte by byte, for ever"


class FailingS3(SmallS3):
    """What befalls requests that contain a text, in turn; all that was asked, as `METHOD /path?query`, and by whom.

    A caller is one connection, by the port at its other end.
    """

    def __init__(self, *lacks: str) -> None:
        super().__init__(*lacks)
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[str] = []
        self.callers: list[int] = []
        self.ended = threading.Event()
        self.address = ""
        self._noting = threading.Lock()

    def fault(self, request: str, caller: int) -> Fault | None:
        """What befalls this request."""
        with self._noting:
            self.requests.append(request)
            self.callers.append(caller)
            waiting = next((faults for text, faults in self.faults.items() if text in request and faults), None)
            return waiting.pop(0) if waiting else None


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    store: FailingS3

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.store.fault(f"{self.command} {self.path}", self.client_address[1])
        match fault:
            case Fault.REFUSED:
                self.send(error(503, "SlowDown"))
            case Fault.ERROR:
                self.send(error(500, "InternalError"))
            case Fault.RESET:
                self.close_connection = True
            case Fault.HANGS:
                self.store.ended.wait()
                self.close_connection = True
            case Fault.TRICKLES:
                self.trickle()
            case _:
                self.send(self.store.answer(self.request_of(body)), fault)

    def request_of(self, body: bytes) -> Request:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        key = url.path.removeprefix("/bucket").removeprefix("/")
        return Request(self.command, key, query, self.headers, body)

    def send(self, reply: Reply, fault: Fault | None = None) -> None:
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
        while not self.store.ended.is_set():
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.001)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815  # names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    """Whose callers may leave in the middle of an answer."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # what socketserver gave


@contextmanager
def listening(store: FailingS3, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its address."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    store.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield store.address
    finally:
        store.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
