"""The chains of dossiers: locked while entries are added to them, so that each has its number and the one before.

Writers lock the chains that they add to and no other, and wait for each other in one order, whatever they write: first
they create what chains are lacking, then they lock them all, each time by ascending dossier. Whoever creates holds no
lock that another may wait for while he locks: what is being created is not yet seen by those who lock. So there is no
circle to wait in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import change, insert
from models.queries.statements import padded
from models.tables import journal_chain
from vault.errors import JournalMovedError
from vault.journal.keys import JournalKey, JournalKeys
from vault.keys.service import WrappedKey

_Fresh = dict[UUID, tuple[WrappedKey, JournalKey]]

_KEYS = select(journal_chain.c.dossier, journal_chain.c.key_id, journal_chain.c.wrapped).where(
    journal_chain.c.dossier.in_(bindparam("dossiers", expanding=True))
)
_LOCK = (
    _KEYS.add_columns(journal_chain.c.sequence, journal_chain.c.leaf)
    .order_by(journal_chain.c.dossier)
    .with_for_update()
)


@dataclass(slots=True)
class Chain:
    """The last entry of a dossier, ours to move until the transaction ends."""

    sequence: int
    leaf: bytes
    key: JournalKey


async def hold(connection: AsyncConnection, keys: JournalKeys, dossiers: Collection[UUID]) -> dict[UUID, Chain]:
    """Lock the chains of these dossiers, made if there are none. Keys are unwrapped before, wherever they can be.

    Raises JournalMovedError for a chain that went, or whose key was erased, since it was last looked at: what was
    remembered of it is then forgotten, so that another try finds it as it is. SealBrokenError, KeysUnavailableError.
    """
    fresh = await _prepare(connection, keys, sorted(one for one in dossiers if not keys.remembers(one)))
    rows = (await connection.execute(_LOCK, {"dossiers": padded(sorted(dossiers))})).all()
    await _learn(keys, rows)
    chains: dict[UUID, Chain] = {}
    for row in rows:
        if row.wrapped is None:
            key = await _replace(connection, row.dossier, fresh)
        else:
            key = await _key(keys, row.dossier, WrappedKey(row.key_id, row.wrapped), fresh)
        if key is not None:
            chains[row.dossier] = Chain(row.sequence, row.leaf, key)
    if len(chains) != len(dossiers):
        for dossier in dossiers:
            keys.forget(dossier)
        raise JournalMovedError("a dossier's journal is not what it was a moment ago")
    return chains


async def move(connection: AsyncConnection, chains: dict[UUID, Chain]) -> None:
    """Write where held chains end now."""
    rows = [(dossier, chain.sequence, chain.leaf) for dossier, chain in chains.items()]
    await change(connection, journal_chain, ("sequence", "leaf"), rows)


async def _prepare(connection: AsyncConnection, keys: JournalKeys, unknown: Sequence[UUID]) -> _Fresh:
    """Learn the keys of these dossiers; new ones, and chains, for those that have none."""
    if not unknown:
        return {}
    rows = (await connection.execute(_KEYS, {"dossiers": padded(unknown)})).all()
    await _learn(keys, rows)
    for row in rows:
        if row.wrapped is not None:
            await keys.unwrap(row.dossier, WrappedKey(row.key_id, row.wrapped))
    keyed = {row.dossier for row in rows if row.wrapped is not None}
    lacking = [dossier for dossier in unknown if dossier not in keyed]
    if not lacking:
        return {}
    fresh = await keys.generate(connection, lacking)
    existing = {row.dossier for row in rows}
    new = [
        {"dossier": dossier, "sequence": 0, "leaf": b"", "key_id": wrapped.key_id, "wrapped": wrapped.wrapped}
        for dossier, (wrapped, _) in fresh.items()
        if dossier not in existing
    ]
    if new:
        await connection.execute(insert(connection, journal_chain).on_conflict_do_nothing(), new)
    return fresh


async def _learn(keys: JournalKeys, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
    await keys.learn((row.dossier, WrappedKey(row.key_id, row.wrapped)) for row in rows if row.wrapped is not None)


async def _key(keys: JournalKeys, dossier: UUID, wrapped: WrappedKey, fresh: _Fresh) -> JournalKey:
    if dossier in fresh and fresh[dossier][0] == wrapped:
        return fresh[dossier][1]
    return await keys.unwrap(dossier, wrapped)


async def _replace(connection: AsyncConnection, dossier: UUID, fresh: _Fresh) -> JournalKey | None:
    """Give a chain whose key was erased the new one that was made for it, if one was."""
    if dossier not in fresh:
        return None
    wrapped, key = fresh[dossier]
    new = {"key_id": wrapped.key_id, "wrapped": wrapped.wrapped}
    await connection.execute(update(journal_chain).where(journal_chain.c.dossier == dossier).values(new))
    return key
