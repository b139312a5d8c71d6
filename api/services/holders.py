"""Whose dossier it is: the one place where an INS is opened again, for what cannot be known otherwise."""

from uuid import UUID

from models.database import Database
from models.identifiers import Ins
from models.queries.holders import find_sealed_ins
from vault.keys import INS_PURPOSE, DossierKeys


async def ins_of(database: Database, keys: DossierKeys, dossier: UUID) -> Ins | None:
    """The holder's INS; None if no dossier has one. Raises SealBrokenError, NoContentError."""
    found = await find_sealed_ins(database, dossier)
    if found is None:
        return None
    return Ins.parse((await keys.open_text(dossier, found.key, INS_PURPOSE, found.sealed)).decode("ascii"))
