"""The use cases over real parts, put together without HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.parts import Parts, open_parts
from api.settings import Settings
from vault.local_keys import LocalKeyring


@pytest.fixture
def vault_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The object store that goes with each database: the filesystem, or MinIO."""
    return f"file://{tmp_path / 'vault'}" if dialect == "sqlite" else str(request.getfixturevalue("minio_url"))


@pytest.fixture
async def parts(migrated_url: str, vault_url: str, tmp_path: Path) -> AsyncIterator[Parts]:
    """Database, store, keys and journal of each stack in turn, empty."""
    LocalKeyring.create(tmp_path / "keys")
    settings = Settings(tmp_path, migrated_url, vault_url, f"file://{tmp_path / 'keys'}")
    async with open_parts(settings) as opened:
        yield opened
