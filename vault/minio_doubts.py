"""Whether a store can write at all that does not answer whoever writes.

MinIO lets a conditional creation wait for its lock for as long as the client waits, however many drives are lost; but
it says of itself at once that it cannot write. Other stores say nothing of the kind, and are waited for.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vault.errors import StoreError, StoreReadOnlyError, StoreSilentError
from vault.minio_lines import Line
from vault.minio_threads import Threads

T = TypeVar("T")


class Doubts:
    """Asks the question when an answer is late or was a failure: once for all who doubt at the time."""

    def __init__(self, cannot_write: Callable[[], bool], seconds: float) -> None:
        self._cannot_write = cannot_write
        self._seconds = seconds
        self._threads = Threads(1, "doubts")
        self._question: asyncio.Task[bool] | None = None

    async def watch(self, writing: Coroutine[Any, Any, T]) -> T:
        """What it gives, however late: unless the store says meanwhile that it cannot write, StoreReadOnlyError."""
        work = asyncio.create_task(writing)
        try:
            while not (await asyncio.wait([work], timeout=self._seconds))[0]:
                await self._hold_able_before(work)
            return work.result()
        except StoreSilentError:
            await self._hold_able_before()
            raise
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)  # its line is cut by then

    def close(self) -> None:
        self._threads.close()

    async def _hold_able_before(self, *work: asyncio.Task[T]) -> None:
        """Returns as well once the work is done, which says more than the store could."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        question = self._question
        await asyncio.wait([question, *work], return_when=asyncio.FIRST_COMPLETED)
        if not any(each.done() for each in work) and question.result():
            raise StoreReadOnlyError("the object store says that it cannot write")

    async def _ask(self) -> bool:
        """An answer that does not come says nothing."""
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            return await self._threads.run(Line(self._seconds), until, self._cannot_write)
        except StoreError:
            return False
