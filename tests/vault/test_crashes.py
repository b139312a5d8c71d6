"""A crash at any instant leaves nothing visible half-way, and reconciling removes the rest."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.database import Database
from models.errors import DatabaseUnavailableError
from tests.doubles.blobs import FailingBlobStore
from tests.doubles.databases import FailingDatabase
from tests.vault.deposits import DOCUMENT, DOSSIER, MEBIBYTE, OTHER_DOCUMENT, TITLE, deposit, pieces, read
from vault.blobs import BlobStore
from vault.documents import Documents
from vault.errors import NoContentError, StoreUnavailableError
from vault.keys import DossierKeys, RowKeys
from vault.reconciling import Report, reconcile

LATER = datetime.now(UTC) + timedelta(days=1)
ROOT = Path(__file__).parents[2]


class CrashError(BaseException):
    """The process ends here: nobody catches it."""


async def left(database: Database) -> tuple[int, int, int]:
    """Rows of contents, of pending objects, of dossiers' keys."""
    counted = [await database.read(f"SELECT count(*) FROM {t}") for t in ("content", "pending_object", "dossier_key")]
    return counted[0][0][0], counted[1][0][0], counted[2][0][0]


async def deposit_or_crash(documents: Documents, database: Database, step: str) -> None:
    """A deposit beside one that succeeded, up to a step."""
    written = await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    if step == "before its transaction":
        raise CrashError
    async with database.begin() as connection:
        if step == "before its commit":
            raise CrashError
        await documents.commit(connection, written, TITLE)
        if step == "after its commit":
            raise CrashError


@pytest.mark.parametrize("step", ["before its transaction", "before its commit", "after its commit"])
async def test_a_deposit_that_ends_before_its_transaction_does_is_nothing(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, step: str
) -> None:
    """Its object is there, with a pending row, until reconciling."""
    store = FailingBlobStore()
    documents = Documents(database, store, dossier_keys, rows)
    with pytest.raises(CrashError):
        await deposit_or_crash(documents, database, step)
    with pytest.raises(NoContentError):
        await read(documents)
    assert (await left(database), len(store.objects)) == ((0, 1, 0), 1)
    assert await reconcile(database, store, LATER) == Report(removed_pending=1)
    assert (await left(database), len(store.objects)) == ((0, 0, 0), 0)


@pytest.mark.parametrize("step, objects", [("put", 0), ("after put", 1)])
async def test_a_deposit_that_the_store_did_not_acknowledge_is_nothing(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, step: str, objects: int
) -> None:
    """Whether or not the object is there, and even if it cannot be removed now."""
    store = FailingBlobStore(step, "delete")
    documents = Documents(database, store, dossier_keys, rows)
    with pytest.raises(StoreUnavailableError):
        await deposit(documents, database, b"content")
    assert (await left(database), len(store.objects)) == ((0, 1, 0), objects)
    store.failing = set()
    assert await reconcile(database, store, LATER) == Report(removed_pending=1)
    assert (await left(database), len(store.objects)) == ((0, 0, 0), 0)


async def test_a_deposit_that_the_database_does_not_take_writes_no_object(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys
) -> None:
    """Its row comes first."""
    store = FailingBlobStore()
    documents = Documents(FailingDatabase(database, transactions=0), store, dossier_keys, rows)
    with pytest.raises(DatabaseUnavailableError):
        await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    assert (await left(database), store.objects) == ((0, 0, 0), {})


@pytest.mark.parametrize("transactions, removed", [(1, 1), (2, 1)])
async def test_a_removal_that_the_database_interrupts_is_finished_later(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, transactions: int, removed: int
) -> None:
    """Before the object is removed or after; whoever discarded sees no error."""
    store = FailingBlobStore()
    documents = Documents(FailingDatabase(database, transactions=transactions), store, dossier_keys, rows)
    written = await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    await documents.discard(written)
    assert await left(database) == (0, 1, 0)
    assert await reconcile(database, store, LATER) == Report(removed_pending=removed)
    assert (await left(database), store.objects) == ((0, 0, 0), {})


@pytest.mark.parametrize("step", ["delete", "after delete"])
async def test_an_erasure_that_the_store_interrupts_is_an_erasure(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, step: str
) -> None:
    """Its key is gone; the object goes with the next reconciling."""
    store = FailingBlobStore()
    documents = Documents(database, store, dossier_keys, rows)
    await deposit(documents, database, b"content")
    await deposit(documents, database, b"other", document=OTHER_DOCUMENT)
    async with database.begin() as connection:
        erasure = await documents.erase(connection, DOSSIER, DOCUMENT)
    store.failing = {step}
    await documents.finish(erasure)
    with pytest.raises(NoContentError):
        await read(documents)
    store.failing = set()
    assert await reconcile(database, store, LATER) == Report(removed_pending=1)
    assert (await left(database), len(store.objects)) == ((1, 0, 1), 1)


async def test_a_cancelled_deposit_leaves_nothing(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, store: BlobStore
) -> None:
    """Its caller went away in the middle."""
    documents = Documents(database, store, dossier_keys, rows)
    middle = asyncio.Event()

    async def stopping() -> AsyncIterator[bytes]:
        yield bytes(9 * MEBIBYTE)
        middle.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(documents.write(DOSSIER, DOCUMENT, 1, "text/plain", stopping()))
    await middle.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await left(database) == (0, 0, 0)
    assert [each async for each in store.names()] == []


async def test_a_killed_deposit_is_nothing(
    database: Database, migrated_url: str, store: BlobStore, store_url: str, documents: Documents, tmp_path: Path
) -> None:
    """A real process, in the middle of a document, by a signal that it cannot catch."""
    await deposit(documents, database, b"other", document=OTHER_DOCUMENT)
    _kill_in_the_middle([migrated_url, store_url, str(tmp_path / "keyring.json")])
    with pytest.raises(NoContentError):
        await read(documents)
    assert await left(database) == (1, 1, 1)
    assert await reconcile(database, store, LATER) == Report(removed_pending=1)
    assert await left(database) == (1, 0, 1)
    assert len([each async for each in store.names()]) == 1
    assert await read(documents, document=OTHER_DOCUMENT) == b"other"


def _kill_in_the_middle(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.vault.depositor", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603  # our module
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert said == "writing\n"
