"""Documents whose store and database are in the attacker's hands; what is altered is the same in every engine."""

import pytest

from tests.doubles.blobs import MemoryBlobStore


@pytest.fixture
def dialect() -> str:
    """The embedded database."""
    return "sqlite"


@pytest.fixture
def store() -> MemoryBlobStore:
    """In the attacker's hands."""
    return MemoryBlobStore()
