"""What is counted of an opening: a row that nothing ties to the dossier."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import opening, organization
from models.vocabulary import OrganizationKind


@dataclass(frozen=True, slots=True)
class Opening:
    """On which day in France, by what kind of opener: his RPPS, FINESS or SIREN, and where he is, if known."""

    day: date
    kind: str
    opener: str | None
    department: str | None


async def add_opening(connection: AsyncConnection, identity: UUID, opened: Opening) -> None:
    """`identity` is drawn at random."""
    row = {"day": opened.day, "kind": opened.kind, "opener": opened.opener, "department": opened.department}
    await connection.execute(insert(opening).values(id=identity, **row))


async def find_kind(connection: AsyncConnection, identity: str) -> OrganizationKind | None:
    """What an organization of the directory is."""
    kind = await connection.scalar(select(organization.c.kind).where(organization.c.id == identity))
    return None if kind is None else OrganizationKind(kind)
