"""Questions that come while a look-up is under way share the next one.

Each question is looked up after it came, never before, so that what was revoked before it was asked counts. Where reads
do not wait (SQLite), none are ever shared.
"""

import asyncio
from collections.abc import Sequence

from models.database import Database
from models.errors import DatabaseError
from models.facts import Case, Question
from models.queries import fetch_apart, fetch_case

_Waiting = tuple[Question, asyncio.Future[Case]]


class Lookups:
    """The cases of single questions, from one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_reading = False
        self._waiting: list[_Waiting] = []
        self._readers: set[asyncio.Task[None]] = set()

    async def case(self, question: Question) -> Case:
        """The case of a question. Raises DatabaseError."""
        if self._is_reading:
            found: asyncio.Future[Case] = asyncio.get_running_loop().create_future()
            self._waiting.append((question, found))
            return await found
        self._is_reading = True
        try:
            return await fetch_case(self._database, question)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        """Read for those who came meanwhile, if any did."""
        together, self._waiting = self._waiting, []
        self._is_reading = bool(together)
        if together:
            reader = asyncio.create_task(self._read(together))
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    async def _read(self, together: Sequence[_Waiting]) -> None:
        try:
            cases = await fetch_apart(self._database, [question for question, _ in together])
        except Exception as error:  # noqa: BLE001 - it is raised where each of the cases is waited for
            for _, found in together:
                if not found.done():
                    found.set_exception(error)
        except asyncio.CancelledError:
            for _, found in together:
                found.cancel()
            raise
        else:
            for (_, found), case in zip(together, cases, strict=True):
                if found.done():
                    continue
                if isinstance(case, DatabaseError):
                    found.set_exception(case)
                else:
                    found.set_result(case)
        finally:
            self._go_on()
