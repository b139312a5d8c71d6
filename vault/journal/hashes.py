"""The tree as the database keeps it: leaf hashes, the roots of full tiles, and the head."""

from collections.abc import Iterable
from itertools import islice

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import journal_head, journal_leaf, journal_node
from vault.errors import ProofError
from vault.journal.tree import Frontier, Node

_RUNS_AT_ONCE = 50
"""So many are looked for in one statement."""


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
    """What is stored of these nodes: leaves at level 0, roots of tiles above."""
    hashes: dict[Node, bytes] = {}
    runs = _runs(sorted(nodes))
    leaves = ((first, last) for level, first, last in runs if level == 0)
    position, value = journal_leaf.c.position, journal_leaf.c.leaf
    while some := list(islice(leaves, _RUNS_AT_ONCE)):
        among = or_(*(position.between(first, last) for first, last in some))
        for where, leaf in await connection.execute(select(position, value).where(among)):
            hashes[Node(0, where)] = leaf
    roots = (run for run in runs if run[0])
    node = journal_node.c
    while above := list(islice(roots, _RUNS_AT_ONCE)):
        among = or_(*(and_(node.level == each, node.position.between(first, last)) for each, first, last in above))
        for level, where, root in await connection.execute(select(*node).where(among)):
            hashes[Node(level, where)] = root
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
