"""The clients of a run, which do not outlive it: a key that nobody needs opens a real database no longer."""

from collections.abc import Iterable

from models.database import open_database
from models.errors import DatabaseError
from models.queries.clients import remove_client


async def remove_clients(database_url: str, names: Iterable[str]) -> bool:
    """False if the database is not to be reached any more: they stay in it."""
    try:
        database = await open_database(database_url)
    except DatabaseError:
        return False
    try:
        async with database.begin() as connection:
            for name in names:
                await remove_client(connection, name)
    except DatabaseError:
        return False
    finally:
        await database.close()
    return True
