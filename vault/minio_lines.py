"""Connections that another thread may cut: what blocks on one ends at once, however slowly the other side goes on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry, Timeout

from vault.limits import Limits

_thread = threading.local()


class Line:
    """The connection of one call, or of one reading in several; the thread that works says so by `used`.

    Between two bytes that are sent `seconds` may pass: urllib3 would allow as long as for connecting, for all of them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    @contextmanager
    def used(self) -> Iterator[None]:
        """Connections that this thread speaks on are this line's."""
        _thread.line = self
        try:
            yield
        finally:
            _thread.line = None

    def cut(self) -> None:
        """End what is going on, and whatever would begin."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):  # it ended by itself
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # the lower one: TLS would say farewell

    def hold(self, connected: socket.socket) -> None:
        """What is cut from now on. Raises TimeoutError if it was meanwhile."""
        with self._lock:
            if self._is_cut:
                raise TimeoutError("the line was cut")
            connected.settimeout(self._seconds)
            self._socket = connected


class _Held(HTTPConnection):
    """Belongs to the line of the thread that speaks on it.

    Who answers that he cannot is not asked again on it: behind a balancer of connections another node may be able to.
    """

    _is_refused = False

    def connect(self) -> None:
        super().connect()
        _thread.line.hold(self.sock)

    def request(self, *arguments: Any, **options: Any) -> None:
        if self._is_refused:
            self.close()  # it connects anew
        if self.sock is not None:  # kept from an earlier request
            _thread.line.hold(self.sock)
        super().request(*arguments, **options)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        response = super().getresponse()
        self._is_refused = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return response


class _HeldTls(_Held, HTTPSConnection):
    pass


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Held


class _Tls(HTTPSConnectionPool):
    ConnectionCls = _HeldTls


def pool_of_lines(limits: Limits, size: int) -> urllib3.PoolManager:
    """So many connections of such lines. What fails is not tried again here: whoever waits decides."""
    manager = urllib3.PoolManager(
        timeout=Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
        maxsize=size,
        block=True,
        retries=Retry(total=0, redirect=0, raise_on_status=False),
    )
    manager.pool_classes_by_scheme = {"http": _Plain, "https": _Tls}
    return manager
