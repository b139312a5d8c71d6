"""Documents deposited, read and erased, on each database engine and each object store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select

from models.database import Database
from models.errors import ConstraintError
from models.tables import content, dossier_key, pending_object
from tests.doubles.blobs import FailingBlobStore, MemoryBlobStore, Request
from tests.vault.deposits import (
    DOCUMENT,
    DOSSIER,
    MEBIBYTE,
    OTHER_DOCUMENT,
    OTHER_DOSSIER,
    TITLE,
    deposit,
    pieces,
    read,
)
from tests.waiting import somebody_waits
from vault.blobs import BlobStore
from vault.documents import MAX_SIZE, Documents, Erasure
from vault.errors import (
    ContentTooLargeError,
    DepositLostError,
    NoContentError,
    RangeNotSatisfiableError,
    SealBrokenError,
    StoreUnavailableError,
)
from vault.keys import DossierKeys, RowKeys

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CHUNK = 16 * 1024


@pytest.fixture
def memory() -> MemoryBlobStore:
    """A store that notes what is read."""
    return MemoryBlobStore()


@pytest.fixture
def in_memory(database: Database, memory: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """Documents in that store, at noon."""
    return Documents(database, memory, dossier_keys, rows, now=lambda: NOON, max_size=9 * MEBIBYTE)


async def counts(database: Database) -> tuple[int, int]:
    """Rows of contents and of pending objects."""
    async with database.connect() as connection:
        query = select(
            select(func.count()).select_from(content).scalar_subquery(),
            select(func.count()).select_from(pending_object).scalar_subquery(),
        )
        contents, pending = (await connection.execute(query)).one()
        return contents, pending


@pytest.mark.parametrize("size", [0, 1, CHUNK, 4 * MEBIBYTE, 9 * MEBIBYTE + 5])
async def test_what_was_deposited_is_read(documents: Documents, database: Database, size: int) -> None:
    """Empty, small, verified whole before it leaves, streamed."""
    plaintext = bytes(range(251)) * (size // 251 + 1)
    written = await deposit(documents, database, plaintext[:size])
    assert (written.size, written.sha256) == (size, hashlib.sha256(plaintext[:size]).digest())
    assert await read(documents) == plaintext[:size]


async def test_a_range_is_read(documents: Documents, database: Database) -> None:
    """Across chunks, to the end, beyond the end."""
    plaintext = bytes(range(251)) * 1000
    await deposit(documents, database, plaintext)
    for start, stop in [(0, 1), (CHUNK - 1, CHUNK + 1), (200_000, None), (250_999, 10**9)]:
        assert await read(documents, span=(start, stop)) == plaintext[start:stop]


@pytest.mark.parametrize("size, span", [(10, (10, None)), (10, (11, 12)), (10, (5, 5)), (10, (-1, 5)), (0, (1, None))])
async def test_a_range_without_bytes_is_an_error(
    in_memory: Documents, database: Database, size: int, span: tuple[int, int | None]
) -> None:
    """As RFC 9110 §14.1.2 has it; nothing is asked of the store."""
    await deposit(in_memory, database, bytes(size))
    with pytest.raises(RangeNotSatisfiableError):
        await read(in_memory, span=span)


async def test_an_empty_document_is_read_from_its_beginning(in_memory: Documents, database: Database) -> None:
    """The only range that it has."""
    await deposit(in_memory, database, b"")
    assert await read(in_memory, span=(0, 100)) == b""


async def test_what_is_kept_is_known_without_reading(
    in_memory: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """Size, digest, type, title, instant."""
    await deposit(in_memory, database, b"content", version=3, content_type="text/plain")
    kept = await in_memory.find(DOSSIER, DOCUMENT, 3)
    assert (kept.size, kept.content_type, kept.title, kept.deposited_at) == (7, "text/plain", TITLE, NOON)
    assert kept.sha256 == hashlib.sha256(b"content").digest()
    assert memory.requests == []


async def test_a_range_is_one_request_for_the_chunks_that_hold_it(
    in_memory: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """Salt and commitment come from the row."""
    written = await deposit(in_memory, database, bytes(8 * MEBIBYTE))
    await read(in_memory, span=(3 * CHUNK + 1, 4 * CHUNK + 1))
    start = 64 + 3 * (CHUNK + 16)
    assert memory.requests == [Request(written.object_name, start, start + 2 * (CHUNK + 16))]


async def test_the_store_sees_neither_content_nor_whose_it_is(
    in_memory: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """Names are random, and two deposits of the same have nothing in common but the header."""
    names = [
        (await deposit(in_memory, database, b"secret" * 100, document=document)).object_name
        for document in (DOCUMENT, OTHER_DOCUMENT)
    ]
    assert names[0] != names[1]
    one, other = memory.objects.values()
    assert (one[:8], one[8:16] == other[8:16], b"secret" in one) == (other[:8], False, False)
    shown = " ".join(names) + repr(await in_memory.find(DOSSIER, DOCUMENT, 1))
    assert (DOSSIER.hex in shown, DOCUMENT.hex in "".join(names), TITLE in shown) == (False, False, False)


async def test_several_documents_are_found_at_once(in_memory: Documents, database: Database) -> None:
    """Those asked for that have content; one that was tampered with does not hide the others."""
    await deposit(in_memory, database, b"one", title="Un")
    await deposit(in_memory, database, b"two", document=OTHER_DOCUMENT, title="Deux")
    await deposit(in_memory, database, b"three", document=UUID(int=0xA3))
    await deposit(in_memory, database, b"four", dossier=OTHER_DOSSIER, document=UUID(int=0xA4))
    found = await in_memory.find_all(DOSSIER, {DOCUMENT: 1, OTHER_DOCUMENT: 2, UUID(int=0xA4): 1, UUID(int=0xA5): 1})
    shown = {document: getattr(each, "title", type(each)) for document, each in found.items()}
    assert shown == {DOCUMENT: "Un", OTHER_DOCUMENT: SealBrokenError}
    many = {DOCUMENT: 1, **{UUID(int=0xB000 + number): 1 for number in range(600)}}
    assert set(await in_memory.find_all(DOSSIER, many)) == {DOCUMENT}
    assert await in_memory.find_all(DOSSIER, {}) == {}


async def test_a_document_without_content_has_none(in_memory: Documents, database: Database) -> None:
    """Never deposited, in another dossier, or not committed."""
    await deposit(in_memory, database, b"content")
    await in_memory.write(DOSSIER, OTHER_DOCUMENT, 1, "text/plain", pieces(b"content"))
    for dossier, document in [(OTHER_DOSSIER, DOCUMENT), (DOSSIER, OTHER_DOCUMENT)]:
        with pytest.raises(NoContentError):
            await read(in_memory, dossier=dossier, document=document)


async def test_a_document_holds_five_gibibytes() -> None:
    """By default."""
    assert MAX_SIZE == 5_368_709_120


async def test_a_document_that_is_too_large_is_refused_and_leaves_nothing(
    in_memory: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """As soon as it is."""
    await in_memory.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(bytes(9 * MEBIBYTE), 9 * MEBIBYTE))
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += MEBIBYTE
            yield bytes(MEBIBYTE)

    with pytest.raises(ContentTooLargeError):
        await in_memory.write(DOSSIER, OTHER_DOCUMENT, 1, "text/plain", endless())
    assert (taken, len(memory.objects), await counts(database)) == (10 * MEBIBYTE, 1, (0, 1))


async def test_a_deposit_whose_stream_breaks_leaves_nothing(documents: Documents, database: Database) -> None:
    """Its error comes through."""

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(100)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", broken())
    assert await counts(database) == (0, 0)


async def test_a_discarded_deposit_leaves_nothing(documents: Documents, database: Database, store: BlobStore) -> None:
    """Neither object nor row."""
    written = await documents.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    await documents.discard(written)
    assert [each async for each in store.names()] == []
    assert await counts(database) == (0, 0)


async def test_a_committed_deposit_cannot_be_discarded(in_memory: Documents, database: Database) -> None:
    """Whoever does not know whether his transaction was committed may discard."""
    written = await deposit(in_memory, database, b"content")
    await in_memory.discard(written)
    assert await read(in_memory) == b"content"


async def test_a_discarded_deposit_cannot_be_committed(in_memory: Documents, database: Database) -> None:
    """Nor one that was committed before."""
    discarded = await in_memory.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"content"))
    await in_memory.discard(discarded)
    committed = await deposit(in_memory, database, b"content")
    for deposited in (discarded, committed):
        with pytest.raises(DepositLostError):
            async with database.begin() as connection:
                await in_memory.commit(connection, deposited, TITLE)


async def test_a_document_is_deposited_once(in_memory: Documents, database: Database) -> None:
    """A new version is a new document; the refused deposit can be discarded."""
    await deposit(in_memory, database, b"first")
    second = await in_memory.write(DOSSIER, DOCUMENT, 1, "text/plain", pieces(b"second"))
    with pytest.raises(ConstraintError):
        async with database.begin() as connection:
            await in_memory.commit(connection, second, TITLE)
    await in_memory.discard(second)
    assert (await read(in_memory), await counts(database)) == (b"first", (1, 0))


async def test_a_deposit_committed_while_its_dossier_is_being_erased_is_erased(
    in_memory: Documents, database: Database
) -> None:
    """The erasure waits for it."""
    await deposit(in_memory, database, b"first")
    second = await in_memory.write(DOSSIER, OTHER_DOCUMENT, 1, "text/plain", pieces(b"second"))
    began = asyncio.Event()

    async def erase() -> int:
        async with database.begin() as connection:
            began.set()
            return len((await in_memory.erase_dossier(connection, DOSSIER)).object_names)

    async with database.begin() as connection:
        await in_memory.commit(connection, second, TITLE)
        erasing = asyncio.create_task(erase())
        if database.dialect == "postgresql":
            await began.wait()
        await somebody_waits(database, erasing)
    assert await erasing == 2
    assert await counts(database) == (0, 2)


async def test_an_erased_document_is_gone(documents: Documents, database: Database, store: BlobStore) -> None:
    """Row, key and object; the dossier's others stay."""
    await deposit(documents, database, b"content")
    await deposit(documents, database, b"other", document=OTHER_DOCUMENT)
    async with database.begin() as connection:
        erasure = await documents.erase(connection, DOSSIER, DOCUMENT)
    with pytest.raises(NoContentError):
        await read(documents)
    await documents.finish(erasure)
    assert len([each async for each in store.names()]) == 1
    assert await counts(database) == (1, 0)
    assert await read(documents, document=OTHER_DOCUMENT) == b"other"


