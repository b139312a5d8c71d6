"""Calls that block, in threads of their own; whoever waits for one no longer cuts its connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from vault.errors import StoreSilentError
from vault.minio_errors import asked
from vault.minio_lines import Line

T = TypeVar("T")


class Threads:
    """So many calls at a time, of one kind."""

    def __init__(self, count: int, kind: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"minio-{kind}")

    async def run(self, line: Line, until: float, function: Callable[..., T], *arguments: Any) -> T:
        """What the function gives on that line. Raises StoreSilentError if it has not by then, in the loop's time."""
        work = self._pool.submit(_on, line, function, *arguments)
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise StoreSilentError("the object store does not answer in time") from None
        finally:
            if not work.done():
                line.cut()

    def close(self) -> None:
        self._pool.shutdown(wait=False)


def _on(line: Line, function: Callable[..., T], *arguments: Any) -> T:
    with line.used():
        return asked(function, *arguments)
