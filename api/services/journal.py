"""The trace as those see it who may: the patient, the treating physician, and each one his own part."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.services.judging import Actor, Judging
from models.facts import Reference
from models.vocabulary import Action, Obligation, ResourceType
from vault.journal.entry import Line
from vault.journal.proof import Proof
from vault.journal.reading import Reader

_LAST = 2**63 - 1
"""No entry has a higher number: it is what a database counts up to."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A page of a dossier's journal, newest first; `next` is the sequence after which the rest begins."""

    lines: Sequence[Line]
    next: int | None


class JournalService:
    """The journal's use cases."""

    def __init__(self, judging: Judging, reader: Reader) -> None:
        self._judging = judging
        self._reader = reader

    async def page(self, actor: Actor, dossier: UUID, after: int | None, limit: int) -> Trace:
        """The journal of a dossier; with `own_entries_only`, the asker's own part (R1111-43)."""
        own = await self._own_entries_of(actor, dossier)
        lines = await self._reader.read(dossier, after=after, limit=limit + 1, subject=own)
        shown = lines[:limit]
        return Trace(shown, shown[-1].sequence if len(lines) > limit else None)

    async def proof(self, actor: Actor, dossier: UUID, sequence: int) -> Proof | None:
        """That an entry is in the journal, against a signed checkpoint; None if there is no such entry to see."""
        own = await self._own_entries_of(actor, dossier)
        if not 0 < sequence <= _LAST:
            return None
        line = await self._reader.line(dossier, sequence)
        if line is None or (own is not None and line.entry.subject != own):
            return None
        return await self._reader.proof(dossier, sequence)

    async def _own_entries_of(self, actor: Actor, dossier: UUID) -> Reference | None:
        about = Reference(ResourceType.DOSSIER.value, str(dossier))
        judgement = await self._judging.permit(actor, Action.JOURNAL_READ, about)
        await self._judging.record(actor.caller, [judgement])
        return actor.subject if Obligation.OWN_ENTRIES_ONLY in judgement.decision.obligations else None
