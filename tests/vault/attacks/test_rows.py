"""Whoever holds the database alters the rows of documents: one opaque error, whatever they were altered to.

What says where an object is and how it is keyed is under a MAC. And should somebody learn the key of the MACs, which
opens nothing, each part of a row is still bound to its document by the dossier's key.
"""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, delete, insert, select, update

from models.database import Database
from models.tables import content
from tests.doubles.blobs import MemoryBlobStore
from tests.vault.deposits import DOCUMENT, DOSSIER, OTHER_DOCUMENT, OTHER_DOSSIER, deposit, read
from vault.documents import Deposit, Documents
from vault.errors import NoContentError, SealBrokenError
from vault.keys import RowKeys

OPAQUE = r"^what was stored does not open$"
FIRST = (content.c.dossier == DOSSIER) & (content.c.document == DOCUMENT)
COLUMNS = [column.name for column in content.columns if not column.primary_key]
BETWEEN = pytest.mark.parametrize("other", [DOSSIER, OTHER_DOSSIER], ids=["same dossier", "other dossier"])


async def two(documents: Documents, database: Database, other: UUID) -> tuple[Deposit, Deposit]:
    """Two documents that differ in everything, the second one in that dossier."""
    first = await deposit(documents, database, b"first")
    second = await deposit(
        documents, database, b"another", dossier=other, document=OTHER_DOCUMENT, content_type="text/plain"
    )
    return first, second


def second_of(dossier: UUID) -> ColumnElement[bool]:
    return (content.c.dossier == dossier) & (content.c.document == OTHER_DOCUMENT)


async def row(database: Database, where: ColumnElement[bool] = FIRST) -> dict[str, Any]:
    async with database.connect() as connection:
        return (await connection.execute(select(content).where(where))).one()._asdict()


async def put(database: Database, values: dict[str, Any], where: ColumnElement[bool] = FIRST) -> None:
    async with database.begin() as connection:
        await connection.execute(update(content).where(where).values(values))


async def authenticated(database: Database, rows: RowKeys, where: ColumnElement[bool] = FIRST) -> None:
    """Give a row the MAC that it ought to have: what somebody can who has the key of the MACs."""
    told = await row(database, where)
    async with database.begin() as connection:
        mac = await rows.mac(connection, content, told)
        await connection.execute(update(content).where(where).values(mac=mac))


async def test_a_row_that_is_authenticated_again_is_as_it_was(
    documents: Documents, database: Database, rows: RowKeys
) -> None:
    """So that the attacks below fail for what they changed."""
    await deposit(documents, database, b"first")
    before = await row(database)
    await authenticated(database, rows)
    assert (await row(database), await read(documents)) == (before, b"first")


EDITS = pytest.mark.parametrize(
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


@EDITS
@pytest.mark.parametrize("forged", [False, True], ids=["", "with its MAC"])
async def test_a_row_cannot_be_edited(
    documents: Documents, database: Database, rows: RowKeys, column: str, value: object, *, forged: bool
) -> None:
    """Type, size and head are authenticated with the document's key too; digest and title are sealed."""
    await deposit(documents, database, b"first")
    await put(database, {column: value})
    if forged:
        await authenticated(database, rows)
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.find(DOSSIER, DOCUMENT, 1)


@pytest.mark.parametrize("column", COLUMNS)
@BETWEEN
async def test_rows_cannot_exchange_what_they_hold(
    documents: Documents, database: Database, column: str, other: UUID
) -> None:
    """Not a single column, not even between documents of one dossier: neither is found any more, nor listed."""
    both = await two(documents, database, other)
    await _exchange(database, other, [column])
    for each in both:
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.find(each.dossier, each.document, each.version)
        listed = await documents.find_all(each.dossier, {each.document: each.version})
        assert [type(found) for found in listed.values()] == [SealBrokenError]


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"mac", "deposited_at"}))
@BETWEEN
async def test_what_rows_exchange_does_not_open_with_their_macs_either(
    documents: Documents, database: Database, rows: RowKeys, column: str, other: UUID
) -> None:
    """Object, head, key, type, size, digest, title: each belongs to one document of one dossier."""
    both = await two(documents, database, other)
    await _exchange(database, other, [column])
    for where in (FIRST, second_of(other)):
        await authenticated(database, rows, where)
    for each in both:
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await read(documents, dossier=each.dossier, document=each.document, version=each.version)


@pytest.mark.parametrize("forged", [False, True], ids=["", "with their MACs"])
@BETWEEN
async def test_whole_rows_cannot_change_places(
    documents: Documents, database: Database, rows: RowKeys, other: UUID, *, forged: bool
) -> None:
    """Object, head, key and all."""
    both = await two(documents, database, other)
    await _exchange(database, other, COLUMNS)
    for where in (FIRST, second_of(other)):
        if forged:
            await authenticated(database, rows, where)
    for each in both:
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.find(each.dossier, each.document, each.version)


async def _exchange(database: Database, other: UUID, columns: list[str]) -> None:
    """The values of two rows change places."""
    ours, theirs = [await row(database, where) for where in (FIRST, second_of(other))]
    assert all(ours[column] != theirs[column] for column in columns)
    await put(database, {column: theirs[column] for column in columns})
    await put(database, {column: ours[column] for column in columns}, second_of(other))


@pytest.mark.parametrize("forged", [False, True], ids=["", "with its MAC"])
async def test_a_row_moved_to_another_document_does_not_open(
    documents: Documents, database: Database, rows: RowKeys, *, forged: bool
) -> None:
    """Nor to one that has no content of its own, in the same dossier or in one whose key is there."""
    await two(documents, database, OTHER_DOSSIER)
    told = await row(database)
    for dossier, document in ((DOSSIER, OTHER_DOCUMENT), (OTHER_DOSSIER, DOCUMENT)):
        async with database.begin() as connection:
            await connection.execute(insert(content).values(told | {"dossier": dossier, "document": document}))
        if forged:
            await authenticated(database, rows, (content.c.dossier == dossier) & (content.c.document == document))
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.find(dossier, document, 1)


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"deposited_at", "content_type"}))
async def test_a_row_cannot_be_set_back(
    documents: Documents, database: Database, store: MemoryBlobStore, column: str
) -> None:
    """A document that was erased and deposited anew takes nothing of its row of before, nor its object."""
    first = await deposit(documents, database, b"first")
    before, sealed = await row(database), store.objects[first.object_name]
    async with database.begin() as connection:
        erasure = await documents.erase(connection, DOSSIER, DOCUMENT)
    await documents.finish(erasure)
    await deposit(documents, database, b"second")
    store.objects[first.object_name] = sealed
    await put(database, {column: before[column]})
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.find(DOSSIER, DOCUMENT, 1)


async def test_a_document_read_as_another_version_does_not_open(
    documents: Documents, database: Database, rows: RowKeys
) -> None:
    """The version comes from the facts, and is authenticated with the document's key."""
    await deposit(documents, database, b"first", version=2)
    for version in (1, 3, -2):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await documents.find(DOSSIER, DOCUMENT, version)
    assert await read(documents, version=2) == b"first"


async def test_a_row_that_was_removed_is_no_content(documents: Documents, database: Database) -> None:
    """Nobody can tell it from one that was erased; that there is a document its facts tell."""
    await deposit(documents, database, b"first")
    async with database.begin() as connection:
        await connection.execute(delete(content))
    with pytest.raises(NoContentError):
        await documents.find(DOSSIER, DOCUMENT, 1)
