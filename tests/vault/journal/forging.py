"""What somebody writes who has the database and all the keys but the one that signs."""

import os
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import journal_chain
from vault.journal.entry import Line
from vault.journal.keys import JournalKeys
from vault.journal.tree import leaf_hash
from vault.keys.service import WrappedKey
from vault.sealing import NONCE_SIZE


async def sealed_again(connection: AsyncConnection, keys: JournalKeys, line: Line) -> dict[str, Any]:
    """What the row of a line holds that is whole in itself, beside its place."""
    assert line.entry is not None
    held = select(journal_chain.c.key_id, journal_chain.c.wrapped).where(journal_chain.c.dossier == line.dossier)
    key = await keys.unwrap(line.dossier, WrappedKey(*(await connection.execute(held)).one()))
    return {
        "leaf": leaf_hash(line.encode()),
        "previous": line.previous,
        "commitment": line.commitment,
        "sealed": key.seal(line.sequence, line.entry.encode(), line.salt + os.urandom(NONCE_SIZE)),
        "at": line.entry.at,
        "subject": keys.subject(line.entry.subject),
    }
