"""Documents for tests, deposited and read."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID

from models.database import Database
from models.facts import Document, Reference
from models.queries.dossiers import open_dossier
from models.queries.sheets import hold_sheet, keep_sheet
from models.sheets import Filed, Version, append, filed_in, pack_documents
from vault.documents import Deposit, Documents

DOSSIER, OTHER_DOSSIER = UUID(int=0xD1), UUID(int=0xD2)
DOCUMENT, OTHER_DOCUMENT = UUID(int=0xA1), UUID(int=0xA2)
TITLE = "Compte rendu d’hospitalisation"
MEBIBYTE = 1024 * 1024
AT = datetime(2026, 11, 2, tzinfo=UTC)


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """A stream of the content."""
    for position in range(0, len(content), size):
        yield content[position : position + size]


async def deposit(
    documents: Documents,
    database: Database,
    content: bytes,
    *,
    dossier: UUID = DOSSIER,
    document: UUID = DOCUMENT,
    version: int = 1,
    content_type: str = "application/pdf",
    title: str = TITLE,
) -> Deposit:
    """A document deposited and committed."""
    written = await documents.write(dossier, document, version, content_type, pieces(content))
    async with database.begin() as connection:
        await documents.commit(connection, written, title)
    return written


async def file(database: Database, dossier: UUID, *documents: UUID, version: int = 1) -> None:
    """The facts of documents, which say their version, in a dossier that is opened if there is none."""
    author = Reference("organization", "750000002")
    filed = [Filed(Document(each, "11488-4", author, AT), Version(each, version)) for each in documents]
    async with database.begin() as connection:
        await open_dossier(connection, dossier, at=AT)
        sheet = await hold_sheet(connection, dossier)
        await keep_sheet(connection, dossier, sheet, sheet._replace(documents=append(sheet.documents, filed)))


async def forget(database: Database, dossier: UUID, document: UUID) -> None:
    """A document whose facts are gone, and nothing else of it."""
    async with database.begin() as connection:
        sheet = await hold_sheet(connection, dossier)
        left = [each for each in filed_in(sheet.documents) if each.document.id != document]
        await keep_sheet(connection, dossier, sheet, sheet._replace(documents=pack_documents(left)))


async def read(
    documents: Documents,
    *,
    dossier: UUID = DOSSIER,
    document: UUID = DOCUMENT,
    version: int = 1,
    span: tuple[int, int | None] = (0, None),
) -> bytes:
    """The document's bytes."""
    reading = await documents.open(dossier, document, version, span)
    async with aclosing(reading.stream):
        return b"".join([piece async for piece in reading.stream])
