"""What was backed up while the service ran is put back after all was lost, and the service goes on from there."""

import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Record, Service, connection, populated, scan
from tests.servers.minio import MinioServer
from tests.servers.postgresql import PostgresqlServer

LARGE = scan(bytes(range(256)) * 40_000)


def backed_up(stack: Stack, postgresql: PostgresqlServer | None, folder: Path) -> None:
    """The published journal, then the database, then the objects; the keyring apart."""
    to = f"file://{folder / 'vault'}"
    done(stack, "vault", "copy", "--to", to, "--part", "journal")
    url = stack.settings.database_url
    if postgresql is None:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("VACUUM INTO ?", [str(folder / "database")])
    else:
        run(postgresql, "pg_dump", "--format=custom", f"--file={folder / 'database'}", url)
    done(stack, "vault", "copy", "--to", to, "--part", "documents")
    shutil.copy(stack.home / "keys", folder / "keys")


def restored(stack: Stack, postgresql: PostgresqlServer | None, folder: Path) -> None:
    """All of it in a new place."""
    stack.home.mkdir(parents=True)
    shutil.copy(folder / "keys", stack.home / "keys")
    url = stack.settings.database_url
    if postgresql is None:
        shutil.copy(folder / "database", url.removeprefix("sqlite:///"))
    else:
        run(postgresql, "pg_restore", "--exit-on-error", f"--dbname={url}", str(folder / "database"))
    backup = Stack("backup", stack.home, {**stack.variables, "DMP_VAULT_URL": f"file://{folder / 'vault'}"})
    done(backup, "vault", "copy", "--to", stack.settings.vault_url)


def run(postgresql: PostgresqlServer, program: str, *arguments: str) -> None:
    subprocess.run([postgresql.programs / program, *arguments], check=True, capture_output=True)  # noqa: S603 - of our own server


def done(stack: Stack, *command: str) -> str:
    result = stack.dmp(*command)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def new_stack(fresh_stack: Stack, tmp_path: Path, common: Mapping[str, str], request: pytest.FixtureRequest) -> Stack:
    """The place where everything is put back: nothing of the old one."""
    if fresh_stack.name == "embedded":
        return Stack("restored", tmp_path / "restored", common)
    name = f"restored_{secrets.token_hex(8)}"
    postgresql, minio = request.getfixturevalue("postgresql_server"), request.getfixturevalue("minio_server")
    assert isinstance(postgresql, PostgresqlServer)
    assert isinstance(minio, MinioServer)
    variables = {"DMP_DATABASE_URL": postgresql.create(name), "DMP_VAULT_URL": minio.url(name.replace("_", "-"))}
    return Stack("restored", tmp_path / "restored", {**common, **variables})


def test_everything_is_put_back(
    fresh_stack: Stack, new_stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Documents to their last byte, rights, the journal with its proofs; what was deposited later is gone."""
    often = Stack(fresh_stack.name, fresh_stack.home, {**fresh_stack.variables, "DMP_JOURNAL_PUBLISH_SECONDS": "1"})
    postgresql = None if fresh_stack.name == "embedded" else request.getfixturevalue("postgresql_server")
    folder = tmp_path / "backup"
    folder.mkdir()
    with populated(often) as service:
        record = service.opened()
        kept = {record.deposited(HOSPITAL, content): content for content in (b"a report", LARGE)}
        proof = record.ask("GET", "/journal/1/proof", record.holder).json()
        until(lambda: "journal/checkpoint" in published(often, tmp_path))
        backed_up(often, postgresql, folder)
        late = record.deposited(HOSPITAL, b"after the backup")
        key = done(often, "journal", "key")
    restored(new_stack, postgresql, folder)
    assert "0 missing, 0 broken" in done(new_stack, "vault", "scrub")
    assert "entries verified" in done(new_stack, "journal", "verify")
    assert key == done(new_stack, "journal", "key")
    with serving(new_stack) as server, connection(server.address, service.key) as http:
        back = Record(Service(new_stack, server, service.key, http), record.ins, record.id)
        assert {document: back.read(document, back.holder).content for document in kept} == kept
        assert back.read(late, back.holder).status_code == 404
        assert back.ask("GET", "/journal/1/proof", back.holder).json()["line"] == proof["line"]
        assert back.read(back.deposited(HOSPITAL, b"and on"), back.holder).content == b"and on"
    assert "entries verified" in done(new_stack, "journal", "verify")


def published(stack: Stack, folder: Path) -> str:
    """The records that a copy of the published journal holds."""
    copy = folder / "published"
    done(stack, "vault", "copy", "--to", f"file://{copy}", "--part", "journal")
    return " ".join(str(path.relative_to(copy)) for path in copy.rglob("*"))
