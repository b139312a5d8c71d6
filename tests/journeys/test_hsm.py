"""The whole of production: PostgreSQL, MinIO, and the masters in an HSM."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.journeys.conftest import Variables, production_stack
from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, serving
from tests.journeys.service import connection, started
from tests.servers.minio import MinioServer
from tests.servers.postgresql import PostgresqlServer
from tests.servers.softhsm import SoftHsm, SoftToken
from vault.keys.service import KeyState, Tree
from vault.pkcs11_keys import Pkcs11Keys

Result = TypeVar("Result")


@pytest.fixture
def stack(
    tmp_path: Path,
    postgresql_server: PostgresqlServer,
    migrated_postgresql_template: str,
    minio_server: MinioServer,
    soft_token: SoftToken,
    common: Variables,
) -> Stack:
    """Empty and not started."""
    variables = {**common, "DMP_KEYS_URL": soft_token.url, **soft_token.environment}
    return production_stack(tmp_path, postgresql_server, migrated_postgresql_template, minio_server, variables)


def in_token(token: SoftToken, work: Callable[[Pkcs11Keys], Awaitable[Result]]) -> Result:
    """What an operator does in the token while the service runs."""

    async def done() -> Result:
        keys = Pkcs11Keys.from_url(token.url)
        try:
            return await work(keys)
        finally:
            await keys.close()

    return asyncio.run(done())


def states(token: SoftToken) -> list[tuple[str, KeyState]]:
    masters = in_token(token, lambda keys: keys.status()).masters
    return [(master.key_id, master.state) for master in masters]


def test_documents_are_kept_under_masters_in_an_hsm(stack: Stack, soft_token: SoftToken) -> None:
    """Deposited and read over HTTP, across a new master and a restart; no key is in the service's home."""
    with started(stack) as service:
        first = service.opened()
        before = first.deposited(HOSPITAL, b"under the first master")
        assert [(f"{tree}/1", KeyState.PRIMARY) for tree in Tree] == states(soft_token)
        stack.dmp("keys", "rotate", "master", "--tree", "dossier").check_returncode()
        second = service.opened()
        after = second.deposited(HOSPITAL, b"under the second")
        named = {value for row in rows(stack, "shard_key") for value in row if isinstance(value, str) and "/" in value}
        assert named == {"dossier/2", "journal/1", "index/1", "rows/1", "signing/1"}
    with serving(stack) as server, connection(server.address, service.key) as http:
        service.http, service.server = http, server
        contents = [
            record.read(document, record.holder).content for record, document in ((first, before), (second, after))
        ]
        assert contents == [b"under the first master", b"under the second"]
        assert first.trace()[0]["action"] == "document:read"
    assert [path.name for path in stack.home.rglob("*key*")] == []


def test_without_its_hsm_the_service_does_not_start(stack: Stack, soft_token: SoftToken, tmp_path: Path) -> None:
    """It says why in one sentence; and starts again once the HSM is back."""
    stack.dmp("init").check_returncode()
    (folder,) = (soft_token.folder / "tokens").iterdir()
    away = folder.rename(tmp_path / "away")
    refused = stack.dmp("init")
    assert refused.returncode == 1
    assert f"there is no token labelled {soft_token.label!r} behind {soft_token.hsm.module}" in refused.stderr
    assert soft_token.pin not in refused.stderr
    away.rename(folder)
    stack.dmp("init").check_returncode()


def test_another_token_is_not_taken_for_the_hsm(stack: Stack, hsm: SoftHsm, tmp_path: Path) -> None:
    """Though it is empty, and would make masters for whoever asked: the database's keys are under others."""
    stack.dmp("init").check_returncode()
    (tmp_path / "other").mkdir()
    other = hsm.new_token(tmp_path / "other")
    variables = {**stack.variables, "DMP_KEYS_URL": other.url, **other.environment}
    refused = Stack(stack.name, stack.home, variables).dmp("init")
    assert refused.returncode == 1
    assert "the key service does not open this database's index key: is it another's?" in refused.stderr
