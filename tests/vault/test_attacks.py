"""Whoever holds the object store or the database alters what is kept: one opaque error, and no byte but ours."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.database import Database
from models.tables import content, dossier_key
from tests.doubles.blobs import MemoryBlobStore
from tests.vault.deposits import DOCUMENT, DOSSIER, MEBIBYTE, OTHER_DOCUMENT, OTHER_DOSSIER, deposit, read
from vault.documents import Deposit, Documents
from vault.errors import SealBrokenError
from vault.keys import DossierKeys, RowKeys

CHUNK = 16 * 1024
OPAQUE = r"^what was stored does not open$"


@pytest.fixture
def dialect() -> str:
    """The embedded database: what is altered is the same in both."""
    return "sqlite"


@pytest.fixture
def store() -> MemoryBlobStore:
    """In the attacker's hands."""
    return MemoryBlobStore()


@pytest.fixture
def documents(database: Database, store: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """Documents in that store."""
    return Documents(database, store, dossier_keys, rows)


async def two(documents: Documents, database: Database, **other: Any) -> tuple[Deposit, Deposit]:
    """Two documents, the second of which differs by these."""
    first = await deposit(documents, database, b"first")
    second = await deposit(documents, database, b"other", **({"document": OTHER_DOCUMENT} | other))
    return first, second


@pytest.mark.parametrize(
    "other",
    [{}, {"dossier": OTHER_DOSSIER}, {"dossier": OTHER_DOSSIER, "document": DOCUMENT}, {"version": 2}],
    ids=["document", "other dossier's", "same id in another dossier", "version"],
)
async def test_objects_cannot_change_places(
    documents: Documents, database: Database, store: MemoryBlobStore, other: dict[str, Any]
) -> None:
    """A later version's for an earlier one's, another patient's, another document's."""
    first, second = await two(documents, database, **other)
    store.swap(first.object_name, second.object_name)
    for each in (first, second):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await read(documents, dossier=each.dossier, document=each.document, version=each.version)


async def test_no_bit_of_an_object_can_be_flipped_and_no_byte_cut_off_or_added(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Read whole, every alteration shows before the first byte leaves."""
    written = await deposit(documents, database, b"first")
    whole = store.objects[written.object_name]
    kept = await documents.find(DOSSIER, DOCUMENT, 1)
    altered = [whole[:length] for length in range(len(whole))] + [whole + b"\x00", whole + whole]
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        altered.append(bytes(flipped))
    for each in altered:
        store.objects[written.object_name] = each
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.read(kept)


async def test_an_object_that_was_removed_does_not_open(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Its row says that it ought to be there."""
    written = await deposit(documents, database, b"first")
    await store.delete(written.object_name)
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await read(documents)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: -CHUNK - 16],
        lambda whole: whole[: len(whole) - len(whole) % (CHUNK + 16) + 64],
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: whole + b"\x00",
    ],
    ids=["cut", "cut by a chunk's length", "cut between chunks", "flipped", "longer"],
)
@pytest.mark.parametrize("start", [0, 1, 4 * MEBIBYTE])
async def test_the_end_of_a_large_document_cannot_be_altered(
    documents: Documents, database: Database, store: MemoryBlobStore, change: Callable[[bytes], bytes], start: int
) -> None:
    """What leaves before that shows is the document's, in order."""
    plaintext = bytes(range(256)) * (5 * MEBIBYTE // 256)
    written = await deposit(documents, database, plaintext)
    store.alter(written.object_name, change)
    taken = bytearray()
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await _take(documents, start, taken)
    assert plaintext[start:].startswith(taken)
    assert (len(taken) > 0) == (start < 4 * MEBIBYTE)


async def _take(documents: Documents, start: int, taken: bytearray) -> None:
    reading = await documents.open(DOSSIER, DOCUMENT, 1, (start, None))
    async for piece in reading.stream:
        taken += piece


async def test_a_range_of_an_object_that_changed_elsewhere_still_opens(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """It verifies what it gives."""
    plaintext = bytes(range(256)) * 1024
    written = await deposit(documents, database, plaintext)
    store.alter(written.object_name, lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]))
    assert await read(documents, span=(CHUNK, 2 * CHUNK)) == plaintext[CHUNK : 2 * CHUNK]


