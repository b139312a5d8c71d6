"""The treating physicians that people declared to the fund: each becomes the relation of the dossier (RULES §7)."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from api.schemas.feeds import FeedResult, TreatingPhysicianLine
from api.services.feeds import CONFLICT, Arriving, Feeding, Given, Numbered, Refusal, Refusals, by_rule, identifier
from api.services.judging import Actor, Judgement, Judging
from models.database import Database
from models.errors import ConstraintError
from models.facts import Particulars, Reference
from models.identifiers import InvalidIdentifierError, parse_rpps
from models.queries.dossiers import declare_treating_physicians
from models.queries.feeding import find_answers, keep_answers
from models.queries.idempotency import KeptAnswer
from models.vocabulary import Action, RelationKind, SubjectType
from vault.errors import JournalMovedError
from vault.journal.entry import Entry
from vault.journal.ledger import Ledger

_ATTEMPTS = 2

_Line = Given[TreatingPhysicianLine]
_Arriving = Arriving[TreatingPhysicianLine]


@dataclass(slots=True)
class _Declared:
    """What the lines of one dossier come to: the verdict on each, and who is declared anew, by the line's key."""

    dossier: UUID
    judged: list[Judgement] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)


class TreatingPhysicianFeed:
    """Declares; the same line (by its id) is carried out once, however often it comes."""

    def __init__(self, database: Database, judging: Judging, ledger: Ledger, feeding: Feeding) -> None:
        self._database = database
        self._judging = judging
        self._ledger = ledger
        self._feeding = feeding

    def results(self, actor: Actor, lines: AsyncIterator[Numbered]) -> AsyncGenerator[list[FeedResult]]:
        """The results of each batch, in the order of its lines."""
        return self._feeding.results(actor, lines, TreatingPhysicianLine, self._handle)

    async def _handle(self, actor: Actor, given: Sequence[_Line]) -> Refusals:
        refused: dict[int, Refusal] = {}
        sound: list[_Line] = []
        for each in given:
            try:
                parse_rpps(each.line.professional)
                sound.append(each)
            except InvalidIdentifierError as error:
                refused[each.number] = identifier(error)
        anybody = Particulars()
        arriving, without = await self._feeding.arriving(actor, sound, Action.TREATING_PHYSICIAN_DECLARE, anybody)
        return {**refused, **without, **await self._feeding.enter(actor, arriving, self._enter)}

    async def _enter(self, actor: Actor, arriving: Sequence[_Arriving]) -> Refusals:
        """The lines of some dossiers: together, else each dossier alone."""
        try:
            return await self._declare(actor, arriving)
        except (ConstraintError, JournalMovedError):
            refused: dict[int, Refusal] = {}
            for each in arriving:
                refused |= await self._enter_alone(actor, each)
            return refused

    async def _enter_alone(self, actor: Actor, arriving: _Arriving) -> Refusals:
        for _ in range(_ATTEMPTS):
            try:
                return await self._declare(actor, [arriving])
            except (ConstraintError, JournalMovedError):
                continue  # the same line came by another way, or the dossier was erased: look again
        await self._judging.record(actor.caller, [arriving.entering])
        return arriving.all_refused(CONFLICT)

    async def _declare(self, actor: Actor, arriving: Sequence[_Arriving]) -> Refusals:
        """The lines of some dossiers, with one entry for each dossier, in one transaction."""
        at, fund = self._judging.now(), actor.subject.id  # a line is the fund's, whichever way it comes
        asked = {(each.dossier, _key(line)) for each in arriving for line in each.lines}
        known = await find_answers(self._database, fund, asked)
        refused: dict[int, Refusal] = {}
        declared = [self._settle(actor, each, known, refused) for each in arriving]
        kept = {
            (each.dossier, key): KeptAnswer(hashlib.sha256(rpps.encode()).digest(), rpps, at)
            for each in declared
            for key, rpps in each.told.items()
        }
        async with self._database.begin() as connection:
            if kept:
                named = {(dossier, answer.answer) for (dossier, _), answer in kept.items()}
                await declare_treating_physicians(connection, named, at)
                await keep_answers(connection, fund, kept)
            await self._ledger.append(connection, self._entries(actor, declared))
        return refused

    def _settle(
        self,
        actor: Actor,
        arriving: _Arriving,
        known: Mapping[tuple[UUID, str], str],
        refused: dict[int, Refusal],
    ) -> _Declared:
        """What the lines of a dossier come to; those that are refused are added.

        A line's id stands for whom it named when it first came.
        """
        declared = _Declared(arriving.dossier)
        for each in arriving.lines:
            rpps, key = each.line.professional, _key(each)
            judgement = self._about(actor, arriving.entering, rpps)
            declared.judged.append(judgement)
            before = known.get((arriving.dossier, key), declared.told.get(key))
            if not judgement.decision.allowed:
                refused[each.number] = by_rule(judgement)
            elif before is None:
                declared.told[key] = rpps
            elif before != rpps:
                refused[each.number] = CONFLICT
        return declared

    def _about(self, actor: Actor, entering: Judgement, rpps: str) -> Judgement:
        """The verdict on declaring this professional in the dossier."""
        asked = replace(entering.case.question, particulars=Particulars(professional=rpps))
        case = replace(entering.case, question=asked)
        return self._judging.verdict(actor.caller.client, case, entering.engine)

    def _entries(self, actor: Actor, declared: Sequence[_Declared]) -> list[Entry]:
        return [
            entry
            for each in declared
            for entry in self._judging.entries(actor.caller, each.judged, _change(list(each.told.values())))
        ]


def _key(each: _Line) -> str:
    """Under which a line is remembered: the digest of its id, for what the fund puts into it is not for us to keep."""
    return f"feed/treating-physicians/{hashlib.sha256(each.line.id.encode()).hexdigest()}"


def _change(declared: Sequence[str]) -> dict[str, str | bool | None] | None:
    if not declared:
        return None
    parties = (Reference(SubjectType.PROFESSIONAL.value, rpps) for rpps in dict.fromkeys(declared))
    return {
        "party": " ".join(f"{party.type}/{party.id}" for party in parties),
        "relation": RelationKind.TREATING_PHYSICIAN.value,
    }
