"""Figures: counts over all dossiers, without a person in them. Each goes through a whole table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import content, dossier, organization
from models.vocabulary import SubjectType


async def count_openings(connection: AsyncConnection, bounds: Sequence[datetime]) -> dict[tuple[int, str], int]:
    """Dossiers opened in each period from one of these instants to the next, by the number of the period and opener.

    An opener is told by the kind of the organization, or by the kind of subject. Erased dossiers are not there any
    more; dossiers that were imported were opened elsewhere.
    """
    opener = func.coalesce(organization.c.kind, dossier.c.opener_type)
    is_organization = and_(
        dossier.c.opener_type == SubjectType.ORGANIZATION.value, organization.c.id == dossier.c.opener_id
    )
    opened = (
        select(_period(dossier.c.opened_at, bounds).label("period"), opener.label("opener"))
        .select_from(dossier.outerjoin(organization, is_organization))
        .where(dossier.c.opened_at >= bounds[0], dossier.c.opened_at < bounds[-1])
        .subquery()
    )
    rows = await connection.execute(
        select(opened.c.period, opened.c.opener, func.count()).group_by(opened.c.period, opened.c.opener)
    )
    return {(period, kind): count for period, kind, count in rows}


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