@pytest.mark.parametrize(
    "column, value",
    [
        ("content_type", "text/html"),
        ("size", 4),
        ("size", 6),
        ("size", 0),
        ("size", -1),
        ("size", 2**63 - 1),
        ("head", b""),
        ("data_key", b""),
        ("data_key", b"\x01" + bytes(64)),
        ("sha256", b"\x01\x00\x00\x00\x01" + bytes(28)),
        ("title_sealed", b""),
    ],
    ids=str,
)
async def test_a_row_cannot_be_edited(documents: Documents, database: Database, column: str, value: object) -> None:
    """Type, size and head are authenticated with the document's key; digest and title are sealed."""
    await deposit(documents, database, b"first")
    async with database.begin() as connection:
        await connection.execute(update(content).values({column: value}))
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.find(DOSSIER, DOCUMENT, 1)


COLUMNS = [column.name for column in content.columns if not column.primary_key]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("other", [DOSSIER, OTHER_DOSSIER], ids=["same dossier", "other dossier"])
async def test_rows_cannot_exchange_what_they_hold(
    documents: Documents, database: Database, column: str, other: UUID
) -> None:
    """Not a single column, not even between documents of one dossier: neither is found any more, nor listed."""
    first = await deposit(documents, database, b"first")
    second = await deposit(
        documents, database, b"another", dossier=other, document=OTHER_DOCUMENT, content_type="text/plain"
    )
    await _swap(database, other, column)
    for each in (first, second):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.find(each.dossier, each.document, each.version)
        listed = await documents.find_all(each.dossier, {each.document: each.version})
        assert [type(found) for found in listed.values()] == [SealBrokenError]


async def _swap(database: Database, dossier: UUID, column: str) -> None:
    """The values of two rows change places."""
    async with database.begin() as connection:
        rows = [
            (place, (await connection.execute(select(content.c[column]).where(place))).scalar_one())
            for place in (
                (content.c.dossier == DOSSIER) & (content.c.document == DOCUMENT),
                (content.c.dossier == dossier) & (content.c.document == OTHER_DOCUMENT),
            )
        ]
        (first, ours), (second, theirs) = rows
        assert ours != theirs
        await connection.execute(update(content).where(first).values({column: theirs}))
        await connection.execute(update(content).where(second).values({column: ours}))


@pytest.mark.parametrize("other", [DOSSIER, OTHER_DOSSIER], ids=["same dossier", "other dossier"])
async def test_a_whole_row_cannot_be_copied_over_another(documents: Documents, database: Database, other: UUID) -> None:
    """Object, head, key and all."""
    await two(documents, database, dossier=other)
    columns = [column.name for column in content.columns if not column.primary_key]
    await _copy(database, other, columns)
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await read(documents)


async def _copy(database: Database, dossier: UUID, columns: list[str]) -> None:
    """From the other document's row into the first one's."""
    async with database.begin() as connection:
        rows = await connection.execute(
            select(*(content.c[column] for column in columns)).where(
                content.c.dossier == dossier, content.c.document == OTHER_DOCUMENT
            )
        )
        first = (content.c.dossier == DOSSIER) & (content.c.document == DOCUMENT)
        await connection.execute(update(content).where(first).values(rows.one()._asdict()))


async def test_dossiers_keys_cannot_change_places(documents: Documents, database: Database) -> None:
    """The owner is authenticated with the key."""
    await two(documents, database, dossier=OTHER_DOSSIER)
    async with database.begin() as connection:
        row = (
            await connection.execute(
                select(dossier_key.c.wrapped, dossier_key.c.key_id).where(dossier_key.c.dossier == OTHER_DOSSIER)
            )
        ).one()
        await connection.execute(update(dossier_key).where(dossier_key.c.dossier == DOSSIER).values(row._asdict()))
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.find(DOSSIER, DOCUMENT, 1)


async def test_a_document_read_as_another_version_does_not_open(documents: Documents, database: Database) -> None:
    """The version comes from the facts."""
    await deposit(documents, database, b"first", version=2)
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.find(DOSSIER, DOCUMENT, 1)
