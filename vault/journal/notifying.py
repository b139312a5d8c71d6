"""Who must be told of an entry: written beside it, in its own transaction, so that neither stands without the other."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import dossier, notification
from models.vocabulary import Obligation
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
)
# Nothing is kept of a dossier that was erased while the access to it was on its way.
_ADD = insert(notification).from_select(
    _COLUMNS,
    select(*(bindparam(column.name, type_=column.type) for column in _COLUMNS)).where(
        select(dossier.c.id).where(dossier.c.id == bindparam("dossier", type_=dossier.c.id.type)).exists()
    ),
)


async def notify(connection: AsyncConnection, placed: Sequence[tuple[Entry, Receipt]]) -> None:
    """Leave word of these entries, due at once, to those whom their obligations name (RULES §4.3).

    One for each obligation and entry: what was asked together is told together.
    """
    if rows := list(_rows(placed)):
        await connection.execute(_ADD, rows)


def notification_id(dossier: UUID, sequence: int, obligation: str) -> UUID:
    """Made of what it tells of, so that a database restored from a backup tells it again under the same id."""
    return uuid5(dossier, f"{sequence}/{obligation}")


def _rows(placed: Sequence[tuple[Entry, Receipt]]) -> Iterator[dict[str, Any]]:
    for entry, receipt in placed:
        if entry.obligations and entry.allowed:
            for obligation in _OBLIGATIONS:
                if obligation in entry.obligations:
                    yield {
                        "dossier": receipt.dossier,
                        "id": notification_id(receipt.dossier, receipt.sequence, obligation),
                        "sequence": receipt.sequence,
                        "obligation": obligation,
                        "action": entry.action,
                        "mode": entry.mode,
                        "at": entry.at,
                        "due_at": entry.at,
                    }
