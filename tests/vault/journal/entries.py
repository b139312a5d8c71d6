"""Entries to write, complete and as small as a test needs them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models.facts import Reference
from vault.journal.entry import Entry

DOSSIER = UUID("5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01")
OTHER_DOSSIER = UUID("b8f2a7d4-0c47-4f0e-8a51-9a3a0b6f7c02")
DOCUMENT = "7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03"
PHYSICIAN = Reference("professional", "10001234565")
NURSE = Reference("professional", "10007654320")
HOLDER = Reference("person", str(DOSSIER))
HOSPITAL = Reference("organization", "750000002")
AT = datetime(2026, 11, 2, 9, 30, 15, 123456, tzinfo=UTC)


def an_entry(**changes: Any) -> Entry:
    """A physician reads a document, unless a test says otherwise."""
    told: dict[str, Any] = {
        "at": AT,
        "dossier": DOSSIER,
        "subject": PHYSICIAN,
        "action": "document:read",
        "resource": Reference("document", DOCUMENT),
        "allowed": True,
        "rule": "treating-physician",
        "revision": "5f" * 32,
        "client": "viewer",
        "request_id": "r-1",
    }
    return Entry(**told | changes)
