"""Accesses in an emergency are counted where they are written down: with the entry or not at all.

What is kept of one is a day and a mode. Nothing leads from the count to a dossier, nor is it erased with one.
"""

from collections.abc import Sequence
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import load
from models.tables import emergency
from models.vocabulary import Action, Mode
from vault.journal.entry import Entry, Item

_PARIS = ZoneInfo("Europe/Paris")
_EMERGENCIES = frozenset({Mode.BREAK_GLASS.value, Mode.CENTRE_15.value})
_ACCESSES = frozenset({Action.DOCUMENT_LIST.value, Action.DOCUMENT_READ.value})


async def count_emergencies(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Count the entries that gave something to read in an emergency: what was asked together counts once."""
    rows = [(uuid4(), entry.at.astimezone(_PARIS).date(), entry.mode) for entry in entries if _is_emergency(entry)]
    if rows:
        await load(connection, emergency, rows)


def _is_emergency(entry: Entry) -> bool:
    if entry.mode not in _EMERGENCIES:
        return False
    told: tuple[Entry | Item, ...] = (entry, *entry.items)
    return any(one.allowed and one.action in _ACCESSES for one in told)
