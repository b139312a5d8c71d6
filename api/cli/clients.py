"""`dmp client ...`: the components that may call the service."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from api.errors import SettingsError
from api.identity import digest_of, new_key
from api.settings import Settings
from models.database import open_database
from models.identifiers import parse_organization
from models.queries.clients import StoredClient, add_client, remove_client
from models.vocabulary import Scope, SubjectType

Word = TypeVar("Word", Scope, SubjectType)


def add(
    settings: Settings, name: str, scopes: Sequence[str], speaks_for: Sequence[str], organization: str | None
) -> str:
    """Register a client and give its key, which is stored nowhere. Raises SettingsError on a word that is unknown."""
    client = StoredClient(
        name,
        frozenset(_known(Scope, "scope", word) for word in scopes),
        frozenset(_known(SubjectType, "subject type", word) for word in speaks_for) or frozenset(SubjectType),
        None if organization is None else parse_organization(organization),
        datetime.now(UTC),
    )
    return asyncio.run(_add(settings, client, replacing=False))


def replace(settings: Settings, name: str, scopes: Sequence[str]) -> str:
    """Register a client in the place of the one of this name."""
    client = StoredClient(name, frozenset(map(Scope, scopes)), frozenset(SubjectType), None, datetime.now(UTC))
    return asyncio.run(_add(settings, client, replacing=True))


async def _add(settings: Settings, client: StoredClient, *, replacing: bool) -> str:
    key = new_key()
    database = await open_database(settings.database_url)
    try:
        async with database.begin() as connection:
            if replacing:
                await remove_client(connection, client.name)
            if not await add_client(connection, client, digest_of(key)):
                msg = f"there is a client called {client.name!r} already"
                raise SettingsError(msg)
    finally:
        await database.close()
    return key


def _known(words: type[Word], what: str, word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        msg = f"{word!r} is no {what}: {', '.join(words)}"
        raise SettingsError(msg) from None
