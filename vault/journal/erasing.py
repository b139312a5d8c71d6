"""Erasure of a dossier's journal, once the law has no more use for it: its entries go, its hashes stay."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import journal_chain, journal_entry

_NOTHING = {"sealed": None, "subject": None}


async def erase_journal(connection: AsyncConnection, dossier: UUID) -> None:
    """Destroy the key of a dossier's journal, and what it sealed, in the caller's transaction.

    Every proof of its lines still holds, those given before included. A later entry of the dossier has another key.
    """
    key = journal_chain.c.dossier == dossier
    await connection.execute(select(journal_chain.c.sequence).where(key).with_for_update())
    await connection.execute(update(journal_entry).where(journal_entry.c.dossier == dossier).values(_NOTHING))
    await connection.execute(update(journal_chain).where(key).values(key_id=None, wrapped=None))
