"""What is left behind is removed, what is missing is named."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.database import Database
from models.tables import content, pending_object
from tests.doubles.blobs import LONG_AGO, FailingBlobStore, MemoryBlobStore
from tests.vault.deposits import DOCUMENT, DOSSIER, OTHER_DOCUMENT, TITLE, deposit, pieces, read
from vault.documents import Documents
from vault.errors import DepositLostError
from vault.keys import DossierKeys, RowKeys
from vault.reconciling import Missing, Report, reconcile

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store() -> FailingBlobStore:
    """A store that may fail."""
    return FailingBlobStore()


@pytest.fixture
def documents(database: Database, store: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """Documents in that store, deposited at noon."""
    return Documents(database, store, dossier_keys, rows, now=lambda: NOON)


async def pending(database: Database) -> Sequence[Any]:
    """Names of objects that nobody sees."""
    async with database.connect() as connection:
        return (await connection.execute(select(pending_object.c.object_name))).scalars().all()


async def test_where_all_is_well_nothing_is_done(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Whatever the age."""
    for document in (DOCUMENT, OTHER_DOCUMENT):
        await deposit(documents, database, b"content", document=document)
    assert await reconcile(database, store, NOON + HOUR) == Report()
    assert len(store.objects) == 2


async def test_a_deposit_left_behind_is_removed_once_it_is_old(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Before that it may still be going on; afterwards it cannot be committed."""
    written = await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    assert await reconcile(database, store, NOON) == Report()
    assert await reconcile(database, store, NOON + HOUR) == Report(removed_pending=1)
    assert (store.objects, await pending(database)) == ({}, [])
    with pytest.raises(DepositLostError):
        async with database.begin() as connection:
            await documents.commit(connection, written, TITLE)


async def test_a_deposit_that_is_being_removed_cannot_be_committed(
    documents: Documents, database: Database, store: FailingBlobStore
) -> None:
    """Even if its object could not be removed yet."""
    written = await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    store.failing = {"delete"}
    assert await reconcile(database, store, NOON + HOUR) == Report(failed=1)
    with pytest.raises(DepositLostError):
        async with database.begin() as connection:
            await documents.commit(connection, written, TITLE)
    store.failing = set()
    assert await reconcile(database, store, NOON - HOUR) == Report(removed_pending=1)
    assert (store.objects, await pending(database)) == ({}, [])


async def test_an_erasure_left_unfinished_is_finished_at_once(
    documents: Documents, database: Database, store: FailingBlobStore
) -> None:
    """Whatever its age."""
    await deposit(documents, database, b"content")
    async with database.begin() as connection:
        erasure = await documents.erase(connection, DOSSIER, DOCUMENT)
    store.failing = {"delete"}
    await documents.finish(erasure)
    assert (len(store.objects), len(await pending(database))) == (1, 1)
    store.failing = set()
    assert await reconcile(database, store, NOON - HOUR) == Report(removed_pending=1)
    assert (store.objects, await pending(database)) == ({}, [])


async def test_an_object_that_no_row_names_is_removed_once_it_is_old(
    documents: Documents, database: Database, store: FailingBlobStore
) -> None:
    """Those on either side of it stay."""
    for document in (DOCUMENT, OTHER_DOCUMENT):
        await deposit(documents, database, b"content", document=document)
    orphans = ["0" * 32, *(f"{int(name, 16) ^ 1:032x}" for name in store.objects), "f" * 32]
    for name in orphans:
        await store.put(name, pieces(b"orphan"))
        store.modified_at[name] = NOON
    store.modified_at["0" * 32] = NOON + HOUR
    store.failing = {"delete"}
    assert await reconcile(database, store, NOON + HOUR) == Report(failed=3)
    store.failing = set()
    assert await reconcile(database, store, NOON + HOUR) == Report(removed_orphans=3)
    assert [name for name in orphans if name in store.objects] == ["0" * 32]
    assert await read(documents) == b"content"


async def test_an_object_being_written_is_no_orphan(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """However old its store says it is."""
    await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    assert {each.modified_at async for each in store.names()} == {LONG_AGO}
    assert await reconcile(database, store, NOON) == Report()
    assert len(store.objects) == 1


async def test_a_document_whose_object_is_gone_is_named(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """It is the only one; its row stays, so that it is not forgotten."""
    for document in (DOCUMENT, OTHER_DOCUMENT):
        await deposit(documents, database, b"content", document=document)
    written = await documents.find(DOSSIER, DOCUMENT, 1)
    await store.delete(written.object_name)
    expected = Report(missing=1, named_missing=[Missing(DOSSIER, DOCUMENT)])
    assert await reconcile(database, store, NOON + HOUR) == expected
    assert await reconcile(database, store, NOON + HOUR) == expected


async def test_of_many_missing_a_thousand_are_named(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """The report stays small if a whole bucket is lost; more rows than are read at once."""
    await deposit(documents, database, b"content")
    async with database.begin() as connection:
        row = (await connection.execute(select(content))).one()._asdict()
        numbers = range(10_000, 12_001)
        rows = [row | {"document": UUID(int=number), "object_name": f"{number:032x}"} for number in numbers]
        await connection.execute(content.insert(), rows)
    report = await reconcile(database, store, NOON + HOUR)
    assert (report.missing, len(report.named_missing)) == (2001, 1000)


async def test_what_changed_while_walking_is_looked_at_again(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Deposited or erased since the store was listed: neither is missing."""

    class LateListing(MemoryBlobStore):
        """Lists nothing, and erases a document while being asked for it."""

        async def get(self, name: str, start: int = 0, stop: int | None = None) -> Any:
            if name == erased.object_name:
                async with database.begin() as connection:
                    await documents.erase(connection, DOSSIER, DOCUMENT)
            async for piece in store.get(name, start, stop):
                yield piece

    erased = await deposit(documents, database, b"content")
    await store.delete(erased.object_name)
    await deposit(documents, database, b"content", document=OTHER_DOCUMENT)
    assert await reconcile(database, LateListing(), NOON - HOUR) == Report()


async def test_rows_that_name_one_object_do_not_disturb_the_walk(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Whoever edited them; the object that lost its row is an orphan."""
    one = await deposit(documents, database, b"content")
    await deposit(documents, database, b"content", document=OTHER_DOCUMENT)
    async with database.begin() as connection:
        await connection.execute(update(content).values(object_name=one.object_name))
    assert await reconcile(database, store, NOON + HOUR) == Report(removed_orphans=1)
    assert list(store.objects) == [one.object_name]
