"""The fund's reimbursements: one sealed document for each dossier and calendar month, replaced as lines arrive.

A month that grows gets its next version, as any document that is replaced: the fund's right to deposit is judged, and
its right to replace that very document. A document that the fund deleted stays deleted: its lines are refused.

Dossiers are entered many in one transaction. If that fails, because another feed of the fund was first or a dossier
was erased meanwhile, each is entered alone, so that what contradicts refuses the lines of its dossier and no others.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from api.schemas.feeds import FeedResult, Reimbursed, ReimbursementLine
from api.services.feeds import CONFLICT, Arriving, Feeding, Given, Numbered, Refusal, Refusals, by_rule
from api.services.judging import SEAL_BROKEN, Actor, Judgement, Judging
from api.services.references import of_document
from api.services.reimbursed_months import (
    CONTENT_TYPE,
    Month,
    decode_month,
    encode_month,
    fault_of,
    last_care,
    merged,
    months_of,
    series_of,
    span_of,
)
from models.database import Database
from models.errors import ConstraintError
from models.facts import Document, Particulars
from models.queries.feeding import Added, Latest, add_documents, fetch_latest, find_taken
from models.sheets import Version
from models.vocabulary import Action
from vault.errors import DepositLostError, JournalMovedError, SealBrokenError
from vault.journal.entry import Entry, Value
from vault.journal.ledger import Ledger
from vault.small_documents import Small, SmallDocuments

REIMBURSEMENT = "REMB"
EXPIRED = "reimbursement-expired"
_PARIS = ZoneInfo("Europe/Paris")
_NO_DOCUMENT = UUID(int=0)
_ATTEMPTS = 2

_BROKEN = Refusal(SEAL_BROKEN, "What is stored of this document does not open.")
_OUT_OF_VIEW = Refusal(EXPIRED, "The care was 24 calendar months ago or more: it would be out of view at once.")

_Line = Given[ReimbursementLine]
_Arriving = Arriving[ReimbursementLine]


@dataclass(frozen=True, slots=True)
class _Present:
    """A month's document as it is; `judgement` says whether the fund may replace it."""

    judgement: Judgement
    latest: Latest


@dataclass(slots=True)
class _Growing:
    """A month of a dossier with what arrives for it: what is there, and what will be."""

    dossier: UUID
    month: Month
    series: UUID
    lines: Sequence[_Line] = field(repr=False)
    present: _Present | None = None
    fault: Refusal | None = None
    grown: Mapping[str, Reimbursed] | None = field(default=None, repr=False)


