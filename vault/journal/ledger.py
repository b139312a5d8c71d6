"""Where entries are written: one order for all, durable before the answer leaves.

Writers of all processes queue at the one row of `journal_head`, so that each entry takes the next position of the
tree and the next sequence of its dossier. The lock is held for one commit, and `Ledger.record` puts everything that
arrives while a commit is under way into the next one: throughput is entries a commit, not commits a second.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from vault.errors import JournalUnavailableError
from vault.journal.appending import append
from vault.journal.entry import Entry, Receipt

_LARGEST_COMMIT = 1_000
_MOST_WAITING = 10_000
_PATIENCE_SECONDS = 10.0


class Ledger:
    """The one way in. Use from one event loop; any number of processes may write to the same database."""

    def __init__(
        self,
        database: Database,
        *,
        largest_commit: int = _LARGEST_COMMIT,
        most_waiting: int = _MOST_WAITING,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._largest_commit = largest_commit
        self._most_waiting = most_waiting
        self._patience = patience
        self._waiting: deque[tuple[Entry, asyncio.Future[Receipt]]] = deque()
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False

    async def record(self, entry: Entry) -> Receipt:
        """Write an entry; it is durable when this returns.

        Raises JournalUnavailableError when it is not known to be: the database failed or is slow, too many are
        waiting, or the service is stopping. The access must then be refused. A caller that is cancelled leaves its
        entry to be written: what was decided stays told.
        """
        if self._closed:
            raise JournalUnavailableError("the journal is closed")
        if len(self._waiting) >= self._most_waiting:
            raise JournalUnavailableError("too many entries wait to be written")
        written: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        try:
            async with asyncio.timeout(self._patience):
                return await written
        except TimeoutError:
            raise JournalUnavailableError("the entry was not written in time") from None

    async def append(self, connection: AsyncConnection, entries: Iterable[Entry]) -> list[Receipt]:
        """Write entries within the caller's transaction: they stand if it commits.

        Call it last, and commit at once: from here on every other writer of the journal waits. A transaction that
        still locks other rows afterwards may end in a deadlock, which the database resolves by refusing one.
        """
        return await append(connection, entries)

    async def aclose(self) -> None:
        """Take no more entries, and return when those that wait are written or refused."""
        self._closed = True
        if self._flusher is not None:
            await asyncio.wait({self._flusher})

    async def _flush(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), self._largest_commit)
                await self._commit([self._waiting.popleft() for _ in range(size)])
        finally:
            self._flusher = None

    async def _commit(self, batch: Sequence[tuple[Entry, asyncio.Future[Receipt]]]) -> None:
        try:
            async with self._database.begin() as connection:
                receipts = await append(connection, [entry for entry, _ in batch])
        except BaseException as error:
            for _, written in batch:
                if not written.done():
                    refusal = JournalUnavailableError("the entry could not be written")
                    refusal.__cause__ = error
                    written.set_exception(refusal)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, written), receipt in zip(batch, receipts, strict=True):
                if not written.done():
                    written.set_result(receipt)
