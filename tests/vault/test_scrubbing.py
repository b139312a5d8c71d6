"""Every document is opened to its last byte, and what does not open is named."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from models.database import Database
from models.tables import content
from tests.doubles.blobs import FailingBlobStore, MemoryBlobStore
from tests.vault.deposits import DOCUMENT, DOSSIER, OTHER_DOCUMENT, OTHER_DOSSIER, deposit, file, forget
from vault.documents import Documents, Kept
from vault.errors import StoreUnavailableError
from vault.keys import DossierKeys, RowKeys
from vault.scrubbing import Fault, Finding, Scrub, Scrubbing

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Clock:
    """Later each time it is asked."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def store() -> FailingBlobStore:
    """A store that may fail."""
    return FailingBlobStore()


@pytest.fixture
def documents(database: Database, store: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """Documents in that store."""
    return Documents(database, store, dossier_keys, rows, now=lambda: NOON)


@pytest.fixture
def scrubbing(database: Database, store: MemoryBlobStore, documents: Documents) -> Scrubbing:
    """What is tested here."""
    return Scrubbing(database, store, documents, Clock())


async def add(database: Database, documents: Documents, dossier: UUID, identity: UUID, data: bytes) -> str:
    """A document with its facts; the name of its object."""
    await file(database, dossier, identity)
    return (await deposit(documents, database, data, dossier=dossier, document=identity)).object_name


async def test_where_all_is_well_all_is_read(database: Database, documents: Documents, scrubbing: Scrubbing) -> None:
    """To the last byte, on a large document too; more than a page of them."""
    await add(database, documents, DOSSIER, DOCUMENT, bytes(5_000_000))
    for number in range(70):
        await add(database, documents, OTHER_DOSSIER, UUID(int=number + 1), b"a little")
    told: list[tuple[int, int]] = []
    done = await scrubbing.run(told=lambda count, size: told.append((count, size)))
    assert Scrub(NOON + timedelta(seconds=1), 71, 5_000_000 + 70 * 8, ()) == done
    assert (told[0], told[-1]) == ((0, 0), (71, 5_000_560))


async def test_nothing_is_kept(scrubbing: Scrubbing) -> None:
    """An empty vault is verified."""
    assert (await scrubbing.run()).documents == 0


async def test_what_does_not_open_is_named(
    database: Database, documents: Documents, store: MemoryBlobStore, scrubbing: Scrubbing
) -> None:
    """A lost object, one altered in its last byte, an edited row, facts that are gone; the others are read."""
    names = [await add(database, documents, DOSSIER, UUID(int=number), b"content") for number in range(1, 6)]
    del store.objects[names[0]]
    store.objects[names[1]] = store.objects[names[1]][:-1] + b"\x00"
    async with database.begin() as connection:
        await connection.execute(update(content).where(content.c.document == UUID(int=3)).values(size=8))
    await forget(database, DOSSIER, UUID(int=4))
    done = await scrubbing.run()
    assert done.findings == (
        Finding(DOSSIER, UUID(int=1), Fault.MISSING),
        Finding(DOSSIER, UUID(int=2), Fault.BROKEN),
        Finding(DOSSIER, UUID(int=3), Fault.BROKEN),
        Finding(DOSSIER, UUID(int=4), Fault.BROKEN),
    )
    assert (done.documents, done.size) == (5, 7)
    store.objects[names[1]] = b""
    assert (await scrubbing.run()).findings == done.findings


class Unavailable(MemoryBlobStore):
    """A store that does not answer for one object."""

    def __init__(self, store: MemoryBlobStore, name: str) -> None:
        super().__init__()
        self.objects, self.requests, self._name = store.objects, store.requests, name

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        if name == self._name:
            raise StoreUnavailableError
        async for piece in super().get(name, start, stop):
            yield piece


@pytest.fixture
async def failing(
    database: Database,
    documents: Documents,
    store: MemoryBlobStore,
    dossier_keys: DossierKeys,
    rows: RowKeys,
) -> Scrubbing:
    """A scrub of 72 documents that finds the first of them empty, and cannot read the last one."""
    for number in range(70):
        await add(database, documents, DOSSIER, UUID(int=number + 1), b"a little")
    store.objects[await add(database, documents, DOSSIER, UUID(int=0), b"lost")] = b""
    last = await add(database, documents, OTHER_DOSSIER, OTHER_DOCUMENT, b"the last")
    unavailable = Unavailable(store, last)
    return Scrubbing(database, unavailable, Documents(database, unavailable, dossier_keys, rows), Clock())


async def test_an_interrupted_one_goes_on(failing: Scrubbing, scrubbing: Scrubbing, store: MemoryBlobStore) -> None:
    """From the page that it did not finish, with what it had found."""
    with pytest.raises(StoreUnavailableError):
        await failing.run()
    before = len(store.requests)
    done = await scrubbing.run()
    assert done.findings == (Finding(DOSSIER, UUID(int=0), Fault.BROKEN),)
    assert (done.documents, len(store.requests) - before) == (72, 8)


async def test_another_one_begins_if_it_is_asked_to(
    failing: Scrubbing, scrubbing: Scrubbing, store: MemoryBlobStore
) -> None:
    """Then all is read again."""
    with pytest.raises(StoreUnavailableError):
        await failing.run()
    before = len(store.requests)
    assert (await scrubbing.run(anew=True)).documents == 72
    assert len(store.requests) - before == 73  # one more to know how the first is broken


async def test_what_was_erased_since_it_was_found_is_no_finding(
    failing: Scrubbing, scrubbing: Scrubbing, database: Database, documents: Documents
) -> None:
    """It need not be read any more."""
    with pytest.raises(StoreUnavailableError):
        await failing.run()
    async with database.begin() as connection:
        await documents.erase(connection, DOSSIER, UUID(int=0))
    assert (await scrubbing.run()).findings == ()


class Erasing(Documents):
    """Documents that are erased the instant before or after they are looked up."""

    before = True

    async def find(self, dossier: UUID, document: UUID, version: int) -> Kept:
        if self.before:
            await self._gone(dossier, document)
        kept = await super().find(dossier, document, version)
        await self._gone(dossier, document)
        return kept

    async def _gone(self, dossier: UUID, document: UUID) -> None:
        async with self._database.begin() as connection:
            erasure = await self.erase(connection, dossier, document)
        await self.finish(erasure)


@pytest.mark.parametrize("before", [True, False])
async def test_what_is_erased_meanwhile_is_no_finding(
    before: bool,
    database: Database,
    documents: Documents,
    store: MemoryBlobStore,
    dossier_keys: DossierKeys,
    rows: RowKeys,
) -> None:
    """Between the page and the look, or between the look and the reading."""
    await add(database, documents, DOSSIER, DOCUMENT, b"content")
    erasing = Erasing(database, store, dossier_keys, rows)
    erasing.before = before
    done = await Scrubbing(database, store, erasing, Clock()).run()
    assert (done.documents, done.findings, store.objects) == (1, (), {})
