"""What tests of the whole service share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.whole import Whole, whole


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole service in this process runs on SQLite; on PostgreSQL too in the long run.

    What differs between the two, the statements, is tested on both, always (`tests/models`, `tests/vault`), and so are
    the journeys.
    """
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if parameters.get("dialect") == "postgresql" and "dmp" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture
async def dmp(migrated_url: str, tmp_path: Path) -> AsyncIterator[Whole]:
    """The whole service on each engine in turn, with a small population."""
    async with whole(migrated_url, tmp_path) as made:
        yield made
