"""The fund's reimbursements: one sealed document for each dossier and calendar month, replaced as lines arrive.

A month that grows gets its next version, as any document that is replaced: the fund's right to deposit is judged, and
its right to replace that very document. A document that the fund deleted stays deleted: its lines are refused.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.feeds import FeedResult, Reimbursed, ReimbursementLine
from api.services.documents import SEAL_BROKEN
from api.services.feeds import CONFLICT, REFUSED, Feeding, Given, Numbered, Refusal, Refusals
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from api.services.reimbursed_months import (
    CONTENT_TYPE,
    UNCHANGED,
    Merged,
    decode_month,
    encode_month,
    fault_of,
    last_care,
    merged,
    month_of,
    series_of,
)
from models.database import Database
from models.decisions import Decision
from models.errors import ConstraintError
from models.facts import Document, Particulars, Question
from models.queries import documents as stored
from models.queries import fetch_listing
from models.vocabulary import Action
from vault.documents import Deposit
from vault.documents import Documents as Vault
from vault.errors import DepositLostError, NoContentError, SealBrokenError
from vault.journal.entry import Value
from vault.journal.ledger import Ledger

REIMBURSEMENT = "REMB"
_PARIS = ZoneInfo("Europe/Paris")
_ATTEMPTS = 2

_BROKEN = Refusal(SEAL_BROKEN, "What is stored of this document does not open.")

_Line = Given[ReimbursementLine]


@dataclass(frozen=True, slots=True)
class _Present:
    """A month's document as it is; `judgement` says whether the fund may replace it."""

    judgement: Judgement
    document: Document
    version: int


@dataclass(frozen=True, slots=True)
class _Next:
    """A month's next document, written and not yet committed."""

    month: str
    present: _Present | None
    document: Document
    deposit: Deposit


