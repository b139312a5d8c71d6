"""`dmp init`, and what `dmp serve` does first: data folder, keys, database, object store."""

import asyncio
from importlib.resources import as_file, files
from urllib.parse import urlsplit

from api.cli import clients, importing
from api.errors import SettingsError
from api.parts import open_parts
from api.settings import Settings
from models.database import open_database, upgrade
from models.vocabulary import Scope
from vault.errors import KeyringError
from vault.locations import KeyringPlace, keyring_from_url

DEMONSTRATION_CLIENT = "demonstration"


def initialise(settings: Settings, *, distributed: bool = False) -> None:
    """Create what is missing and bring the rest up to date; doing it again changes nothing.

    `distributed` over a Citus cluster once, the database stays so. Raises KeyringError where the database has keys and
    the keyring is gone: new masters would open none of them.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url, distributed=distributed)
    keyring = _local_keyring(settings)
    if keyring is not None and not keyring.path.exists():
        if asyncio.run(_has_keys(settings)):
            msg = f"the database holds keys wrapped under a keyring that is not there: {keyring.path}"
            raise KeyringError(msg)
        keyring.create()
    asyncio.run(_open_once(settings))


def import_demonstration(settings: Settings) -> str:
    """The small population of the demonstration, and a new key for a client that may do everything with it."""
    with as_file(files("api.cli") / "demonstration.ndjson") as population:
        importing.import_file(settings, population)
    scopes = [scope.value for scope in Scope if scope is not Scope.FEEDS]
    return clients.replace(settings, DEMONSTRATION_CLIENT, scopes)


def _local_keyring(settings: Settings) -> KeyringPlace | None:
    if urlsplit(settings.keys_url).scheme != "file":
        return None
    try:
        return keyring_from_url(settings.keys_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None


async def _has_keys(settings: Settings) -> bool:
    database = await open_database(settings.database_url)
    try:
        return bool(await database.read("SELECT 1 FROM shard_key LIMIT 1"))
    finally:
        await database.close()


async def _open_once(settings: Settings) -> None:
    async with open_parts(settings):
        pass
