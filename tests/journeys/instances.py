"""Instances of the service on one database, which may be killed, and connections that notice what is lost by it."""

import http.client
import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count

from tests.journeys.processes import PATIENCE, Server, Stack, serving
from tests.servers.processes import free_port

_AGAIN_SECONDS = 0.1
_IDLE_SECONDS = 2.0
"""Whoever has asked nothing for so long opens anew, as pools do: long before the server closes what is idle."""

_NEVER = float("inf")


@dataclass(slots=True)
class Outage:
    """A kill, from just before the signal; nothing listens any more at `gone`; everything answers again at `over`."""

    begun: float
    gone: float = _NEVER
    over: float = _NEVER


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection that ended without the answer that was due, or was refused: then it was never opened."""

    tried: float
    noticed: float
    refused: bool
    how: str

    def is_of(self, outage: Outage) -> bool:
        """Whether the kill explains it: it was open at that instant, or it was tried while nothing listened."""
        if self.refused:
            return outage.begun <= self.noticed and self.tried <= outage.over
        return self.tried <= outage.gone and outage.begun <= self.noticed


class Instance:
    """One `dmp serve` at an address of its own, which it keeps when it is started again."""

    def __init__(self, stack: Stack) -> None:
        self.port = free_port()
        self.outages: list[Outage] = []
        self.losses: list[Loss] = []
        self.answers = 0
        """So many that came, from whatever connection: a measure of progress, not a count."""
        self._stack = stack
        self._running = ExitStack()
        self._server: Server

    def start(self) -> None:
        self._server = self._running.enter_context(serving(self._stack, port=self.port))
        for outage in self.outages[-1:]:
            outage.over = time.monotonic()

    def kill(self) -> None:
        """In the middle of whatever it does."""
        outage = Outage(time.monotonic())
        self.outages.append(outage)
        self._server.send(signal.SIGKILL)
        assert self._server.wait() == -signal.SIGKILL
        outage.gone = time.monotonic()

    def stop(self) -> None:
        self._running.close()

    def unexplained(self) -> list[Loss]:
        """What no kill explains."""
        return [loss for loss in self.losses if not any(map(loss.is_of, self.outages))]


@contextmanager
def running(stack: Stack, number: int) -> Iterator[Sequence[Instance]]:
    """So many of one stack, stopped when the block ends."""
    instances = [Instance(stack) for _ in range(number)]
    with ExitStack() as ends:
        for instance in instances:
            ends.callback(instance.stop)
            instance.start()
        yield instances


@dataclass(frozen=True, slots=True)
class Answer:
    """What came to a request; `request` is the id under which it stands in the journal."""

    request: str
    status: int
    body: bytes


class Connection:
    """One at a time to an instance, opened anew where it was lost; nothing is asked twice."""

    def __init__(self, instance: Instance, key: str, name: str) -> None:
        self.instance = instance
        self._key = key
        self._names = (f"{name}-{number}" for number in count())
        self._open: http.client.HTTPConnection | None = None
        self._tried = self._used = 0.0

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        """None where no answer came: whether the request arrived is not known then."""
        request = next(self._names)
        told = {"Authorization": f"Bearer {self._key}", "X-Request-ID": request, **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        try:
            connection = self._opened()
            connection.request(method, path, data, told | ({"Content-Type": "application/json"} if data else {}))
            response = connection.getresponse()
            answer = Answer(request, response.status, response.read())
        except (ConnectionError, http.client.IncompleteRead) as error:
            refused = isinstance(error, ConnectionRefusedError)
            self.instance.losses.append(Loss(self._tried, time.monotonic(), refused, repr(error)))
            self.close()
            if refused:
                time.sleep(_AGAIN_SECONDS)  # until it is tried again
            return None
        self.instance.answers += 1
        self._used = time.monotonic()
        return answer

    def _opened(self) -> http.client.HTTPConnection:
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self.close()
        if self._open is None:
            self._tried = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=PATIENCE)
            connection.connect()
            connection.auto_open = 0
            self._open = connection
        return self._open