class ReimbursementFeed:
    """Enters what was reimbursed; the same line (by its id) stands once, however often it comes."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        ledger: Ledger,
        feeding: Feeding,
        vault: Vault,
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
        at = self._judging.now()
        refused: dict[int, Refusal] = {}
        sound: list[_Line] = []
        for each in given:
            if fault := fault_of(each.line, at.astimezone(_PARIS).date()):
                refused[each.number] = fault
            else:
                sound.append(each)

        def ask(each: _Line) -> Question:
            particulars = Particulars(document_type=REIMBURSEMENT)
            about = of_dossier(each.dossier)
            return Question(actor.subject, Action.DOCUMENT_DEPOSIT.value, about, at, actor.context, particulars)

        judged, without = await self._feeding.judge(actor, sound, ask)
        refused |= without
        for dossier, lines in judged.items():
            refused |= await self._enter(actor, dossier, lines[0][1], [each for each, _ in lines])
        return refused

    async def _enter(self, actor: Actor, dossier: UUID, entering: Judgement, lines: Sequence[_Line]) -> Refusals:
        """The lines of one dossier, which are permitted or refused together."""
        if not entering.decision.allowed:
            await self._judging.record(actor.caller, [entering])
            return {each.number: Refusal(entering.decision.rule, REFUSED) for each in lines}
        for _ in range(_ATTEMPTS):
            try:
                return await self._replace(actor, dossier, entering, lines)
            except (ConstraintError, DepositLostError):
                continue  # another feed of the same fund was first, or the dossier was erased: look again
        await self._judging.record(actor.caller, [entering])
        return {each.number: CONFLICT for each in lines}

    async def _replace(self, actor: Actor, dossier: UUID, entering: Judgement, lines: Sequence[_Line]) -> Refusals:
        """The next version of each month that grows, with their one entry, in one transaction."""
        months: dict[str, list[_Line]] = {}
        for each in lines:
            months.setdefault(month_of(each.line), []).append(each)
        present = await self._present(actor, dossier, entering)
        refused: dict[int, Refusal] = {}
        following: list[_Next] = []
        judged = [entering]
        committed = False
        try:
            for month, arriving in months.items():
                series = series_of(self._secret, dossier, actor.subject.id, month)
                there = present.get(series)
                fault, grown = await self._merge(dossier, there, arriving)
                if there:
                    judged.append(_broken(there.judgement) if fault == _BROKEN else there.judgement)
                refused |= dict.fromkeys((each.number for each in arriving), fault) if fault else {}
                refused |= dict.fromkeys(grown.conflicting, CONFLICT)
                if grown.grew:
                    following.append(await self._write(actor, dossier, series, month, there, grown))
            async with self._database.begin() as connection:
                for version in following:
                    await self._commit(connection, dossier, version)
                entries = self._judging.entries(actor.caller, judged, _change(following))
                await self._ledger.append(connection, entries)
            committed = True
        finally:
            if not committed:
                for version in following:
                    await self._vault.discard(version.deposit)
        return refused

    async def _present(self, actor: Actor, dossier: UUID, entering: Judgement) -> Mapping[UUID, _Present]:
        """The latest version of each document of reimbursements, by series."""
        question = replace(entering.case.question, action=Action.DOCUMENT_REPLACE.value, particulars=Particulars())
        cases = await fetch_listing(self._database, question, document_types={REIMBURSEMENT})
        standings = await stored.read_standings(self._database, dossier)
        found: dict[UUID, _Present] = {}
        for case in cases:
            if case.document is None or case.document.id not in standings:
                continue
            version = standings[case.document.id].version
            if version.series not in found or found[version.series].version < version.version:
                judgement = self._judging.verdict(actor.caller.client, case, entering.engine)
                found[version.series] = _Present(judgement, case.document, version.version)
        return found

    async def _merge(
        self, dossier: UUID, there: _Present | None, arriving: Sequence[_Line]
    ) -> tuple[Refusal | None, Merged]:
        """The month as it will be; or why nothing can be added to it."""
        lines: Mapping[str, Reimbursed] = {}
        if there and not there.judgement.decision.allowed:
            return Refusal(there.judgement.decision.rule, REFUSED), UNCHANGED
        try:
            lines = decode_month(await self._content(dossier, there)) if there else {}
        except NoContentError:
            lines = {}
        except SealBrokenError:
            return _BROKEN, UNCHANGED
        except ValueError:
            return CONFLICT, UNCHANGED
        return None, merged(lines, ((each.number, each.line) for each in arriving))

    async def _content(self, dossier: UUID, there: _Present) -> bytes:
        reading = await self._vault.open(dossier, there.document.id, there.version)
        async with aclosing(reading.stream) as stream:
            return b"".join([piece async for piece in stream])

    async def _write(
        self, actor: Actor, dossier: UUID, series: UUID, month: str, there: _Present | None, grown: Merged
    ) -> _Next:
        date, version = last_care(grown.lines), there.version + 1 if there else 1
        document = (
            replace(there.document, id=self._make_id(), created_at=date)
            if there
            else Document(series, REIMBURSEMENT, actor.subject, date)
        )

        async def content() -> AsyncGenerator[bytes]:
            yield encode_month(month, grown.lines)

        deposit = await self._vault.write(dossier, document.id, version, CONTENT_TYPE, content())
        return _Next(month, there, document, deposit)

    async def _commit(self, connection: AsyncConnection, dossier: UUID, following: _Next) -> None:
        if following.present is None:
            await stored.add_document(connection, dossier, following.document)
        else:
            await stored.add_version(connection, dossier, following.document, following.present.document.id)
        await self._vault.commit(connection, following.deposit, f"Remboursements {following.month}")


def _broken(judgement: Judgement) -> Judgement:
    """What the journal is told where a replacement was permitted and what it replaces does not open."""
    return replace(judgement, decision=Decision(allowed=False, rule=SEAL_BROKEN, refused_by=(SEAL_BROKEN,)))


def _change(following: Sequence[_Next]) -> dict[str, Value] | None:
    if not following:
        return None
    return {"document_type": REIMBURSEMENT, "months": " ".join(each.month for each in following)}
