"""What tests of every package share: real servers, fresh databases and buckets.

A server is started when the first test asks for it, and stopped with the session. Where MinIO, SoftHSM or ClamAV
cannot be had the tests that need them are counted and named in one loud line at the end; with CI=true they fail.
"""

import os
import secrets
import shutil
import sys
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

from models.database import Database, open_database, upgrade
from tests.servers.citus import citus
from tests.servers.clamav import ClamdServer, clamav, clamd
from tests.servers.errors import UnavailableError
from tests.servers.minio import MinioServer, minio
from tests.servers.postgresql import PostgresqlServer, postgresql
from tests.servers.softhsm import SoftHsm, SoftToken, softhsm
from tests.servers.standby import Standby, standby

VERSIONS = pytest.StashKey[dict[str, str]]()
NOT_RUN = pytest.StashKey[list[str]]()
ON_CITUS = bool(os.environ.get("DMP_TEST_CITUS"))


# No test asserts a duration, nor how fast the machine draws its examples.
hypothesis.settings.register_profile(
    "repository", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)


class _AtOnce:
    """Tells at once what fails, so that it is known of a run that is ended before its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After each part of a test, wherever it ran."""
        reporter = self._plugins.get_plugin("terminalreporter")
        if report.failed and isinstance(reporter, pytest.TerminalReporter):
            reporter.write_line(f"{report.nodeid} failed in {getattr(report.longrepr, 'reprcrash', report.when)}")


