"""Documents for tests, deposited and read."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

from models.database import Database
from vault.documents import Deposit, Documents

DOSSIER, OTHER_DOSSIER = UUID(int=0xD1), UUID(int=0xD2)
DOCUMENT, OTHER_DOCUMENT = UUID(int=0xA1), UUID(int=0xA2)
TITLE = "Compte rendu d’hospitalisation"
MEBIBYTE = 1024 * 1024


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
