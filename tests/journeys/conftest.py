"""One service for each stack, started when the first journey asks for it; journeys keep apart by their dossiers."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.processes import Stack
from tests.journeys.service import Record, Service, populated
from tests.servers.minio import MinioServer
from tests.servers.postgresql import PostgresqlServer

Variables = dict[str, str]


def production_stack(
    folder: Path, postgresql: PostgresqlServer, template: str, minio: MinioServer, common: Variables
) -> Stack:
    """PostgreSQL and MinIO, with an empty database and bucket of their own."""
    name = f"journeys_{secrets.token_hex(8)}"
    variables = {
        **common,
        "DMP_DATABASE_URL": postgresql.create(name, template),
        "DMP_VAULT_URL": minio.url(name.replace("_", "-")),
    }
    return Stack("production", folder / "production", variables)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Variables:
    """Whatever the service can say, it says; what a process has compiled, the next one finds."""
    return {"DMP_LOG_LEVEL": "debug", "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode"))}


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory, common: Variables) -> Iterator[Service]:
    """SQLite and the filesystem."""
    with populated(Stack("embedded", tmp_path_factory.mktemp("journeys") / "embedded", common)) as service:
        yield service


@pytest.fixture(scope="session")
def production(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,
    migrated_postgresql_template: str,
    minio_session: MinioServer | str,
    common: Variables,
) -> Iterator[Service]:
    """PostgreSQL and MinIO; `service` asks for it only where MinIO can be had."""
    assert isinstance(minio_session, MinioServer)
    folder = tmp_path_factory.mktemp("journeys")
    with populated(
        production_stack(folder, postgresql_server, migrated_postgresql_template, minio_session, common)
    ) as service:
        yield service


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever starts services of his own does so on PostgreSQL and MinIO; on the embedded defaults too in the long run.

    What needs no service of its own runs on both, always; so do the guides and the demonstration, on the defaults.
    """
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if parameters.get("stack_name") == "embedded" and "fresh_stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture(params=["embedded", "production"])
def stack_name(request: pytest.FixtureRequest) -> str:
    """Each stack in turn."""
    return str(request.param)


@pytest.fixture
def service(stack_name: str, request: pytest.FixtureRequest) -> Service:
    """The running service of each stack in turn, shared by all journeys."""
    if stack_name == "production":
        request.getfixturevalue("minio_server")
    found = request.getfixturevalue(stack_name)
    assert isinstance(found, Service)
    return found


@pytest.fixture
def fresh_stack(stack_name: str, tmp_path: Path, common: Variables, request: pytest.FixtureRequest) -> Stack:
    """Each stack in turn, empty and not started: for journeys that stop, break or reconfigure what they use."""
    if stack_name == "embedded":
        return Stack("embedded", tmp_path / "embedded", common)
    return production_stack(
        tmp_path,
        request.getfixturevalue("postgresql_server"),
        request.getfixturevalue("migrated_postgresql_template"),
        request.getfixturevalue("minio_server"),
        common,
    )


@pytest.fixture
def record(service: Service) -> Record:
    """A new dossier, opened by its holder."""
    return service.opened()
