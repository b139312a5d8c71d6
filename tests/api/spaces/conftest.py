"""One service for each engine, shared by the tests of this folder."""

import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.spaces.record import PEOPLE, Record
from tests.api.whole import Whole, whole
from tests.servers.postgresql import PostgresqlServer


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a database with all tables and no row, on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("spaces") / "migrated.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite_template"), path)
        return f"sqlite:///{path}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.create(f"spaces_{secrets.token_hex(8)}", request.getfixturevalue("migrated_postgresql_template"))


@pytest.fixture(scope="package")
async def shared(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """The whole service."""
    home: Path = tmp_path_factory.mktemp("home")
    async with whole(shared_url, home) as made:
        await made.learn(*PEOPLE)
        yield made


@pytest.fixture
async def record(shared: Whole) -> Record:
    """A dossier of its own."""
    return await Record.opened(shared)
