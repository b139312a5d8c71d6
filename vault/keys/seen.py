"""A key service that was set back is not believed: the database remembers how far it had come."""

from models.database import Database, insert
from models.tables import keyring_seen
from vault.errors import KeyringError
from vault.keys.service import KeyService

_ONLY_ROW = 1
_SEEN = "SELECT generation FROM keyring_seen"


async def refuse_older(database: Database, service: KeyService) -> None:
    """Remember the service's generation; once it opens, and after each change of its keys.

    Raises KeyringError if the database has seen a later one: an old copy was put in its place, in which destroyed keys
    live again and new ones are missing. A service that cannot be set back has the generation 0.
    """
    generation = (await service.status()).generation
    rows = await database.read(_SEEN)
    seen = int(rows[0][0]) if rows else 0
    if 0 < generation < seen:
        msg = f"the keyring is of generation {generation}, and this database has seen generation {seen}"
        raise KeyringError(f"{msg}: an old copy has taken its place")
    if generation > seen:
        async with database.begin() as connection:
            told = insert(connection, keyring_seen).values(id=_ONLY_ROW, generation=generation)
            further = keyring_seen.c.generation < told.excluded.generation
            later = {"generation": told.excluded.generation}
            await connection.execute(told.on_conflict_do_update(index_elements=["id"], set_=later, where=further))
