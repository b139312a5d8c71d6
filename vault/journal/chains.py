"""The chains of dossiers: locked while entries are added to them, so that each has its number and the one before.

Writers lock the chains that they add to and no other, and wait for each other in one order, whatever they write: first
they create what chains are lacking, then they lock them all, each time by ascending dossier. Whoever creates holds no
lock that another may wait for while he locks: what is being created is not yet seen by those who lock. So there is no
circle to wait in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Changed, find, insert
from models.tables import journal_chain
from vault.errors import JournalMovedError
from vault.journal.keys import JournalKey, JournalKeys
from vault.keys.service import WrappedKey

_Fresh = dict[UUID, tuple[WrappedKey, JournalKey]]

_KEY = ("dossier", "key_id", "wrapped")


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
    fresh = await _prepare(connection, keys, [one for one in dossiers if not keys.remembers(one)])
    held = await find(connection, journal_chain, (*_KEY, "sequence", "leaf"), list(dossiers), "UPDATE")
    chains: dict[UUID, Chain] = {}
    for dossier, key_id, wrapped, sequence, leaf in held:
        if wrapped is None:
            key = await _replace(connection, dossier, fresh)
        else:
            key = await _key(keys, dossier, WrappedKey(key_id, wrapped), fresh)
        if key is not None:
            chains[dossier] = Chain(sequence, leaf, key)
    if len(chains) != len(dossiers):
        for dossier in dossiers:
            keys.forget(dossier)
        raise JournalMovedError("a dossier's journal is not what it was a moment ago")
    return chains


def moved(chains: dict[UUID, Chain]) -> Changed:
    """Where held chains end now, to be written."""
    rows = [(dossier, chain.sequence, chain.leaf) for dossier, chain in chains.items()]
    return Changed(journal_chain, ("dossier", "sequence", "leaf"), rows)


async def _prepare(connection: AsyncConnection, keys: JournalKeys, unknown: Sequence[UUID]) -> _Fresh:
    """Learn the keys of these dossiers; new ones, and chains, for those that have none."""
    if not unknown:
        return {}
    rows = await find(connection, journal_chain, _KEY, unknown)
    known = {dossier: WrappedKey(key_id, wrapped) for dossier, key_id, wrapped in rows if wrapped is not None}
    await keys.learn(known.items())
    for dossier, wrapped in known.items():
        await keys.unwrap(dossier, wrapped)
    lacking = sorted(dossier for dossier in unknown if dossier not in known)
    if not lacking:
        return {}
    fresh = await keys.generate(connection, lacking)
    existing = {dossier for dossier, *_ in rows}
    new = [
        {"dossier": dossier, "sequence": 0, "leaf": b"", "key_id": wrapped.key_id, "wrapped": wrapped.wrapped}
        for dossier, (wrapped, _) in fresh.items()
        if dossier not in existing
    ]
    if new:
        await connection.execute(insert(connection, journal_chain).on_conflict_do_nothing(), new)
    return fresh


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