async def test_an_erased_dossier_is_gone(documents: Documents, database: Database, store: BlobStore) -> None:
    """With its key; other dossiers stay."""
    await deposit(documents, database, b"content")
    await deposit(documents, database, b"more", document=OTHER_DOCUMENT)
    await deposit(documents, database, b"other", dossier=OTHER_DOSSIER)
    async with database.begin() as connection:
        erasure = await documents.erase_dossier(connection, DOSSIER)
    await documents.finish(erasure)
    for document in (DOCUMENT, OTHER_DOCUMENT):
        with pytest.raises(NoContentError):
            await read(documents, document=document)
    assert await read(documents, dossier=OTHER_DOSSIER) == b"other"
    assert len([each async for each in store.names()]) == 1
    async with database.connect() as connection:
        assert list((await connection.execute(select(dossier_key.c.dossier))).scalars()) == [OTHER_DOSSIER]


async def test_erasing_what_has_no_content_does_nothing(in_memory: Documents, database: Database) -> None:
    """Documents imported without content are erased too."""
    async with database.begin() as connection:
        erasure = await in_memory.erase(connection, DOSSIER, DOCUMENT)
    await in_memory.finish(erasure)
    assert (erasure.object_names, await counts(database)) == ((), (0, 0))


async def test_an_erasure_that_was_rolled_back_removes_nothing(in_memory: Documents, database: Database) -> None:
    """Even if its caller finishes it."""

    class RolledBackError(Exception):
        """Ends the transaction."""

    await deposit(in_memory, database, b"content")
    erasures: list[Erasure] = []

    async def erased() -> None:
        async with database.begin() as connection:
            erasures.append(await in_memory.erase(connection, DOSSIER, DOCUMENT))
            raise RolledBackError

    with pytest.raises(RolledBackError):
        await erased()
    await in_memory.finish(erasures[0])
    assert await read(in_memory) == b"content"


