"""Trees of leaves that nobody wrote: what publication needs of a journal, in any size at once."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import delete, insert

from models.database import Database, load
from models.tables import journal_head, journal_leaf, journal_node
from tests.vault.journal.entries import DOSSIER
from vault.journal.hashes import read_head


def leaves(start: int, end: int, name: str = "leaf") -> list[bytes]:
    """Hashes that differ by place and by name."""
    return [hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(start, end)]


async def grow(database: Database, size: int, name: str = "leaf") -> None:
    """Let the tree have so many leaves."""
    async with database.begin() as connection:
        head = await read_head(connection)
        added = leaves(head.size, size, name)
        grown, tiles = head.extend(added)
        places = [(position, DOSSIER, position + 1, leaf) for position, leaf in enumerate(added, head.size)]
        await load(connection, journal_leaf, places)
        await load(connection, journal_node, [(*node, root) for node, root in tiles.items()])
        await connection.execute(delete(journal_head))
        await connection.execute(insert(journal_head).values(id=1, size=grown.size, frontier=grown.encode()))


async def replant(database: Database, size: int, name: str = "leaf", *, kept: int = 0) -> None:
    """Another tree in its place, of which so many leaves are the ones of before."""
    async with database.begin() as connection:
        for table in (journal_leaf, journal_node, journal_head):
            await connection.execute(delete(table))
    await grow(database, kept)
    await grow(database, size, name)


def of(size: int, name: str = "leaf") -> Sequence[bytes]:
    """The leaves of a tree that only grew."""
    return leaves(0, size, name)
