"""`dmp serve`: one worker in this process, or several behind one socket.

SIGTERM ends gracefully: requests in flight are answered and the journal is flushed. SIGHUP loads the policy again,
in every worker.
"""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
import uvloop

from api.log import configure_logging
from api.settings import Settings

GRACEFUL_SECONDS = 15
IDLE_SECONDS = 75
"""A balancer's pool keeps connections for 60 seconds, mostly: who closes first loses no request that is on its way."""
_WORKER_FD = "DMP_WORKER_SOCKET"
_SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"  # the name is the Prometheus client's
_RESTART_SECONDS = 1.0
_COLLECTED_AFTER = 10_000


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Answer on `host:port` until SIGTERM or SIGINT. Raises OSError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    if workers == 1:
        work(settings, listener)
    else:
        _Supervisor(listener, workers).run()


def work(settings: Settings, listener: socket.socket, *, shared_metrics: Path | None = None) -> None:
    """Answer on a bound socket in this process; with `shared_metrics`, as one of several."""
    configure_logging(settings.log_level)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # there is nothing to load again yet
    # uvicorn raises the signal again once it has answered what was in flight: only closing is left then.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, listener, shared_metrics))


async def _work(settings: Settings, listener: socket.socket, shared_metrics: Path | None) -> None:
    from api.asgi import service  # noqa: PLC0415 - the supervisor starts without loading the service
    from api.desk import DeskProtocol  # noqa: PLC0415 - likewise

    async with service(settings, shared_metrics=shared_metrics) as app:
        gc.collect()
        gc.freeze()  # what stays as long as the process need not be looked through again and again
        gc.set_threshold(_COLLECTED_AFTER, 20, 50)  # what a request leaves behind goes without the collector's help
        config = uvicorn.Config(
            app,
            http=partial(DeskProtocol, app.state["desk"]),  # type: ignore[arg-type]  # what is called to make one
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
            timeout_keep_alive=IDLE_SECONDS,
        )
        await uvicorn.Server(config).serve(sockets=[listener])


def _leave(*_: int | FrameType | None) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # what is being closed from now on is closed to the end
    sys.exit(0)


def work_on_inherited_socket(settings: Settings) -> bool:
    """In a worker of several: answer on the supervisor's socket. False if this is not such a process."""
    inherited = os.environ.pop(_WORKER_FD, None)
    if inherited is None:
        return False
    work(settings, socket.socket(fileno=int(inherited)), shared_metrics=Path(os.environ[_SHARED_METRICS]))
    return True


class _Supervisor:
    """Keeps so many workers alive on one socket and passes signals on."""

    def __init__(self, listener: socket.socket, workers: int) -> None:
        self._listener = listener
        self._wanted = workers
        self._workers: list[subprocess.Popen[bytes]] = []
        self._stopping = False

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="dmp-metrics-") as folder:
            self._keep_alive(os.environ | {_SHARED_METRICS: folder, _WORKER_FD: str(self._listener.fileno())})

    def _keep_alive(self, environment: dict[str, str]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        while not self._stopping:
            self._workers = [worker for worker in self._workers if worker.poll() is None]
            while len(self._workers) < self._wanted and not self._stopping:
                self._workers.append(self._start(environment))
            time.sleep(_RESTART_SECONDS)
        for worker in self._workers:
            worker.terminate()  # also the one that was being started when the signal came
        for worker in self._workers:
            worker.wait()

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "api.cli.main", "serve"]
        return subprocess.Popen(command, env=environment, pass_fds=(self._listener.fileno(),))  # noqa: S603 - our own command line

    def _stop(self, *_: int | FrameType | None) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)

    def _reload(self, *_: int | FrameType | None) -> None:
        for worker in self._workers:
            worker.send_signal(signal.SIGHUP)
