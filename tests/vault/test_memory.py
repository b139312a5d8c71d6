"""Documents stream: memory does not grow with their size."""

import tracemalloc
from collections.abc import AsyncIterator

import pytest

from models.database import Database
from tests.vault.deposits import DOCUMENT, DOSSIER, MEBIBYTE, TITLE
from vault.documents import Documents

SMALL = 64 * MEBIBYTE
BOUND = 44 * MEBIBYTE
"""Four parts of a multipart upload, one of them gathered and copied, and what comes and goes beside them."""


@pytest.fixture
def dialect() -> str:
    """The embedded database: documents do not pass through it."""
    return "sqlite"


@pytest.mark.parametrize("size", [SMALL, pytest.param(1024 * MEBIBYTE, marks=pytest.mark.long)])
async def test_a_large_document_passes_through_little_memory(
    documents: Documents, database: Database, size: int
) -> None:
    """In both directions."""

    async def synthetic() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536):
            yield bytes(65_536)

    tracemalloc.start()
    try:
        written = await documents.write(DOSSIER, DOCUMENT, 1, "application/pdf", synthetic())
        async with database.begin() as connection:
            await documents.commit(connection, written, TITLE)
        _, writing = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        received = 0
        async for piece in (await documents.open(DOSSIER, DOCUMENT, 1)).stream:
            received += len(piece)
        _, reading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (written.size, received) == (size, size)
    assert writing < BOUND
    assert reading < BOUND
