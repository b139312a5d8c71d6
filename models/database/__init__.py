"""One database behind one URL: SQLite embedded, PostgreSQL in production.

This package knows the one from the other; elsewhere only a few statements do that cannot be the same on both. Three
ways in: `read` for the hot path (a prepared statement on a held connection, no SQLAlchemy), `begin_hot` for what is
written many times a second, `begin` and `connect` for everything else (SQLAlchemy Core). PostgreSQL may be a cluster
of several servers, and have a replica, for reads alone.
"""

from collections.abc import Callable

from models.database.apart import is_one_server, look_up, whole
from models.database.bulk import change, find, load, load_new, load_or_change, prepare_bulk, take, unload
from models.database.columns import Id, Instant
from models.database.placement import placement_of
from models.database.postgresql import PostgresqlDatabase
from models.database.protocol import Database, Read, Reads
from models.database.replica import Reading, Replica, Standing
from models.database.schema import downgrade, upgrade
from models.database.shards import Shards, asking, called, joining
from models.database.sqlite import SqliteDatabase
from models.database.together import Changed, Loaded, write_together
from models.database.urls import parsed, sqlite_path
from models.database.writing import insert
from models.errors import DatabaseError, DatabaseUnavailableError
from models.instants import instant_to_integer, storable

__all__ = [
    "Changed",
    "Database",
    "Id",
    "Instant",
    "Loaded",
    "Read",
    "Reading",
    "Reads",
    "Replica",
    "Shards",
    "Standing",
    "asking",
    "called",
    "change",
    "downgrade",
    "find",
    "insert",
    "instant_to_integer",
    "is_one_server",
    "joining",
    "load",
    "load_new",
    "load_or_change",
    "look_up",
    "open_database",
    "open_replica",
    "placement_of",
    "prepare_bulk",
    "storable",
    "take",
    "unload",
    "upgrade",
    "whole",
    "write_together",
]


async def open_database(url: str) -> Database:
    """The database at a URL, which `upgrade` has brought up to date before.

    Raises DatabaseUnavailableError when it is not reached, DatabaseError when the URL is none or there are no tables.
    """
    where = parsed(url)
    database: Database
    database = (
        PostgresqlDatabase(where) if where.get_backend_name() == "postgresql" else SqliteDatabase(sqlite_path(where))
    )
    try:
        await _check_schema(database)
        if isinstance(database, PostgresqlDatabase):
            await database.locate()
    except BaseException:
        await database.close()
        raise
    return database


def open_replica(
    url: str,
    primary: Reads,
    longest: float,
    clock: Callable[[], float],
    observe: Callable[[Standing, str], None],
) -> Replica:
    """The replica of a PostgreSQL database at a URL, not reached before it is looked at; see `Replica`.

    Raises DatabaseError when the URL is none of PostgreSQL's, or the primary is none.
    """
    where = parsed(url)
    if where.get_backend_name() != "postgresql" or primary.dialect != "postgresql":
        raise DatabaseError("a replica and what it is one of are both PostgreSQL's")
    return Replica(where, primary, longest, clock, observe)


async def _check_schema(database: Database) -> None:
    try:
        await database.read("SELECT version_num FROM alembic_version")
    except DatabaseUnavailableError:
        raise
    except DatabaseError:
        raise DatabaseError("not a database of this service, or one without tables: `dmp init` makes them") from None
