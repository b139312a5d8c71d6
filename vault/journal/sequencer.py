"""Gives durable entries their places in the tree, soon after they were written.

One instance at a time does, whichever comes first: it holds a lock for one transaction, which takes what waits, in the
order of arrival, and hashes it into the tree. So there is nobody to elect and nothing to hand over: an instance that
is killed leaves the tree as it was, and the next one begins where it stands. An entry of a dossier never comes before
the one that it is chained to: that one was committed before this one had its number.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert, load, take
from models.tables import journal_head, journal_leaf, journal_node, journal_waiting
from vault.errors import ProofError
from vault.journal.tree import Frontier

HEAD = 1
"""The id of the one row of `journal_head`."""

BATCH = 1_000
"""As many entries as one step integrates at most: more would keep those who wait for the event loop."""

SECONDS = 1.0
"""How long an instance waits when nothing does."""

LOCK = 7165
"""The advisory lock of who puts entries into the tree."""

_LOCK = text(f"SELECT pg_try_advisory_xact_lock({LOCK})")
_ANY = "SELECT 1 FROM journal_waiting LIMIT 1"
_LEAF = ("dossier", "sequence", "leaf")
_READ_HEAD = select(journal_head.c.size, journal_head.c.frontier).where(journal_head.c.id == HEAD)

logger = structlog.get_logger()


async def step(database: Database, *, batch: int = BATCH) -> int:
    """Put what waits into the tree, at most so many entries; how many these were.

    None if another instance is at it. Raises DatabaseError, and ProofError when the head of the tree is damaged.
    """
    if not await database.read(_ANY):
        return 0
    async with database.begin() as connection:
        if not await _alone(connection):
            return 0
        taken = await take(connection, journal_waiting, _LEAF, batch)
        if taken:
            await _add(connection, taken)
        return len(taken)


async def integrate_all(database: Database) -> int:
    """Put all that waits into the tree, and return when nothing does: for those who want to see it whole.

    How many entries these were, beside those that another instance integrated meanwhile. Raises as `step`.
    """
    integrated = 0
    while await database.read(_ANY):
        done = await step(database)
        integrated += done
        if not done:
            await asyncio.sleep(0.01)
    return integrated


async def sequence(database: Database, *, seconds: float = SECONDS, batch: int = BATCH) -> None:
    """Integrate until cancelled: again at once while there is more than one step takes, else after a while.

    A fault is logged and the step tried again.
    """
    while True:
        try:
            while await step(database, batch=batch) == batch:
                pass
        except Exception:  # whatever nobody foresaw: entries would go on being written, and never be proved
            logger.exception("journal_not_integrated")
        await asyncio.sleep(seconds)


async def _alone(connection: AsyncConnection) -> bool:
    """Whether no other instance is integrating; SQLite has one writer anyway."""
    return connection.dialect.name == "sqlite" or bool(await connection.scalar(_LOCK))


async def _add(connection: AsyncConnection, taken: Sequence[Sequence[Any]]) -> None:
    head = await _head(connection)
    grown, tiles = head.extend(leaf for *_, leaf in taken)
    await load(connection, journal_leaf, [(position, *entry) for position, entry in enumerate(taken, head.size)])
    if tiles:
        await load(connection, journal_node, [(*node, root) for node, root in tiles.items()])
    moved = {"size": grown.size, "frontier": grown.encode()}
    await connection.execute(update(journal_head).where(journal_head.c.id == HEAD).values(moved))


async def _head(connection: AsyncConnection) -> Frontier:
    row = (await connection.execute(_READ_HEAD.with_for_update())).one_or_none()
    if row is None:
        await connection.execute(insert(connection, journal_head).values(id=HEAD, size=0, frontier=b""))
        return Frontier()
    try:
        return Frontier.decode(row.size, row.frontier)
    except ValueError:
        raise ProofError("the head of the journal is damaged") from None
