"""A MinIO store of four nodes, any of which can be lost and brought back: four hosts on one machine.

Each node has one drive, and the store its default parity: two of four drives are enough to read, three to write.
Where hosts cannot be made it is one process with four folders, and the store says so.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Protocol

from tests.servers.balancer import balancer
from tests.servers.errors import UnavailableError
from tests.servers.minio import MinioServer, judges, minio, new_drives, new_server, obtain, settings
from tests.servers.namespaces import Network, network
from tests.servers.processes import running, wait_for

NODES = range(1, 5)
_PORT = 9000


class Cluster(Protocol):
    """A store, with a balancer before its nodes; `told` says what it is made of, for the end of a run."""

    server: MinioServer
    told: str

    def lose(self, node: int) -> None:
        """It ends at this instant, in the middle of whatever it does."""
        ...

    def bring_back(self) -> None:
        """Whatever was lost, with what it had. Returns once it answers.

        It may refuse to write a little longer: what a node did not reach at its start it looks for every fifteen
        seconds.
        """
        ...


@contextmanager
def cluster() -> Iterator[Cluster]:
    """As real as this machine allows, which is tried. Raises UnavailableError where there is no MinIO."""
    with ExitStack() as stack:
        try:
            store: Cluster = stack.enter_context(of_hosts())
        except UnavailableError as error:
            store = stack.enter_context(of_folders(str(error)))
        yield store


@contextmanager
def of_hosts() -> Iterator[Cluster]:
    """Four nodes, each on a host of its own. Raises UnavailableError."""
    obtain()
    with network(len(NODES)) as hosts, ExitStack() as nodes:
        address = nodes.enter_context(balancer([f"{hosts.address(node)}:{_PORT}" for node in NODES]))
        server = new_server(address, new_drives(hosts.folder, len(NODES)))
        store = _Hosts(server, hosts)
        nodes.callback(store.stop)
        store.bring_back()
        yield store


@contextmanager
def of_folders(why: str) -> Iterator[Cluster]:
    """One process with four folders, which can be taken away from it. Raises UnavailableError."""
    with minio(drives=len(NODES)) as server:
        yield _Folders(server, f"ONE PROCESS WITH {len(NODES)} FOLDERS INSTEAD OF {len(NODES)} HOSTS: {why}")


@dataclass(slots=True)
class _Hosts:
    server: MinioServer
    hosts: Network
    told: str = f"{len(NODES)} hosts, each in a network namespace of its own"
    _running: dict[int, tuple[ExitStack, Popen[bytes]]] = field(default_factory=dict)

    def lose(self, node: int) -> None:
        stack, process = self._running.pop(node)
        process.kill()
        stack.close()

    def bring_back(self) -> None:
        """Together: none answers before the others are there."""
        for node in NODES:
            if node not in self._running:
                self._start(node)
        for node in NODES:
            wait_for(self._running[node][1], partial(judges, self._address(node)), self._log(node))

    def stop(self) -> None:
        for node in list(self._running):
            self.lose(node)

    def _start(self, node: int) -> None:
        drives = zip(NODES, self.server.drives, strict=True)
        peers = [f"http://{self._address(peer)}{drive}" for peer, drive in drives]
        command = [*self.hosts.inside(node), str(obtain()), "server", "--address", self._address(node), *peers]
        environment = settings(self.server, self.hosts.folder)
        stack = ExitStack()
        process = stack.enter_context(
            running(command, log=self._log(node), answers=lambda: True, environment=environment)
        )
        self._running[node] = stack, process

    def _address(self, node: int) -> str:
        return f"{self.hosts.address(node)}:{_PORT}"

    def _log(self, node: int) -> Path:
        return self.hosts.folder / f"log{node}"


@dataclass(slots=True)
class _Folders:
    server: MinioServer
    told: str

    def lose(self, node: int) -> None:
        """A file stands where the folder was: MinIO would make an empty one again, and call it a new drive."""
        drive = self.server.drives[node - 1]
        drive.rename(_aside(drive))
        drive.touch()

    def bring_back(self) -> None:
        for drive in self.server.drives:
            if (aside := _aside(drive)).exists():
                drive.unlink()
                aside.rename(drive)


def _aside(drive: Path) -> Path:
    return drive.with_name(f"{drive.name}-lost")
