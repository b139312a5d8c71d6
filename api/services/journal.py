"""The trace as those see it who may: the patient, the treating physician, and each one his own part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from api.services.judging import SEAL_BROKEN, Actor, Judgement, Judging
from models.facts import Reference
from models.vocabulary import Action, Obligation, ResourceType
from policy.reasons import Register
from vault.journal.entry import Entry, Item
from vault.journal.proof import Proof
from vault.journal.reading import Reader
from vault.journal.sentences import Words

_LAST = 2**63 - 1
"""No entry has a higher number: it is what a database counts up to."""

_SEAL_BROKEN = Words("Ce qui est conservé du document ne s’ouvre pas.", "What is stored of the document does not open.")
"""The one reason that is no rule's."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A page of a dossier's journal, newest first, by number; `next` is the number after which the rest begins.

    What was erased is left out: its number stays free and its proof can be asked for. `reasons` are the sentences of
    the rules in force; a rule that is not among them any more is told without one. Whoever sees his own entries only
    is not told of all of these.
    """

    entries: Sequence[tuple[int, Entry]]
    next: int | None
    reasons: Mapping[str, Words]


class JournalService:
    """The journal's use cases."""

    def __init__(self, judging: Judging, reader: Reader) -> None:
        self._judging = judging
        self._reader = reader

    async def page(self, actor: Actor, dossier: UUID, after: int | None, limit: int) -> Trace:
        """The journal of a dossier; with `own_entries_only`, the asker's own part (R1111-43)."""
        judgement = await self._enter(actor, dossier)
        own = _own_entries_of(actor, judgement)
        lines = await self._reader.read(dossier, after=after, limit=limit + 1, subject=own)
        shown = lines[:limit]
        told = [(line.sequence, line.entry if own is None else told_to_its_subject(line.entry)) for line in shown]
        return Trace(
            [(sequence, entry) for sequence, entry in told if entry is not None],
            shown[-1].sequence if len(lines) > limit else None,
            reasons_of(judgement.engine.register),
        )

    async def proof(self, actor: Actor, dossier: UUID, sequence: int) -> Proof | None:
        """That an entry is in the journal, against a signed checkpoint; None if there is no such entry to see."""
        own = _own_entries_of(actor, await self._enter(actor, dossier))
        if not 0 < sequence <= _LAST:
            return None
        if own is None:
            return await self._reader.proof(dossier, sequence)
        line = await self._reader.line(dossier, sequence)
        if line is None or line.entry is None or line.entry.subject != own:
            return None
        # A proof opens the whole entry, so there is none of one that its subject sees in part.
        if told_to_its_subject(line.entry) != line.entry:
            return None
        return await self._reader.proof(dossier, sequence)

    async def _enter(self, actor: Actor, dossier: UUID) -> Judgement:
        """The permission to read the journal, itself journaled."""
        about = Reference(ResourceType.DOSSIER.value, str(dossier))
        judgement = await self._judging.permit(actor, Action.JOURNAL_READ, about)
        await self._judging.record(actor.caller, [judgement])
        return judgement


def told_to_its_subject(entry: Entry | None) -> Entry | None:
    """What somebody who sees his own entries only is told of one: no refusal that concerns a document or a message.

    Such a refusal is answered like a question about what does not exist (INTERFACES, "Vault"); that it stands under
    this dossier would tell that it does.
    """
    if entry is None or _concerns_what_may_be_unknown(entry):
        return None
    if not entry.items:
        return entry
    items = tuple(item for item in entry.items if not _concerns_what_may_be_unknown(item))
    return replace(entry, items=items) if items else None


def _concerns_what_may_be_unknown(decided: Entry | Item) -> bool:
    return not decided.allowed and decided.resource.type in {ResourceType.DOCUMENT, ResourceType.MESSAGE}


def _own_entries_of(actor: Actor, judgement: Judgement) -> Reference | None:
    return actor.subject if Obligation.OWN_ENTRIES_ONLY in judgement.decision.obligations else None


def reasons_of(register: Register) -> Mapping[str, Words]:
    """The sentences that tell why something was refused, by rule."""
    told = {rule: Words(reason.fr, reason.en) for rule, reason in register.reasons.items()}
    return {SEAL_BROKEN: _SEAL_BROKEN} | told
