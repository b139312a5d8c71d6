"""Who a dossier is about: the INS, sealed, with the key that opens it."""

from typing import NamedTuple
from uuid import UUID

from models.database import Database
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row

_SELECT = (
    f"SELECT ins_sealed, {KEY_COLUMNS} FROM dossier "  # noqa: S608  # names of our own tables
    "LEFT JOIN dossier_key ON dossier_key.dossier = dossier.id WHERE dossier.id = $1::uuid"
)


class SealedIns(NamedTuple):
    """An INS as it is kept."""

    sealed: bytes
    key: KeyRow | None


async def find_sealed_ins(database: Database, dossier: UUID) -> SealedIns | None:
    """None if there is no such dossier, or if it was imported without the INS being sealed."""
    rows = await database.read(_SELECT, dossier)
    if not rows or rows[0][0] is None:
        return None
    return SealedIns(rows[0][0], key_of_row(rows[0]))