async def test_a_document_erased_while_it_is_being_opened_has_no_content(
    in_memory: Documents, database: Database
) -> None:
    """That is no tampering."""
    await deposit(in_memory, database, b"content")
    kept = await in_memory.find(DOSSIER, DOCUMENT, 1)
    async with database.begin() as connection:
        erasure = await in_memory.erase(connection, DOSSIER, DOCUMENT)
    await in_memory.finish(erasure)
    with pytest.raises(NoContentError):
        await in_memory.read(kept)


@pytest.mark.parametrize("start", [0, 4 * MEBIBYTE])
async def test_a_reading_that_is_left_lets_go_of_the_store(
    in_memory: Documents, database: Database, memory: MemoryBlobStore, start: int
) -> None:
    """Whether or not a piece of it was taken."""
    await deposit(in_memory, database, bytes(9 * MEBIBYTE))
    for taken in (0, 1, 2):
        reading = await in_memory.open(DOSSIER, DOCUMENT, 1, (start, None))
        assert memory.open_readings == 1
        for _ in range(taken):
            await anext(reading.stream)
        await reading.stream.aclose()
        assert memory.open_readings == 0
        assert [piece async for piece in reading.stream] == []


@pytest.mark.parametrize("size", [100, 5 * MEBIBYTE])
async def test_a_store_that_fails_is_unavailable(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, size: int
) -> None:
    """On writing and on reading, which is no tampering."""
    store = FailingBlobStore()
    documents = Documents(database, store, dossier_keys, rows)
    await deposit(documents, database, bytes(size))
    store.failing = {"put", "get"}
    with pytest.raises(StoreUnavailableError):
        await documents.write(DOSSIER, OTHER_DOCUMENT, 1, "text/plain", pieces(b"content"))
    with pytest.raises(StoreUnavailableError):
        await documents.open(DOSSIER, DOCUMENT, 1)
    store.failing = {"during get"}
    with pytest.raises(StoreUnavailableError):
        await read(documents)
    assert await counts(database) == (1, 0)
