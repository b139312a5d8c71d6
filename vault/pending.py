"""Rows of objects that nobody sees: being written, left behind, or to go.

An object is removed in three steps, each of which a crash may follow: the row says that it goes, the object goes, the
row goes. A deposit takes the row away only if it does not say so, hence it is committed or removed, never both.

A pack goes with the last document in it: whoever removes one looks, once that is committed, whether others remain.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, Loaded, write_together
from models.tables import pending_object
from vault.blobs import BlobStore
from vault.packs import after_pack, object_of, position_in_pack

_IN_PACK = "SELECT 1 FROM content WHERE object_name >= $1::text AND object_name < $2::text LIMIT 1"


_COLUMNS = ("dossier", "object_name", "started_at", "removing")
_HERE = (pending_object.c.dossier == bindparam("home")) & (pending_object.c.object_name == bindparam("name"))
_CLAIM = delete(pending_object).where(_HERE, pending_object.c.removing.is_(False))
_MARK = update(pending_object).where(_HERE).values(removing=True)
_FORGET = delete(pending_object).where(_HERE)


async def add(
    connection: AsyncConnection, dossier: UUID, names: Sequence[str], started_at: datetime, *, removing: bool = False
) -> None:
    """These objects are being written, or are to go."""
    rows = [(dossier, name, started_at, removing) for name in names]
    await write_together(connection, Loaded(pending_object, _COLUMNS, rows))


async def claim(connection: AsyncConnection, dossier: UUID, name: str) -> bool:
    """Take away the row of an object that becomes a document with this transaction. False if it is to go."""
    claimed = await connection.execute(_CLAIM, {"home": dossier, "name": name})
    return claimed.rowcount == 1


async def remove(database: Database, store: BlobStore, dossier: UUID, name: str) -> bool:
    """Remove an object that has such a row, unless others are in it, then the row.

    False, and nothing done, if it has none. Raises StoreError or DatabaseError; the row then remains.
    """
    here = {"home": dossier, "name": name}
    async with database.begin() as connection:
        marked = await connection.execute(_MARK, here)
    if marked.rowcount != 1:
        return False
    if position_in_pack(name) is None or not await database.read(
        _IN_PACK, object_of(name), after_pack(object_of(name))
    ):
        await store.delete(object_of(name))
    async with database.begin() as connection:
        await connection.execute(_FORGET, here)
    return True
