"""The servers under the other tests are real, and obtained once."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import asyncpg
import pytest

from tests.servers.cache import WORKSHOP, kept
from tests.servers.minio import MinioServer
from tests.servers.postgresql import PostgresqlServer, in_package, postgresql


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
