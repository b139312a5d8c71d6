"""Look-ups that go where their rows are: on one server they are one statement, as if there were nothing to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from models.database.postgresql import PostgresqlDatabase
from models.database.protocol import Reads
from models.database.workers import Ask, Home, Item, Row
from models.errors import DatabaseError


def is_one_server(database: Reads) -> bool:
    """Whether it is a PostgreSQL server which has all rows."""
    return isinstance(database, PostgresqlDatabase) and database.workers is None


async def look_up(
    database: Reads, items: Sequence[Item], home: Callable[[Item], Home], ask: Ask[Item, Row]
) -> Mapping[Item, Row | DatabaseError]:
    """What `ask` finds of these items, each of which is at `home`; where a node of several does not answer, that."""
    if not isinstance(database, PostgresqlDatabase) or database.workers is None:
        return await ask(database.read, None, items)
    return await database.workers.ask(items, home, ask)


def whole(found: Mapping[Item, Row | DatabaseError]) -> Mapping[Item, Row]:
    """All that was found. Raises the first DatabaseError that stands in it."""
    for each in found.values():
        if isinstance(each, DatabaseError):
            raise each
    return cast("Mapping[Item, Row]", found)