class ReimbursementFeed:
    """Enters what was reimbursed; the same line (by its id) stands once, however often it comes."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        ledger: Ledger,
        feeding: Feeding,
        vault: SmallDocuments,
        secret: bytes,
        make_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._database = database
        self._judging = judging
        self._ledger = ledger
        self._feeding = feeding
        self._vault = vault
        self._secret = secret
        self._make_id = make_id

    def results(self, actor: Actor, lines: AsyncIterator[Numbered]) -> AsyncGenerator[list[FeedResult]]:
        """The results of each batch, in the order of its lines."""
        return self._feeding.results(actor, lines, ReimbursementLine, self._handle)

    async def _handle(self, actor: Actor, given: Sequence[_Line]) -> Refusals:
        today = self._judging.now().astimezone(_PARIS).date()
        refused: dict[int, Refusal] = {}
        sound: list[_Line] = []
        for each in given:
            if fault := fault_of(each.line, today):
                refused[each.number] = fault
            else:
                sound.append(each)
        particulars = Particulars(document_type=REIMBURSEMENT)
        arriving, without = await self._feeding.arriving(actor, sound, Action.DOCUMENT_DEPOSIT, particulars)
        permitted, forbidden = await self._feeding.permitted(actor, arriving)
        return {**refused, **without, **forbidden, **await self._feeding.enter(actor, permitted, self._enter)}

    async def _enter(self, actor: Actor, arriving: Sequence[_Arriving]) -> Refusals:
        """The lines of some dossiers: together, else each dossier alone."""
        try:
            return await self._grow(actor, arriving)
        except (ConstraintError, DepositLostError, JournalMovedError, SealBrokenError):
            refused: dict[int, Refusal] = {}
            for each in arriving:
                refused |= await self._enter_alone(actor, each)
            return refused

    async def _enter_alone(self, actor: Actor, arriving: _Arriving) -> Refusals:
        for _ in range(_ATTEMPTS):
            try:
                return await self._grow(actor, [arriving])
            except (ConstraintError, DepositLostError, JournalMovedError):
                continue  # another feed of the same fund was first, or the dossier was erased: look again
            except SealBrokenError:
                await self._judging.record(actor.caller, [arriving.entering.broken()])
                return arriving.all_refused(_BROKEN)
        await self._judging.record(actor.caller, [arriving.entering])
        return arriving.all_refused(CONFLICT)

    async def _grow(self, actor: Actor, arriving: Sequence[_Arriving]) -> Refusals:
        """The next version of each month that grows, with one entry for each dossier, in one transaction."""
        refused, growing = self._in_view(actor, arriving)
        await self._look(actor, arriving, growing)
        refused |= await self._merge(growing)
        following = [self._following(actor, each) for each in growing if each.grown is not None]
        packs = await self._vault.write([small for _, small in following])
        committed = False
        try:
            async with self._database.begin() as connection:
                if following:
                    await add_documents(connection, [added for added, _ in following])
                await self._vault.commit(connection, packs)
                await self._ledger.append(connection, self._entries(actor, arriving, growing))
            committed = True
        finally:
            if not committed:
                await self._vault.discard(packs)
        return refused

    def _in_view(self, actor: Actor, arriving: Sequence[_Arriving]) -> tuple[dict[int, Refusal], list[_Growing]]:
        """The months of the lines; and the refusals of those that a reimbursement of that day would not be seen of."""
        refused: dict[int, Refusal] = {}
        growing: list[_Growing] = []
        days = sorted({each.line.care_date for lines in arriving for each in lines.lines})
        gone: set[date] = set()
        for day in days:  # what came later goes later
            if not self._is_out_of_view(actor, arriving[0].entering, day):
                break
            gone.add(day)
        for each in arriving:
            in_view = [line for line in each.lines if line.line.care_date not in gone]
            refused |= dict.fromkeys((line.number for line in each.lines if line.line.care_date in gone), _OUT_OF_VIEW)
            for month, lines in months_of(in_view).items():
                series = series_of(self._secret, each.dossier, actor.subject.id, month)
                growing.append(_Growing(each.dossier, month, series, lines))
        return refused, growing

    def _is_out_of_view(self, actor: Actor, entering: Judgement, day: date) -> bool:
        """Whether the rules refuse to show a reimbursement of that day because of its age."""
        document = Document(_NO_DOCUMENT, REIMBURSEMENT, actor.subject, datetime.combine(day, time(), UTC))
        return EXPIRED in self._about(actor, entering, Action.DOCUMENT_READ, document).decision.refused_by

    async def _look(self, actor: Actor, arriving: Sequence[_Arriving], growing: Sequence[_Growing]) -> None:
        """What is there of these months. One whose id is taken and that is not there was deleted."""
        taken = await find_taken(self._database, [each.series for each in growing])
        months: dict[UUID, list[Month]] = {}
        for each in growing:
            months.setdefault(each.dossier, []).append(each.month)
        spans = [span_of(dossier, its) for dossier, its in months.items()]
        latest = await fetch_latest(self._database, spans, REIMBURSEMENT, actor.subject) if taken else {}
        entering = {each.dossier: each.entering for each in arriving}
        for each in growing:
            if found := latest.get(each.series):
                judgement = self._about(actor, entering[each.dossier], Action.DOCUMENT_REPLACE, found.document)
                each.present = _Present(judgement, found)
                each.fault = None if judgement.decision.allowed else by_rule(judgement)
            elif each.series in taken:
                each.fault = CONFLICT

    def _about(self, actor: Actor, entering: Judgement, action: Action, document: Document) -> Judgement:
        """The verdict on an action on a document of the dossier."""
        asked = replace(
            entering.case.question, action=action.value, resource=of_document(document.id), particulars=Particulars()
        )
        case = replace(entering.case, question=asked, document=document)
        return self._judging.verdict(actor.caller.client, case, entering.engine)

    async def _merge(self, growing: Sequence[_Growing]) -> dict[int, Refusal]:
        """The months as they will be; the refusals of lines for those to which nothing can be added."""
        sought = {
            (each.dossier, each.present.latest.document.id): each.present.latest.version.version
            for each in growing
            if each.present and not each.fault
        }
        contents = await self._vault.read(sought) if sought else {}
        refused: dict[int, Refusal] = {}
        for each in growing:
            content = contents.get((each.dossier, each.present.latest.document.id)) if each.present else None
            lines = _lines_of(each, content)
            if each.fault:
                refused |= dict.fromkeys((line.number for line in each.lines), each.fault)
                continue
            result = merged(lines, ((line.number, line.line) for line in each.lines))
            refused |= dict.fromkeys(result.conflicting, CONFLICT)
            each.grown = result.lines if result.grew else None
        return refused

    def _following(self, actor: Actor, growing: _Growing) -> tuple[Added, Small]:
        """A month's next document: its facts, and what it holds."""
        grown, there = growing.grown or {}, growing.present.latest if growing.present else None
        dated = last_care(grown)
        if there:
            document = replace(there.document, id=self._make_id(), created_at=dated)
            version = Version(growing.series, there.version.version + 1)
        else:
            document = Document(growing.series, REIMBURSEMENT, actor.subject, dated)
            version = Version(growing.series, 1)
        added = Added(growing.dossier, document, version, there.document.id if there else None)
        title, content = f"Remboursements {growing.month}", encode_month(growing.month, grown)
        return added, Small(growing.dossier, document.id, version.version, CONTENT_TYPE, title, content)

    def _entries(self, actor: Actor, arriving: Sequence[_Arriving], growing: Sequence[_Growing]) -> list[Entry]:
        """One for each dossier: that the fund may enter, what it replaces, which months changed."""
        by_dossier: dict[UUID, list[_Growing]] = {}
        for each in growing:
            by_dossier.setdefault(each.dossier, []).append(each)
        return [
            entry
            for one in arriving
            for its in [by_dossier.get(one.dossier, [])]
            for entry in self._judging.entries(actor.caller, [one.entering, *_replacing(its)], _change(its))
        ]


def _lines_of(growing: _Growing, content: bytes | SealBrokenError | None) -> Mapping[str, Reimbursed]:
    """What a month holds now; a content that is none of the feed's, or does not open, is its fault."""
    if isinstance(content, SealBrokenError):
        growing.fault = _BROKEN
    elif content is not None:
        try:
            return decode_month(content)
        except ValueError:
            growing.fault = CONFLICT
    return {}


def _replacing(growing: Sequence[_Growing]) -> list[Judgement]:
    """What was judged of the documents that are there, and what the journal is told where one does not open."""
    return [
        each.present.judgement.broken() if each.fault == _BROKEN else each.present.judgement
        for each in growing
        if each.present
    ]


def _change(growing: Sequence[_Growing]) -> dict[str, Value] | None:
    months = [str(each.month) for each in growing if each.grown is not None]
    return {"document_type": REIMBURSEMENT, "months": " ".join(months)} if months else None
