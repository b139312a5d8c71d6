"""What somebody waits for who tests that others wait."""

import asyncio
import time
from typing import Any

from models.database import Database
from tests.conftest import ON_CITUS

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
if ON_CITUS:  # the row may be a node's
    _WAITING += " UNION ALL SELECT 1 FROM citus_lock_waits"
_PATIENCE_SECONDS = 30


async def somebody_waits(database: Database, task: "asyncio.Task[Any]") -> None:
    """Return when the task waits for a row, which it must; on SQLite whoever writes waits for whoever writes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while database.dialect == "postgresql" and not await database.read(_WAITING):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert not task.done()
