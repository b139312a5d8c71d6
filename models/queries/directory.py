"""Who exercises where."""

from models.database import Database


async def exercises_in(database: Database, rpps: str, organization: str) -> bool:
    """Whether the directory knows this professional in this organization, by one `read`."""
    statement = "SELECT 1 FROM exercise WHERE professional = $1::text AND organization = $2::text"
    return bool(await database.read(statement, rpps, organization))
