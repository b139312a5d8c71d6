"""`dmp notifications ...`: what waits to be told, what was given up, and how to have it tried again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from api.errors import DmpError
from api.settings import Settings
from models.database import open_database
from models.queries.notifications import (
    Backlog,
    Notification,
    count_notifications,
    list_notifications,
    try_again,
)


def listing(settings: Settings, *, dead: bool, limit: int) -> str:
    """How many there are, and the first of those that wait or of the dead letters, one on each line."""
    backlog, listed = asyncio.run(_list(settings, dead=dead, limit=limit))
    more = (backlog.dead if dead else backlog.waiting + backlog.later) - len(listed)
    counted = f"{backlog.waiting} waiting, {backlog.dead} dead" + (f", {backlog.later} later" if backlog.later else "")
    lines = [counted, *map(_line, listed)]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def retry(settings: Settings, ids: Sequence[UUID]) -> str:
    """Make these due now, or all dead letters. Raises DmpError if one of these is not there, and none is then."""
    made_due = asyncio.run(_retry(settings, ids, datetime.now(UTC)))
    return f"{made_due} due now"


async def _list(settings: Settings, *, dead: bool, limit: int) -> tuple[Backlog, list[Notification]]:
    database = await open_database(settings.database_url)
    try:
        backlog = await count_notifications(database, datetime.now(UTC))
        return backlog, await list_notifications(database, dead=dead, limit=limit)
    finally:
        await database.close()


async def _retry(settings: Settings, ids: Sequence[UUID], at: datetime) -> int:
    database = await open_database(settings.database_url)
    try:
        async with database.begin() as connection:
            made_due = await try_again(connection, ids, at)
            if missing := [each for each in ids if each not in made_due]:
                msg = f"there is no notification {missing[0]}: it was delivered, never was, or its time has not come"
                raise DmpError(msg)
    finally:
        await database.close()
    return len(made_due)


def _line(each: Notification) -> str:
    tried = f"{each.attempts} attempt{'' if each.attempts == 1 else 's'}"
    if each.failure:
        tried += f", {each.failure}"
    due = "given up" if each.due_at is None else f"next {_instant(each.due_at)}"
    what = f"{each.obligation} of {each.action} ({each.mode}) at {_instant(each.at)}"
    return f"{each.id}: {what}, dossier {each.dossier} entry {each.sequence}; {tried}, {due}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
