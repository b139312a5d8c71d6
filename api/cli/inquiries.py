"""`dmp inquiries ...`: who is still to be asked about which dossier, what was given up, and how to ask again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from api.errors import DmpError
from api.settings import Settings
from models.database import open_database
from models.queries.inquiries import Inquiry, Unanswered, ask_again, count_inquiries, list_inquiries


def listing(settings: Settings, *, given_up: bool, limit: int) -> str:
    """How many there are, and the first of those that wait or that were given up, one on each line."""
    unanswered, listed = asyncio.run(_list(settings, given_up=given_up, limit=limit))
    more = (unanswered.given_up if given_up else unanswered.waiting) - len(listed)
    lines = [f"{unanswered.waiting} waiting, {unanswered.given_up} given up", *map(_line, listed)]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def retry(settings: Settings, dossiers: Sequence[UUID]) -> str:
    """Make them due now, of these dossiers or all given up. Raises DmpError if one has none, and none is then."""
    made_due = asyncio.run(_retry(settings, dossiers, datetime.now(UTC)))
    return f"dossiers to be asked about now: {made_due}"


async def _list(settings: Settings, *, given_up: bool, limit: int) -> tuple[Unanswered, list[Inquiry]]:
    database = await open_database(settings.database_url)
    try:
        return await count_inquiries(database), await list_inquiries(database, given_up=given_up, limit=limit)
    finally:
        await database.close()


async def _retry(settings: Settings, dossiers: Sequence[UUID], at: datetime) -> int:
    database = await open_database(settings.database_url)
    try:
        async with database.begin() as connection:
            made_due = await ask_again(connection, dossiers, at)
            if missing := [each for each in dossiers if each not in made_due]:
                msg = f"nothing is to be asked about dossier {missing[0]}: it was answered, closed, or never was"
                raise DmpError(msg)
    finally:
        await database.close()
    return len(made_due)


def _line(each: Inquiry) -> str:
    tried = f"{each.attempts} attempt{'' if each.attempts == 1 else 's'}"
    if each.failure:
        tried += f", {each.failure}"
    due = "given up" if each.due_at is None else f"next {_instant(each.due_at)}"
    return f"{each.dossier}: {each.source.value}, opened at {_instant(each.asked_at)}; {tried}, {due}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
