"""Who exercises where, and whom numbers stand for."""

from collections.abc import Collection

from sqlalchemy import Column, select

from models.database import Database
from models.tables import organization, professional

_NUMBERS = 1_000
"""So many are named in one statement."""


async def exercises_in(database: Database, rpps: str, organization: str) -> bool:
    """Whether the directory knows this professional in this organization, by one `read`."""
    statement = "SELECT 1 FROM exercise WHERE professional = $1::text AND organization = $2::text"
    return bool(await database.read(statement, rpps, organization))


async def read_professions(database: Database, numbers: Collection[str]) -> dict[str, str]:
    """The professions of those of these RPPS that the directory knows."""
    return await _read(database, professional.c.rpps, professional.c.profession, numbers)


async def read_names(database: Database, numbers: Collection[str]) -> dict[str, str]:
    """The names of those of these organizations that the directory knows."""
    return await _read(database, organization.c.id, organization.c.name, numbers)


async def _read(database: Database, key: Column[str], value: Column[str], numbers: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = sorted(set(numbers))
    async with database.connect() as connection:
        for start in range(0, len(wanted), _NUMBERS):
            some = key.in_(wanted[start : start + _NUMBERS])
            rows = await connection.execute(select(key, value).where(some))
            found |= {row[0]: row[1] for row in rows}
    return found
