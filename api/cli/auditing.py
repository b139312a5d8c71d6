"""`dmp journal audit`: the trace for the authorities. Reading it is an access, and written down before it is given."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from api.parts import Parts, open_parts
from api.settings import Settings
from models.facts import Reference
from models.queries.policy import find_in_force
from vault.journal.entry import NO_DOSSIER, Entry, Line, Value
from vault.journal.reading import by_professional
from vault.journal.tracing import by_dossier

ACTION = "journal:audit"
_RULE = "journal-audit"
_OPERATOR = Reference("service", "operator")
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose entries: of a professional, about a dossier or both; from an instant on, and until before another."""

    professional: str | None
    dossier: UUID | None
    since: datetime | None
    until: datetime | None


def audit(settings: Settings, asked: Asked, write: Callable[[bytes], None]) -> None:
    """Give `write` each entry as a line of JSON, after the journal has taken down who asked for what.

    Raises JournalUnavailableError if it has not, JournalEntryError at the first entry that was tampered with.
    """
    asyncio.run(_audit(settings, asked, write, datetime.now(UTC)))


async def _audit(settings: Settings, asked: Asked, write: Callable[[bytes], None], now: datetime) -> None:
    async with open_parts(settings) as parts:
        in_force = await find_in_force(parts.database)
        await parts.ledger.record(_entry(asked, now, "" if in_force is None else in_force.revision))
        async for line in _lines(parts, asked):
            if line.entry is not None and asked.dossier in {None, line.dossier}:
                members = msgspec.json.decode(line.entry.encode())
                write(msgspec.json.encode({"dossier": line.dossier, "sequence": line.sequence} | members))


def _lines(parts: Parts, asked: Asked) -> AsyncIterator[Line]:
    since, until = asked.since or _EVER[0], asked.until or _EVER[1]
    if asked.professional is not None:
        return by_professional(parts.database, parts.journal_keys, asked.professional, since, until)
    return by_dossier(parts.database, parts.journal_keys, asked.dossier or NO_DOSSIER, since, until)


def _entry(asked: Asked, now: datetime, revision: str) -> Entry:
    """Under no dossier: those whom it concerns are many, and an inquiry may be nobody's to know yet."""
    told: dict[str, str | datetime | UUID | None] = {
        "professional": asked.professional,
        "dossier": asked.dossier,
        "from": asked.since,
        "to": asked.until,
    }
    change: dict[str, Value] = {name: _text(value) for name, value in told.items() if value is not None}
    named = ("dossier", str(asked.dossier)) if asked.professional is None else ("professional", asked.professional)
    return Entry(
        at=now,
        dossier=NO_DOSSIER,
        subject=_OPERATOR,
        action=ACTION,
        resource=Reference(*named),
        allowed=True,
        rule=_RULE,
        revision=revision,
        client=_OPERATOR.type,
        request_id=ACTION,
        change=change,
    )


def _text(value: str | datetime | UUID) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
