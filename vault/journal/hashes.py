"""The tree as the database keeps it: leaf hashes, the roots of full tiles, and the head."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import journal_head, journal_leaf, journal_node
from vault.errors import ProofError
from vault.journal.tree import Frontier, Node


async def read_head(connection: AsyncConnection) -> Frontier:
    """The tree as it is now. Raises ProofError when its head is damaged."""
    row = (await connection.execute(select(journal_head.c.size, journal_head.c.frontier))).one_or_none()
    if row is None:
        return Frontier()
    try:
        return Frontier.decode(row.size, row.frontier)
    except ValueError:
        raise ProofError("the head of the journal is damaged") from None


async def read_hashes(connection: AsyncConnection, nodes: Iterable[Node]) -> dict[Node, bytes]:
    """What is stored of these nodes: leaves at level 0, roots of tiles above. One statement for each run of them."""
    hashes: dict[Node, bytes] = {}
    for level, first, last in _runs(sorted(nodes)):
        if level == 0:
            position, value = journal_leaf.c.position, journal_leaf.c.leaf
            statement = select(position, value).where(position.between(first, last))
        else:
            position, value = journal_node.c.position, journal_node.c.hash
            statement = select(position, value).where(journal_node.c.level == level, position.between(first, last))
        rows = await connection.execute(statement)
        hashes.update({Node(level, where): value for where, value in rows})
    return hashes


def _runs(nodes: list[Node]) -> list[tuple[int, int, int]]:
    """Level, first and last position of each unbroken run among sorted nodes."""
    runs: list[tuple[int, int, int]] = []
    for level, position in nodes:
        if runs and runs[-1][0] == level and runs[-1][2] == position - 1:
            runs[-1] = (level, runs[-1][1], position)
        else:
            runs.append((level, position, position))
    return runs
