"""How far a rotation has come, and batches that are tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Row

from models.errors import DatabaseUnavailableError

Progress = Callable[[int], None]
"""Told how many more are done."""

AnyRow = Row[*tuple[Any, ...]]
"""Of a statement whose columns are not the same everywhere."""

_TRIES = 5
_PAUSE_SECONDS = 0.2

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Done:
    """How many were changed, and how many did not open and were left as they are."""

    changed: int = 0
    broken: int = 0

    def add(self, other: "Done") -> None:
        self.changed += other.changed
        self.broken += other.broken


async def again(batch: Callable[[], Awaitable[_Result]]) -> _Result:
    """A batch, tried again if the database refused its transaction: whoever waits for rows may be the one who yields.

    Raises DatabaseUnavailableError if it goes on refusing.
    """
    for attempt in range(1, _TRIES):
        try:
            return await batch()
        except DatabaseUnavailableError:
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
    return await batch()
