"""Figures: counts over all dossiers, without a person in them. Each goes through a whole table."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import content, opening


async def count_openings(connection: AsyncConnection, days: Sequence[date]) -> dict[tuple[int, str], int]:
    """Dossiers opened in each period from one of these days to before the next, by number of the period and opener."""
    period = case(*((opening.c.day < end, number) for number, end in enumerate(days[1:])))
    opened = (
        select(period.label("period"), opening.c.kind)
        .where(opening.c.day >= days[0], opening.c.day < days[-1])
        .subquery()
    )
    rows = await connection.execute(
        select(opened.c.period, opened.c.kind, func.count()).group_by(opened.c.period, opened.c.kind)
    )
    return {(number, kind): count for number, kind, count in rows}


async def count_deposits(connection: AsyncConnection, bounds: Sequence[datetime]) -> dict[int, int]:
    """Contents deposited in each period and still kept, by the number of the period."""
    kept = (
        select(_period(content.c.deposited_at, bounds).label("period"))
        .where(content.c.deposited_at >= bounds[0], content.c.deposited_at < bounds[-1])
        .subquery()
    )
    rows = await connection.execute(select(kept.c.period, func.count()).group_by(kept.c.period))
    return {row.period: row[1] for row in rows}


def _period(instant: ColumnElement[datetime], bounds: Sequence[datetime]) -> ColumnElement[int]:
    """The number of the first period that ends after an instant."""
    return case(*((instant < end, number) for number, end in enumerate(bounds[1:])))
