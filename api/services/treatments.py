"""The treatments of a dossier in one line of time: a view of documents, judged line by line like any listing.

With the first page comes what a prescriber should see of the whole: a substance twice, known interactions. It is
computed from what the asker may read and from nothing else, so that it hints at nothing that is masked (RULES §7).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.services.clinical import Clinical, ClinicalReader, Medicine
from api.services.documents import DocumentService, Sheet, Shelf, Wanted
from api.services.interactions import Interacting, interacting
from api.services.judging import Actor, Judgement, Judging
from api.services.overlaps import MOST_MEDICINES
from api.services.references import of_dossier
from api.services.repetitions import Repetition, repetitions
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, Category, Space
from vault.errors import SealBrokenError

MOST_EXAMINED = 500
"""So many lines, the latest, are looked at for what is pointed out."""

_WHATEVER_THE_SPACE = frozenset({Category.ADMINISTERED_TREATMENT, Category.REIMBURSEMENT})

KINDS: Mapping[str, Category] = {
    code: kind.category
    for code, kind in DOCUMENT_TYPES.items()
    if kind.space is Space.TREATMENTS or kind.category in _WHATEVER_THE_SPACE
}
"""What stands in the line, by type: the space of treatments, what was administered, what was reimbursed (RULES §7)."""

_WANTED = Wanted(KINDS.keys(), current_only=True)


@dataclass(frozen=True, slots=True)
class TreatmentLine:
    """A document, and the medicines that it tells of, none if it is not structured."""

    sheet: Sheet
    medicines: Sequence[Medicine]


@dataclass(frozen=True, slots=True)
class Examined:
    """What is pointed out, and on what it rests: so many documents, of which some say nothing that is understood.

    `complete` unless there was more than is looked at for one answer.
    """

    repetitions: Sequence[Repetition]
    interactions: Sequence[Interacting]
    documents: int
    unstructured: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Treatments:
    """A page of the line; `next` is where the rest begins. `examined` comes with the first page."""

    lines: Sequence[TreatmentLine]
    next: str | None
    examined: Examined | None


class TreatmentService:
    """The line's use case."""

    def __init__(self, judging: Judging, documents: DocumentService, reader: ClinicalReader) -> None:
        self._judging = judging
        self._documents = documents
        self._reader = reader

    async def page(self, actor: Actor, dossier: UUID, after: str | None, limit: int) -> Treatments:
        """Newest first, without past versions; one entry of the journal names what is shown and what was read."""
        entered = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        most = limit if after else max(MOST_EXAMINED, limit)
        found, following = await self._documents.readable(actor, entered, _WANTED, after, most)
        shown = found[:limit]
        more = _WANTED.place_of(shown[-1].case) if len(found) > limit else following
        shelf = await self._documents.shelf(dossier, found)
        clinical = await self._reader.understand(found, shelf.kept)
        told: dict[UUID, list[Medicine]] = {}
        for each in clinical.medicines:
            told.setdefault(each.document, []).append(each)
        read = [each for each in found[limit:] if _id_of(each) in told]
        await self._judging.record(actor.caller, [entered, *shown, *read])
        await self._write_down_broken(actor, shown, found, shelf, clinical)
        sheets = await self._documents.sheets(actor, shelf, shown)
        lines = [TreatmentLine(sheet, told.get(sheet.document.id, ())) for sheet in sheets]
        if after:
            return Treatments(lines, more, None)
        examined = await asyncio.to_thread(_examined, clinical, len(found), whole=following is None)
        return Treatments(lines, more, examined)

    async def _write_down_broken(
        self, actor: Actor, shown: Sequence[Judgement], found: Sequence[Judgement], shelf: Shelf, clinical: Clinical
    ) -> None:
        """Each once: of the lines that are shown and whose row does not open, their sheets write it down."""
        named = {_id_of(each) for each in shown}
        written = {identity for identity, kept in shelf.kept.items() if isinstance(kept, SealBrokenError)} & named
        broken = [each.broken() for each in found if _id_of(each) in clinical.broken - written]
        await self._judging.record(actor.caller, broken)


def _examined(clinical: Clinical, documents: int, *, whole: bool) -> Examined:
    """In a thread: comparing a great many takes a second, which nobody else has to wait."""
    return Examined(
        repetitions(clinical.medicines),
        interacting(clinical.medicines),
        documents,
        documents - len({medicine.document for medicine in clinical.medicines}),
        whole and not clinical.left_out and len(clinical.medicines) <= MOST_MEDICINES,
    )


def _id_of(judgement: Judgement) -> UUID | None:
    return judgement.case.document.id if judgement.case.document else None
