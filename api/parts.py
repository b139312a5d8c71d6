"""What the service and the command line are made of, opened from the settings and closed together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.errors import SettingsError
from api.settings import Settings
from models.database import Database, open_database
from vault.documents import Documents
from vault.journal.checkpoint import Signer, Verifier
from vault.journal.keys import JournalKeys
from vault.journal.ledger import Ledger
from vault.keys import DossierKeys, KeyService, RowKeys, Secrets, ShardKeys, read_secrets, refuse_older
from vault.locations import Store, keys_from_url, store_from_url
from vault.small_documents import SmallDocuments

JOURNAL_NAME = "dmp-authz/journal"
"""The journal's origin in its signed checkpoints."""

_JOURNAL_SIZE = (
    "SELECT COALESCE((SELECT size FROM journal_head), 0) + (SELECT COUNT(*) FROM journal_waiting) AS entries"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that holds state, open."""

    database: Database
    key_service: KeyService
    shards: ShardKeys
    secrets: Secrets
    dossier_keys: DossierKeys
    store: Store
    documents: Documents
    small_documents: SmallDocuments
    journal_keys: JournalKeys
    ledger: Ledger
    signer: Signer

    @property
    def verifiers(self) -> list[Verifier]:
        """The keys that the journal's checkpoints are signed with, or were: the present one first."""
        return _signing(self.secrets)[1]

    async def signing(self) -> tuple[Signer, list[Verifier]]:
        """The key that signs the journal now, and all of them, as they have become since the parts were opened."""
        return _signing(await read_secrets(self.database, self.shards))

    async def journal_size(self) -> int:
        """How many entries the journal has, in its tree or waiting to be."""
        ((size,),) = await self.database.read(_JOURNAL_SIZE)
        return int(size)


@asynccontextmanager
async def open_parts(
    settings: Settings, observe_commit: Callable[[int], None] = lambda _: None
) -> AsyncIterator[Parts]:
    """Open everything; when the block ends, flush the journal and close. Raises what does not open.

    `observe_commit` is told how many entries each commit of the journal held.
    """
    async with AsyncExitStack() as stack:
        key_service, store = _key_service(settings), _store(settings)
        stack.push_async_callback(key_service.close)
        database = await open_database(settings.database_url)
        stack.push_async_callback(database.close)
        stack.push_async_callback(store.close)
        await store.prepare()
        shards, secrets = await _keys(database, key_service)
        dossier_keys, journal_keys = DossierKeys(database, shards), JournalKeys(shards, secrets.index)
        ledger = Ledger(database, journal_keys, observe=observe_commit)
        stack.push_async_callback(ledger.aclose)
        rows = RowKeys(shards)
        documents = Documents(database, store, dossier_keys, rows)
        yield Parts(
            database,
            key_service,
            shards,
            secrets,
            dossier_keys,
            store,
            documents,
            SmallDocuments(database, store, dossier_keys, rows, documents),
            journal_keys,
            ledger,
            _signing(secrets)[0],
        )


@asynccontextmanager
async def open_journal(settings: Settings) -> AsyncIterator[tuple[Database, JournalKeys]]:
    """The database, and what opens its journal: for those who read it and need no object store."""
    async with AsyncExitStack() as stack:
        key_service = _key_service(settings)
        stack.push_async_callback(key_service.close)
        database = await open_database(settings.database_url)
        stack.push_async_callback(database.close)
        shards, secrets = await _keys(database, key_service)
        yield database, JournalKeys(shards, secrets.index)


def _key_service(settings: Settings) -> KeyService:
    try:
        return keys_from_url(settings.keys_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _store(settings: Settings) -> Store:
    try:
        return store_from_url(settings.vault_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None


async def _keys(database: Database, key_service: KeyService) -> tuple[ShardKeys, Secrets]:
    await refuse_older(database, key_service)
    shards = ShardKeys(database, key_service)
    return shards, await read_secrets(database, shards)


def _signing(secrets: Secrets) -> tuple[Signer, list[Verifier]]:
    signers = {
        version: Signer(JOURNAL_NAME, Ed25519PrivateKey.from_private_bytes(seed))
        for version, seed in secrets.seeds.items()
    }
    present = signers.pop(secrets.signing)
    return present, [present.verifier, *(signers[version].verifier for version in sorted(signers, reverse=True))]
