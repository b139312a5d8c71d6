"""A contest, and how it is kept: sealed under the dossier's key."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.documents import Standing
from vault.keys import DossierKeys


@dataclass(frozen=True, slots=True)
class Contest:
    """The patient's contest of a document, and the author's answer."""

    reason: str = field(repr=False)
    at: datetime
    kept: bool = False
    answer: str = field(default="", repr=False)
    answered_at: datetime | None = None


async def seal(
    keys: DossierKeys, connection: AsyncConnection, dossier: UUID, document: UUID, contest: Contest
) -> bytes:
    """The contest as the database keeps it, to be written in this transaction."""
    written = {
        "reason": contest.reason,
        "at": contest.at.isoformat(),
        "kept": contest.kept,
        "answer": contest.answer,
        "answered_at": contest.answered_at.isoformat() if contest.answered_at else None,
    }
    return await keys.seal_text(connection, dossier, contest_purpose(document), json.dumps(written).encode())


async def unseal(keys: DossierKeys, dossier: UUID, document: UUID, standing: Standing) -> Contest | None:
    """The contest of a document, if there is one. Raises SealBrokenError."""
    if standing.contest_sealed is None:
        return None
    opened = await keys.open_text(dossier, standing.key, contest_purpose(document), standing.contest_sealed)
    read: dict[str, Any] = json.loads(opened)
    answered_at = read["answered_at"]
    return Contest(
        read["reason"],
        datetime.fromisoformat(read["at"]),
        read["kept"],
        read["answer"],
        datetime.fromisoformat(answered_at) if answered_at else None,
    )


def contest_purpose(document: UUID) -> str:
    """What a document's contest is sealed for."""
    return f"contest/{document}"
