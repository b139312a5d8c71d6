"""Who must be told of an entry: written beside it, in its own transaction, so that neither stands without the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import dossier, notification
from models.vocabulary import Notice, Obligation
from vault.journal.entry import Entry, Receipt

_OBLIGATIONS = (Obligation.NOTIFY_PATIENT.value, Obligation.NOTIFY_TREATING_PHYSICIANS.value)
_COLUMNS = (
    notification.c.dossier,
    notification.c.id,
    notification.c.sequence,
    notification.c.obligation,
    notification.c.action,
    notification.c.mode,
    notification.c.at,
    notification.c.due_at,
    notification.c.document,
)
# Nothing is kept of a dossier that was erased while the access to it was on its way.
_ADD = insert(notification).from_select(
    _COLUMNS,
    select(*(bindparam(column.name, type_=column.type) for column in _COLUMNS)).where(
        select(dossier.c.id).where(dossier.c.id == bindparam("dossier", type_=dossier.c.id.type)).exists()
    ),
)


@dataclass(frozen=True, slots=True)
class Owed:
    """Word of a document that is owed to somebody because of a change, from `due_at` on."""

    notice: Notice
    document: UUID
    due_at: datetime


async def notify(connection: AsyncConnection, placed: Sequence[tuple[Entry, Receipt]]) -> None:
    """Leave word of these entries, due at once, to those whom their obligations name (RULES §4.3).

    One for each obligation and entry: what was asked together is told together.
    """
    if rows := list(_rows(placed)):
        await connection.execute(_ADD, rows)


async def owe(connection: AsyncConnection, entry: Entry, receipt: Receipt, owed: Sequence[Owed]) -> None:
    """Leave word of what a change, told by this entry, owes to whom: each once for its document."""
    if owed:
        await connection.execute(_ADD, [_owed(entry, receipt, each) for each in owed])


def notification_id(dossier: UUID, sequence: int, what: str) -> UUID:
    """Made of what it tells of, so that a database restored from a backup tells it again under the same id."""
    return uuid5(dossier, f"{sequence}/{what}")


def _rows(placed: Sequence[tuple[Entry, Receipt]]) -> Iterator[dict[str, Any]]:
    for entry, receipt in placed:
        if entry.obligations and entry.allowed:
            for obligation in _OBLIGATIONS:
                if obligation in entry.obligations:
                    told = {"obligation": obligation, "due_at": entry.at, "document": None}
                    yield _row(entry, receipt, obligation) | told


def _owed(entry: Entry, receipt: Receipt, owed: Owed) -> dict[str, Any]:
    told = {"obligation": owed.notice.value, "due_at": owed.due_at, "document": owed.document}
    return _row(entry, receipt, f"{owed.notice.value}/{owed.document}") | told


def _row(entry: Entry, receipt: Receipt, what: str) -> dict[str, Any]:
    return {
        "dossier": receipt.dossier,
        "id": notification_id(receipt.dossier, receipt.sequence, what),
        "sequence": receipt.sequence,
        "action": entry.action,
        "mode": entry.mode,
        "at": entry.at,
    }
