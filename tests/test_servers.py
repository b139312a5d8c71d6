"""The servers under the other tests are real, and obtained once."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from threading import Event

import asyncpg
import pytest
import urllib3
from minio import Minio
from minio.error import S3Error

from tests.servers.balancer import balancer
from tests.servers.cache import WORKSHOP, kept
from tests.servers.cluster import cluster
from tests.servers.errors import UnavailableError
from tests.servers.minio import MinioServer
from tests.servers.namespaces import Network, namespaces, network, sweep
from tests.servers.postgresql import PostgresqlServer, in_package, postgresql
from tests.servers.processes import free_port


class Maker:
    """Makes a file, slowly if asked to, and counts how often."""

    def __init__(self) -> None:
        self.times = 0
        self.may_finish = Event()
        self.may_finish.set()

    def __call__(self, workshop: Path) -> Path:
        self.times += 1
        product = workshop / "product"
        product.write_text("half ")
        assert self.may_finish.wait(30)
        with product.open("a") as file:
            file.write("whole")
        return product


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_what_is_kept_is_made_once(tmp_path: Path, maker: Maker) -> None:
    """The second run finds what the first one made."""
    paths = [kept("thing", maker, tmp_path), kept("thing", maker, tmp_path)]
    assert ([path.read_text() for path in paths], maker.times) == (["half whole", "half whole"], 1)


def test_two_runs_at_once_make_it_once(tmp_path: Path, maker: Maker) -> None:
    """A run that comes while another one is making waits for it, and never sees half of it."""
    maker.may_finish.clear()
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(kept, "thing", maker, tmp_path) for _ in range(2)]
        maker.may_finish.set()
        assert [run.result().read_text() for run in runs] == ["half whole", "half whole"]
    assert maker.times == 1


def test_a_run_that_failed_leaves_nothing_to_be_found(tmp_path: Path) -> None:
    """An interrupted build is not taken for a build."""

    def interrupted(workshop: Path) -> Path:
        (workshop / "product").write_text("half ")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept("thing", interrupted, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path, maker: Maker) -> None:
    """A workshop that nobody works in is removed before the next one opens."""
    remains = tmp_path / f"{WORKSHOP}thing-killed"
    remains.mkdir()
    kept("thing", maker, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thing", "thing.lock"]


async def test_postgresql_is_real_and_durable(postgresql_server: PostgresqlServer, postgresql_url: str) -> None:
    """A fresh database has no table, and the cluster writes through to the disk."""
    connection = await asyncpg.connect(postgresql_url)
    try:
        version = await connection.fetchval("show server_version")
        tables = await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'")
        durable = [await connection.fetchval(f"show {name}") for name in ("fsync", "synchronous_commit")]
    finally:
        await connection.close()
    assert (version.split()[0], tables, durable) == (postgresql_server.version, 0, ["on", "on"])


def test_minio_is_real_and_asks_for_its_keys(minio_server: MinioServer) -> None:
    """A request without keys is refused by MinIO itself."""
    connection = HTTPConnection(minio_server.address, timeout=30)
    connection.request("GET", "/")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert (response.status, response.getheader("Server")) == (403, "MinIO")


def test_keys_and_passwords_are_not_shown(minio_server: MinioServer, postgresql_server: PostgresqlServer) -> None:
    """The repr of a server does not open it."""
    shown = repr([minio_server, postgresql_server])
    assert [minio_server.secret_key in shown, postgresql_server.password in shown] == [False, False]


@pytest.mark.long
async def test_postgresql_can_come_from_the_python_package() -> None:
    """A machine without PostgreSQL gets it from the package that carries it."""
    if not (folders := in_package()):
        pytest.skip("the package that carries PostgreSQL is not installed; `make test-long` installs it")
    with postgresql(folders[0]) as server:
        connection = await asyncpg.connect(server.url())
        answer = await connection.fetchval("show server_version")
        await connection.close()
        assert answer.split()[0] == server.version


@pytest.fixture
def hosts() -> Iterator[Network]:
    """Two hosts. Where there can be none the store of four nodes says so, at the end of every run."""
    try:
        with network(2) as made:
            yield made
    except UnavailableError as error:
        pytest.skip(str(error))


def test_nothing_stays_of_hosts(hosts: Network) -> None:
    """Namespaces, interfaces and folder bear one name, and are gone with the block."""
    with network(2) as others:
        made = (namespaces(others.name), interfaces(others.name), others.folder.exists())
        assert others.subnet != hosts.subnet
    name = others.name
    assert made == ([f"{name}-1", f"{name}-2"], [name, f"{name}v1", f"{name}v2"], True)
    assert (namespaces(name), interfaces(name), others.folder.exists()) == ([], [], False)


def interfaces(name: str) -> list[str]:
    return sorted(each for _, each in socket.if_nameindex() if each.startswith(name))


def python(program: str, *where: str) -> subprocess.Popen[bytes]:
    """A program, running; on a host if its command's beginning is given."""
    return subprocess.Popen(  # noqa: S603 - written below
        [*where, sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_hosts_are_apart(hosts: Network) -> None:
    """Each has a loopback interface of its own: what listens here is not there."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        program = f"import socket; socket.create_connection(('127.0.0.1', {here.getsockname()[1]}), 30)"
        told = []
        for where in ([], hosts.inside(1)):
            with python(program, *where) as call:
                told.append(b"ConnectionRefusedError" in call.communicate()[1])
    assert told == [False, True]


HOLDS_A_HOST = """
from tests.servers.namespaces import network
with network(1) as made:
    print(made.name, flush=True)
    input()
"""


@pytest.mark.usefixtures("hosts")
def test_hosts_of_a_killed_run_are_swept_away() -> None:
    """And those of a run that lives are not."""
    with python(HOLDS_A_HOST) as run:
        assert run.stdout
        name = run.stdout.readline().decode().strip()
        sweep()
        assert namespaces(name) == [f"{name}-1"]
        run.kill()
    sweep()
    assert (namespaces(name), interfaces(name)) == ([], [])


@contextmanager
def greeting() -> Iterator[tuple[str, socket.socket]]:
    """A node that takes connections, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}", listener


def test_a_balancer_goes_round_and_passes_over_the_dead() -> None:
    """Each connection goes to the next node that listens, both ways, and ends with it."""
    with (
        greeting() as (first, one),
        greeting() as (second, two),
        balancer([first, f"127.0.0.1:{free_port()}", second]) as address,
    ):
        host, _, port = address.rpartition(":")
        for node in (one, two, one):
            with socket.create_connection((host, int(port)), timeout=30) as client:
                connection, _ = node.accept()
                with connection:
                    client.sendall(b"there")
                    assert connection.recv(5, socket.MSG_WAITALL) == b"there"
                    connection.sendall(b"back")
                assert [client.recv(4, socket.MSG_WAITALL), client.recv(1)] == [b"back", b""]


def test_a_balancer_without_nodes_hangs_up() -> None:
    """Whoever calls is not left waiting."""
    with balancer([f"127.0.0.1:{free_port()}"]) as address:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            assert client.recv(1) == b""


def test_without_hosts_a_store_of_four_nodes_is_four_folders_and_says_so(
    minio_server: MinioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them taken away it reads and does not write; with them again it does both."""

    def not_allowed(_: int) -> None:
        raise UnavailableError("not here")

    monkeypatch.setattr("tests.servers.cluster.network", not_allowed)
    with cluster() as store, urllib3.PoolManager(retries=False) as pool:
        server = store.server
        assert server.version == minio_server.version
        assert store.told == "ONE PROCESS WITH 4 FOLDERS INSTEAD OF 4 HOSTS: not here"
        client = Minio(server.address, server.access_key, server.secret_key, secure=False, http_client=pool)
        client.make_bucket("bucket")
        client.put_object("bucket", "name", BytesIO(b"content"), 7)
        store.lose(1)
        client.put_object("bucket", "other", BytesIO(b"content"), 7)
        store.lose(2)
        with pytest.raises(S3Error, match="SlowDownWrite"):
            client.put_object("bucket", "third", BytesIO(b"content"), 7)
        assert [client.get_object("bucket", name).data for name in ("name", "other")] == [b"content"] * 2
        store.bring_back()
        client.put_object("bucket", "third", BytesIO(b"content"), 7)
        assert client.get_object("bucket", "third").data == b"content"
