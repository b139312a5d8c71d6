"""A search, on a replica where that may answer and on the primary where not."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from api.errors import ForbiddenError
from api.judge import EntityPage
from models.database import Database, Reads, Replica
from models.errors import DatabaseError

Search = Callable[[Reads], Awaitable[EntityPage]]


async def searched(replica: Replica | None, primary: Database, search: Search) -> EntityPage:
    """What is found: with how far behind it may be, if a replica gave all of it.

    Candidates and facts come from one and the same. Where the replica is too far behind, not there or lost in between,
    it is as if none were set; so it is where what it knows refuses, since who may ask is the primary's to say.
    """
    if replica is not None:
        try:
            async with replica.reading() as reading:
                found = await search(reading)
                return replace(found, stale_seconds=reading.stale_seconds())
        except (DatabaseError, ForbiddenError):
            pass
    return await search(primary)
