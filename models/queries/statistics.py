"""Figures: counts over all dossiers, without a person in them. Each goes through a whole table, or a period of it."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import extract, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.sheets import count_kept
from models.tables import dossier, emergency, opening
from models.vocabulary import DossierState

_SHEETS = select(dossier.c.state, dossier.c.documents).execution_options(yield_per=500)


class Opened(NamedTuple):
    """So many dossiers opened in a month, by whom and in which department; None where it is not known."""

    year: int
    month: int
    kind: str
    department: str | None
    dossiers: int


class OpenedBy(NamedTuple):
    """So many dossiers opened in a year by one of a kind."""

    year: int
    opener: str
    department: str | None
    dossiers: int


class Entered(NamedTuple):
    """So many accesses of a month in an emergency mode."""

    year: int
    month: int
    mode: str
    accesses: int


class Held(NamedTuple):
    """Dossiers that there are, those with a document that is not deleted, and the documents in these.

    The versions of a document are one.
    """

    created: int
    fed: int
    documents: int


_YEAR, _MONTH = extract("year", opening.c.day), extract("month", opening.c.day)


async def count_openings(connection: AsyncConnection, begin: date, end: date) -> Sequence[Opened]:
    """Dossiers opened from one day to before another."""
    grouped = (_YEAR, _MONTH, opening.c.kind, opening.c.department)
    counted = select(*grouped, func.count()).where(opening.c.day >= begin, opening.c.day < end).group_by(*grouped)
    return [Opened(*row) for row in await connection.execute(counted)]


async def count_openings_by(connection: AsyncConnection, kind: str, begin: date, end: date) -> Sequence[OpenedBy]:
    """Dossiers opened by each opener of a kind, from one day to before another, by year and opener.

    An opener that stands in several departments counts in the last by code.
    """
    grouped = (_YEAR, opening.c.opener)
    counted = (
        select(*grouped, func.max(opening.c.department), func.count())
        .where(opening.c.kind == kind, opening.c.opener.is_not(None), opening.c.day >= begin, opening.c.day < end)
        .group_by(*grouped)
        .order_by(*grouped)
    )
    return [OpenedBy(*row) for row in await connection.execute(counted)]


async def count_emergencies(connection: AsyncConnection, begin: date, end: date) -> Sequence[Entered]:
    """Accesses in an emergency from one day to before another."""
    grouped = (extract("year", emergency.c.day), extract("month", emergency.c.day), emergency.c.mode)
    counted = select(*grouped, func.count()).where(emergency.c.day >= begin, emergency.c.day < end).group_by(*grouped)
    return [Entered(*row) for row in await connection.execute(counted)]


async def first_opening(connection: AsyncConnection) -> date | None:
    """The day of the first one, if there is any."""
    day: date | None = await connection.scalar(select(func.min(opening.c.day)))
    return day


async def count_held(connection: AsyncConnection) -> Held:
    """What there is at this moment: all sheets are gone through, as they lie in the table."""
    created = fed = documents = 0
    rows = await connection.stream(_SHEETS)
    async for page in rows.partitions():
        for state, sheet in page:
            created += state != DossierState.NONE
            if sheet is not None and (kept := count_kept(sheet)):
                fed += 1
                documents += kept
    return Held(created, fed, documents)
