"""A contest, and how it is kept: sealed under the dossier's key.

It stays with the version that it is about. A version that takes that one's place is not contested.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import ConflictError
from api.services.notices import of_answer
from models.facts import Document
from models.queries.documents import Standing, hold_document, set_contest
from models.queries.dossiers import hold_dossier
from vault.journal.notifying import Owed
from vault.keys import DossierKey, DossierKeys


@dataclass(frozen=True, slots=True)
class Contest:
    """The patient's contest of a document, and the author's answer: `kept` with a reason, or else a replacement."""

    reason: str = field(repr=False)
    at: datetime
    kept: bool = False
    answer: str = field(default="", repr=False)
    answered_at: datetime | None = None


async def held(keys: DossierKeys, connection: AsyncConnection, dossier: UUID, about: Document) -> Contest | None:
    """The contest of a document, which nobody else changes until the transaction ends. Raises SealBrokenError.

    Raises ConflictError if the document's status is no longer what the decision saw, ConstraintError if the dossier
    was erased.
    """
    key = await keys.ensure(connection, dossier)  # in the order in which an erasure locks
    await hold_dossier(connection, dossier)
    document = await hold_document(connection, dossier, about.id)
    if document.status is not about.status:
        raise ConflictError
    return None if document.contest_sealed is None else _opened(key, about.id, document.contest_sealed)


async def write(
    keys: DossierKeys, connection: AsyncConnection, dossier: UUID, document: UUID, contest: Contest
) -> None:
    """Keep a contest, sealed, with this transaction."""
    written = {
        "reason": contest.reason,
        "at": contest.at.isoformat(),
        "kept": contest.kept,
        "answer": contest.answer,
        "answered_at": contest.answered_at.isoformat() if contest.answered_at else None,
    }
    sealed = await keys.seal_text(connection, dossier, contest_purpose(document), json.dumps(written).encode())
    await set_contest(connection, dossier, document, sealed)


async def answer_by_replacing(
    keys: DossierKeys, connection: AsyncConnection, dossier: UUID, replaced: UUID, at: datetime
) -> list[Owed]:
    """What the author owes whose document, replaced in this transaction, was contested; it then says when."""
    document = await hold_document(connection, dossier, replaced)
    if document.contest_sealed is None:
        return []
    contest = _opened(await keys.ensure(connection, dossier), replaced, document.contest_sealed)
    if contest.answered_at is None:
        await write(keys, connection, dossier, replaced, replace(contest, answered_at=at))
    return of_answer(replaced, at)


async def unseal(keys: DossierKeys, dossier: UUID, document: UUID, standing: Standing) -> Contest | None:
    """The contest of a document, if there is one. Raises SealBrokenError."""
    if standing.contest_sealed is None:
        return None
    return _opened(await keys.unwrap(dossier, standing.key), document, standing.contest_sealed)


def contest_purpose(document: UUID) -> str:
    """What a document's contest is sealed for."""
    return f"contest/{document}"


def _opened(key: DossierKey, document: UUID, sealed: bytes) -> Contest:
    read: dict[str, Any] = json.loads(key.open_text(contest_purpose(document), sealed))
    answered_at = read["answered_at"]
    return Contest(
        read["reason"],
        datetime.fromisoformat(read["at"]),
        read["kept"],
        read["answer"],
        datetime.fromisoformat(answered_at) if answered_at else None,
    )
