"""What tests of the whole service share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.whole import Whole, whole


@pytest.fixture
async def dmp(migrated_url: str, tmp_path: Path) -> AsyncIterator[Whole]:
    """The whole service on each engine in turn, with a small population."""
    async with whole(migrated_url, tmp_path) as made:
        yield made
