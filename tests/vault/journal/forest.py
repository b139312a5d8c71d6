"""Trees of leaves that nobody wrote: what publication needs of a journal, in any size at once."""

import hashlib
from functools import cache

from sqlalchemy import delete, insert

from models.database import Database, load
from models.tables import journal_head, journal_leaf, journal_node
from tests.vault.journal.entries import DOSSIER
from vault.journal.checkpoint import Signer
from vault.journal.hashes import read_head
from vault.journal.published import checkpoint_name
from vault.journal.tiles import full_tiles, partial_tiles
from vault.journal.tree import Frontier, Node, compute, perfect


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


@cache
def _stored(forged: int, size: int) -> dict[Node, bytes]:
    planted = [*leaves(0, forged), *leaves(forged, size, "forged")]
    return Frontier().extend(planted)[1] | {Node(0, position): leaf for position, leaf in enumerate(planted)}


def publication(signer: Signer, *sizes: int, forged: int | None = None) -> dict[str, bytes]:
    """What a log has published that had these sizes, and from the leaf `forged` on other leaves."""
    largest = sizes[-1]
    stored = _stored(largest if forged is None else forged, largest)
    records: dict[str, bytes] = {}
    for size in sizes:
        checkpoint = signer.sign(size, compute(perfect(0, size), stored))
        tiles = (*full_tiles(0, size), *partial_tiles(size))
        records |= {f"journal/{tile.path()}": tile.encode(stored) for tile in tiles}
        records[checkpoint_name(size)] = checkpoint.encode()
    return records
