"""The transaction that adds entries to the journal: a fixed number of statements, however many entries."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import insert
from models.database.bulk import load
from models.tables import has_read, journal_chain, journal_entry, journal_head, journal_node
from models.vocabulary import Action, SubjectType
from vault.errors import JournalUnavailableError
from vault.journal.entry import Entry, Item, Receipt, place
from vault.journal.tree import Frontier, leaf_hash

HEAD = 1
"""The id of the one row of `journal_head`."""

_LOCK_HEAD = select(journal_head.c.size, journal_head.c.frontier).where(journal_head.c.id == HEAD).with_for_update()
_MOVE_HEAD = update(journal_head).where(journal_head.c.id == HEAD)
_CHAINS = select(journal_chain.c.dossier, journal_chain.c.sequence, journal_chain.c.leaf).where(
    journal_chain.c.dossier.in_(bindparam("dossiers", expanding=True))
)

_Chain = tuple[int, bytes]


async def append(connection: AsyncConnection, entries: Iterable[Entry]) -> list[Receipt]:
    """Add entries in this order, and remember who has now read something of a dossier (RULES §1, `has_read`)."""
    encoded = [(entry, entry.encode()) for entry in entries]
    if not encoded:
        return []
    head = await _lock(connection)
    chains = await _chains(connection, {entry.dossier for entry, _ in encoded})
    rows: list[tuple[object, ...]] = []
    leaves: list[bytes] = []
    receipts: list[Receipt] = []
    for position, (entry, data) in enumerate(encoded, head.size):
        last, previous = chains.get(entry.dossier, (0, b""))
        line = place(data, entry.dossier, position, last + 1, previous)
        leaf = leaf_hash(line)
        chains[entry.dossier] = last + 1, leaf
        leaves.append(leaf)
        receipts.append(Receipt(entry.dossier, last + 1, position))
        subject = f"{entry.subject.type}/{entry.subject.id}"
        rows.append((entry.dossier, last + 1, position, leaf, line, entry.at, subject))
    await load(connection, journal_entry, rows)
    await _move_chains(connection, chains)
    await _move_head(connection, head, leaves)
    await _remember_readers(connection, [entry for entry, _ in encoded])
    return receipts


async def _lock(connection: AsyncConnection) -> Frontier:
    """The head, ours until the transaction ends; on SQLite the whole database is."""
    row = (await connection.execute(_LOCK_HEAD)).one_or_none()
    if row is None:
        first = {"id": HEAD, "size": 0, "frontier": b""}
        await connection.execute(insert(connection, journal_head).on_conflict_do_nothing(), first)
        row = (await connection.execute(_LOCK_HEAD)).one()
    try:
        return Frontier.decode(row.size, row.frontier)
    except ValueError:
        raise JournalUnavailableError("the head of the journal is damaged") from None


async def _chains(connection: AsyncConnection, dossiers: set[UUID]) -> dict[UUID, _Chain]:
    """The last sequence and leaf of each dossier that has any.

    The list is filled up to a power of two, so that the statement has ten texts and not a thousand to prepare.
    """
    listed = list(dossiers)
    listed += listed[:1] * ((1 << (len(listed) - 1).bit_length()) - len(listed))
    rows = await connection.execute(_CHAINS, {"dossiers": listed})
    return {row.dossier: (row.sequence, row.leaf) for row in rows}


async def _move_chains(connection: AsyncConnection, chains: dict[UUID, _Chain]) -> None:
    statement = insert(connection, journal_chain)
    statement = statement.on_conflict_do_update(
        index_elements=[journal_chain.c.dossier],
        set_={"sequence": statement.excluded.sequence, "leaf": statement.excluded.leaf},
    )
    moved = [{"dossier": dossier, "sequence": last, "leaf": leaf} for dossier, (last, leaf) in chains.items()]
    await connection.execute(statement, moved)


async def _move_head(connection: AsyncConnection, head: Frontier, leaves: list[bytes]) -> None:
    grown, tiles = head.extend(leaves)
    if tiles:
        await load(connection, journal_node, [(*node, root) for node, root in tiles.items()])
    await connection.execute(_MOVE_HEAD.values(size=grown.size, frontier=grown.encode()))


async def _remember_readers(connection: AsyncConnection, entries: list[Entry]) -> None:
    readers = {(entry.dossier, entry.subject.id) for entry in entries if _reads(entry)}
    if readers:
        rows = [{"dossier": dossier, "professional": professional} for dossier, professional in sorted(readers)]
        await connection.execute(insert(connection, has_read).on_conflict_do_nothing(), rows)


def _reads(entry: Entry) -> bool:
    if entry.subject.type != SubjectType.PROFESSIONAL:
        return False
    told: tuple[Entry | Item, ...] = (entry, *entry.items)
    return any(one.allowed and one.action == Action.DOCUMENT_READ for one in told)
