"""`dmp vault reconcile`, as an operator types it and his scheduler judges it."""

import asyncio
from pathlib import Path

import pytest

from api.cli.setting_up import initialise
from api.parts import open_parts
from api.settings import Settings
from tests.api.cli.shell import run
from tests.vault.deposits import DOCUMENT, DOSSIER, deposit, pieces


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of an embedded service that was set up."""
    settings = Settings.from_environment({"DMP_HOME": str(tmp_path)})
    initialise(settings)
    return settings


async def deposited(settings: Settings) -> None:
    async with open_parts(settings) as parts:
        await deposit(parts.documents, parts.database, b"content")


async def left_behind(settings: Settings) -> None:
    """Written and never committed."""
    async with open_parts(settings) as parts:
        await parts.documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))


def object_in(home: Path) -> Path:
    """The only one."""
    (found,) = (each for each in home.glob("**/documents/**/*") if each.is_file())
    return found


def reconciled(home: Path) -> tuple[str, int]:
    """What is said, and the exit status."""
    result = run("vault", "reconcile", "--older-than", "0", home=home)
    return result.output, result.exit_code


def test_what_was_left_is_removed(settings: Settings, tmp_path: Path) -> None:
    """All is well then, and when there is nothing to remove."""
    asyncio.run(left_behind(settings))
    rest = "0 orphans removed; 0 not removed now; 0 documents without their object\n"
    assert reconciled(tmp_path) == (f"1 interrupted, {rest}", 0)
    assert reconciled(tmp_path) == (f"0 interrupted, {rest}", 0)


def test_what_cannot_be_removed_fails(settings: Settings, tmp_path: Path) -> None:
    """Until it can: whoever runs it every night is told."""
    asyncio.run(left_behind(settings))
    stuck = object_in(tmp_path)
    content = stuck.read_bytes()
    stuck.unlink()
    stuck.mkdir()
    said = "0 interrupted, 0 orphans removed; 1 not removed now; 0 documents without their object\n"
    assert reconciled(tmp_path) == (said, 1)
    stuck.rmdir()
    stuck.write_bytes(content)
    said = "1 interrupted, 0 orphans removed; 0 not removed now; 0 documents without their object\n"
    assert reconciled(tmp_path) == (said, 0)


def test_a_document_without_its_object_fails(settings: Settings, tmp_path: Path) -> None:
    """It is named."""
    asyncio.run(deposited(settings))
    object_in(tmp_path).unlink()
    said = "0 interrupted, 0 orphans removed; 0 not removed now; 1 documents without their object\n"
    assert reconciled(tmp_path) == (f"{said}missing: document {DOCUMENT} of dossier {DOSSIER}\n", 1)
