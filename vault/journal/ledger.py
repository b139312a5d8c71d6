"""Where entries are written: one order for each dossier, durable before the answer leaves.

Writers of all processes wait for each other where they write of the same dossier, and nowhere else. `Ledger.record`
puts everything that arrives while a commit is under way into the next one: throughput is entries a commit, not
commits a second.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.database.faults import reached
from models.errors import DatabaseError
from vault.errors import JournalMovedError, JournalUnavailableError, VaultError
from vault.journal.appending import append
from vault.journal.entry import Entry, Receipt
from vault.journal.keys import JournalKeys, Randomness

_LARGEST_COMMIT = 1_000
_MOST_WAITING = 10_000
_PATIENCE_SECONDS = 10.0


class Ledger:
    """The one way in. Use from one event loop; any number of processes may write to the same database.

    `observe` is told how many entries each commit of `record` and `record_all` held.
    """

    def __init__(
        self,
        database: Database,
        keys: JournalKeys,
        *,
        randomness: Randomness = os.urandom,
        largest_commit: int = _LARGEST_COMMIT,
        most_waiting: int = _MOST_WAITING,
        patience: float = _PATIENCE_SECONDS,
        observe: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._randomness = randomness
        self._observe = observe
        self._largest_commit = largest_commit
        self._most_waiting = most_waiting
        self._patience = patience
        self._queue: deque[_Waiting] = deque()
        self._queued = 0
        self._writing: Sequence[_Waiting] = ()
        self._flusher: asyncio.Task[None] | None = None
        self._watcher: asyncio.TimerHandle | None = None
        self._closed = False

    async def record(self, entry: Entry) -> Receipt:
        """Write an entry; it is durable when this returns. As `record_all`."""
        (receipt,) = await self.record_all([entry])
        return receipt

    async def record_all(self, entries: Iterable[Entry]) -> list[Receipt]:
        """Write entries, all or none; they are durable when this returns.

        Raises JournalUnavailableError when they are not known to be: the database failed or is slow, too many are
        waiting, or the service is stopping. The access must then be refused. A caller that is cancelled leaves its
        entries to be written: what was decided stays told.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(list(entries), loop.create_future(), loop.time() + self._patience)
        if self._closed:
            raise JournalUnavailableError("the journal is closed")
        if self._queued + len(waiting.entries) > self._most_waiting:
            raise JournalUnavailableError("too many entries wait to be written")
        self._queue.append(waiting)
        self._queued += len(waiting.entries)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        if self._watcher is None:
            self._watcher = loop.call_at(waiting.until, self._watch)
        return await waiting.written

    async def append(self, connection: AsyncConnection, entries: Iterable[Entry]) -> list[Receipt]:
        """Write entries within the caller's transaction: they stand if it commits.

        Call it once, last, and commit at once: from here on every other writer of these dossiers waits. A transaction
        that locks other rows afterwards may end in a deadlock, which the database resolves by refusing one.

        Raises JournalUnavailableError when they cannot be written; the transaction must then not be committed.
        """
        try:
            with reached():
                return await append(connection, self._keys, entries, self._randomness)
        except JournalUnavailableError:
            raise
        except (DatabaseError, VaultError) as error:
            raise JournalUnavailableError("the journal could not be written") from error

    async def aclose(self) -> None:
        """Take no more entries, and return when those that wait are written or refused."""
        self._closed = True
        if self._flusher is not None:
            await asyncio.wait({self._flusher})
        if self._watcher is not None:
            self._watcher.cancel()

    async def _flush(self) -> None:
        try:
            while self._queue:
                self._writing = self._next()
                await self._commit(self._writing)
        finally:
            self._flusher, self._writing = None, ()

    def _watch(self) -> None:
        """Refuse who has waited too long, and look again when the next one will have: one timer for all."""
        loop = asyncio.get_running_loop()
        waiting = (*self._writing, *self._queue)
        for each in waiting:
            if each.until <= loop.time():
                each.refuse("the journal was not written in time")
        following = min((each.until for each in waiting if not each.written.done()), default=None)
        self._watcher = None if following is None else loop.call_at(following, self._watch)

    def _next(self) -> "list[_Waiting]":
        """What goes into one commit: as much as fits, and one caller's entries whatever their number."""
        batch = [self._queue.popleft()]
        size = len(batch[0].entries)
        while self._queue and size + len(self._queue[0].entries) <= self._largest_commit:
            batch.append(self._queue.popleft())
            size += len(batch[-1].entries)
        self._queued -= size
        return batch

    async def _commit(self, batch: "Sequence[_Waiting]") -> None:
        try:
            receipts = await self._write([entry for waiting in batch for entry in waiting.entries])
        except BaseException as error:
            for waiting in batch:
                waiting.refuse("the journal could not be written", error)
            if not isinstance(error, Exception):
                raise
        else:
            self._observe(len(receipts))
            given = iter(receipts)
            for waiting in batch:
                waiting.answer(list(islice(given, len(waiting.entries))))

    async def _write(self, entries: Sequence[Entry]) -> list[Receipt]:
        try:
            return await self._transaction(entries)
        except JournalMovedError:
            return await self._transaction(entries)

    async def _transaction(self, entries: Sequence[Entry]) -> list[Receipt]:
        async with self._database.begin_hot() as connection:
            return await append(connection, self._keys, entries, self._randomness)


class _Waiting(Struct, frozen=True, eq=False):
    """One caller's entries, and where the answer goes, until then, unless the caller is gone."""

    entries: list[Entry]
    written: asyncio.Future[list[Receipt]]
    until: float

    def answer(self, receipts: list[Receipt]) -> None:
        if not self.written.done():
            self.written.set_result(receipts)

    def refuse(self, why: str, cause: BaseException | None = None) -> None:
        if not self.written.done():
            refusal = JournalUnavailableError(why)
            refusal.__cause__ = cause
            self.written.set_exception(refusal)