class _WeakKeys(weakref.WeakKeyDictionary[Any, Any]):
    """Forgets a key without running Python for it; not to be iterated while keys go."""

    def __init__(self, other: Any = None) -> None:
        super().__init__(other)
        vars(self)["_remove"] = vars(self)["data"].pop


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("repository")
    if sys.version_info < (3, 12) and config.getoption("cov_source", None):
        # Coverage keeps each thread's greenlets in such a dictionary. They are destroyed between two instructions of
        # the main thread, and CPython 3.11 traces the first instruction of what that runs again and again, for ever,
        # if another thread ends meanwhile.
        vars(weakref)["WeakKeyDictionary"] = _WeakKeys
    config.stash[VERSIONS] = {}
    config.stash[NOT_RUN] = []
    config.pluginmanager.register(_AtOnce(config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes that share the tests is done: what it used, and what it could not run."""
    told = getattr(node, "workeroutput", {})
    node.config.stash[VERSIONS].update(told.get("versions", {}))
    node.config.stash[NOT_RUN].extend(told.get("not_run", []))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Below everything else that pytest prints: which servers were really used, what could not be run."""
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told |= {"versions": session.config.stash[VERSIONS], "not_run": session.config.stash[NOT_RUN]}
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return
    for name, version in sorted(session.config.stash[VERSIONS].items()):
        reporter.write_line(f"really used: {name} {version}")
    reasons = session.config.stash[NOT_RUN]
    for reason, count in sorted(Counter(reasons).items()):
        reporter.write_line(f"{count} TESTS NOT RUN: {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of the service is asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_server(pytestconfig: pytest.Config) -> Iterator[PostgresqlServer]:
    """The session's own PostgreSQL: with DMP_TEST_CITUS, a cluster over which databases are distributed."""
    with citus() if ON_CITUS else postgresql() as server:
        pytestconfig.stash[VERSIONS]["PostgreSQL"] = f"{server.version} ({server.programs})"
        yield server


@pytest.fixture(scope="module")
def standbys(postgresql_server: PostgresqlServer, pytestconfig: pytest.Config) -> Iterator[Callable[[], Standby]]:
    """Makes standbys of the session's PostgreSQL."""
    with ExitStack() as stack:

        def make() -> Standby:
            if ON_CITUS:
                pytest.skip("a replica of one of several servers is not asked")
            try:
                return stack.enter_context(standby(postgresql_server))
            except UnavailableError as error:
                _not_run(pytestconfig, f"a standby cannot be had: {error}")

        yield make


@pytest.fixture(scope="module")
def standby_server(standbys: Callable[[], Standby]) -> Standby:
    """A standby that the tests of a module share; whoever holds its replay lets it go on."""
    return standbys()


@pytest.fixture(scope="session")
def minio_session(pytestconfig: pytest.Config) -> Iterator[MinioServer | str]:
    """The session's own MinIO, or why there is none."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(minio())
        except UnavailableError as error:
            yield str(error)
            return
        pytestconfig.stash[VERSIONS]["MinIO"] = server.version
        yield server


@pytest.fixture
def minio_server(minio_session: MinioServer | str, pytestconfig: pytest.Config) -> MinioServer:
    """The session's own MinIO."""
    if isinstance(minio_session, str):
        _not_run(pytestconfig, f"MinIO cannot be had: {minio_session}")
    return minio_session


@pytest.fixture(scope="session")
def softhsm_session(pytestconfig: pytest.Config) -> SoftHsm | str:
    """SoftHSM 2, or why there is none."""
    try:
        found = softhsm()
    except UnavailableError as error:
        return str(error)
    pytestconfig.stash[VERSIONS]["SoftHSM"] = f"{found.version} ({found.module})"
    return found


@pytest.fixture
def hsm(softhsm_session: SoftHsm | str, pytestconfig: pytest.Config) -> SoftHsm:
    """SoftHSM 2."""
    if isinstance(softhsm_session, str):
        _not_run(pytestconfig, f"SoftHSM cannot be had: {softhsm_session}")
    return softhsm_session


@pytest.fixture
def soft_token(hsm: SoftHsm, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """An empty token that this process and those it starts can see.

    The module reads where tokens are when it is initialised; whoever opens the token does that, since its label is new.
    """
    token = hsm.new_token(tmp_path_factory.mktemp("token"))
    for name, value in token.environment.items():
        monkeypatch.setenv(name, value)
    return token


@pytest.fixture(scope="session")
def clamav_session(pytestconfig: pytest.Config) -> Iterator[ClamdServer | str]:
    """The session's own ClamAV, or why there is none."""
    try:
        program = clamd()
    except UnavailableError as error:
        yield str(error)
        return
    pytestconfig.stash[VERSIONS]["clamd"] = f"{program.version} ({program.path})"
    with clamav(program) as server:
        yield server


@pytest.fixture
def clamav_server(clamav_session: ClamdServer | str, pytestconfig: pytest.Config) -> ClamdServer:
    """The session's own ClamAV."""
    if isinstance(clamav_session, str):
        _not_run(pytestconfig, f"ClamAV cannot be had: {clamav_session}")
    return clamav_session


def _not_run(config: pytest.Config, reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    config.stash[NOT_RUN].append(reason)
    pytest.skip(reason)


@pytest.fixture
def minio_url(minio_server: MinioServer) -> str:
    """Of a bucket that nobody has used; whoever opens the store makes it."""
    return minio_server.url(f"bucket-{secrets.token_hex(8)}")


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Of an empty PostgreSQL database."""
    name = f"empty_{secrets.token_hex(8)}"
    yield postgresql_server.create(name)
    postgresql_server.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Of an empty SQLite database."""
    return f"sqlite:///{tmp_path / 'empty.sqlite'}"


@pytest.fixture(scope="session")
def migrated_postgresql_template(postgresql_server: PostgresqlServer) -> str:
    """Name of a database in which every migration has run, to be copied."""
    name = "migrated"
    upgrade(postgresql_server.create(name), distributed=ON_CITUS)
    return name


@pytest.fixture(scope="session")
def migrated_sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file on which every migration has run, to be copied."""
    path = tmp_path_factory.mktemp("template") / "migrated.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_postgresql_url(postgresql_server: PostgresqlServer, migrated_postgresql_template: str) -> Iterator[str]:
    """Of a PostgreSQL database with all tables and no row."""
    name = f"migrated_{secrets.token_hex(8)}"
    yield postgresql_server.create(name, migrated_postgresql_template)
    postgresql_server.drop(name)


@pytest.fixture
def migrated_sqlite_url(tmp_path: Path, migrated_sqlite_template: Path) -> str:
    """Of a SQLite database with all tables and no row."""
    path = tmp_path / "migrated.sqlite"
    shutil.copyfile(migrated_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Each database engine in turn."""
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> str:
    """Of an empty database on each engine in turn."""
    return str(request.getfixturevalue(f"{dialect}_url"))


@pytest.fixture
def migrated_url(dialect: str, request: pytest.FixtureRequest) -> str:
    """Of a database with all tables and no row, on each engine in turn."""
    return str(request.getfixturevalue(f"migrated_{dialect}_url"))


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """All tables and no row, opened, on each engine in turn."""
    opened = await open_database(migrated_url)
    yield opened
    await opened.close()
