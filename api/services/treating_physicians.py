"""The treating physicians that people declared to the fund: each becomes the relation of the dossier (RULES §7)."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.feeds import FeedResult, TreatingPhysicianLine
from api.services.feeds import CONFLICT, REFUSED, Feeding, Given, Numbered, Refusal, Refusals, identifier
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from models.database import Database
from models.errors import ConstraintError
from models.facts import Particulars, Question, Reference
from models.identifiers import InvalidIdentifierError, parse_rpps
from models.queries.dossiers import declare_treating_physician
from models.queries.idempotency import KeptAnswer, find_answer, keep_answer
from models.vocabulary import Action, RelationKind, SubjectType
from vault.journal.ledger import Ledger

_Line = Given[TreatingPhysicianLine]
_NOTHING = ""


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
        at = self._judging.now()

        def ask(each: _Line) -> Question:
            return Question(
                actor.subject,
                Action.TREATING_PHYSICIAN_DECLARE.value,
                of_dossier(each.dossier),
                at,
                actor.context,
                Particulars(professional=each.line.professional),
            )

        judged, without = await self._feeding.judge(actor, sound, ask)
        refused |= without
        for lines in judged.values():
            refused |= await self._declare(actor, lines, at)
        return refused

    async def _declare(self, actor: Actor, lines: Sequence[tuple[_Line, Judgement]], at: datetime) -> Refusals:
        """The lines of one dossier, with their one entry, in one transaction."""
        refused = {
            each.number: Refusal(judgement.decision.rule, REFUSED)
            for each, judgement in lines
            if not judgement.decision.allowed
        }
        permitted = [each for each, judgement in lines if judgement.decision.allowed]
        told: dict[str, str] = {}
        declared: list[str] = []
        try:
            async with self._database.begin() as connection:
                for each in permitted:
                    identity, rpps = each.line.id, each.line.professional
                    if identity not in told:
                        told[identity] = await self._told(connection, actor, each, at)
                        if told[identity] == _NOTHING:
                            await declare_treating_physician(connection, each.dossier, rpps, at)
                            told[identity] = rpps
                            declared.append(rpps)
                    if told[identity] != rpps:
                        refused[each.number] = CONFLICT
                change = _change(declared) if declared else None
                judgements = [judgement for _, judgement in lines]
                await self._ledger.append(connection, self._judging.entries(actor.caller, judgements, change))
        except ConstraintError:  # the dossier was erased meanwhile
            return refused | {each.number: CONFLICT for each in permitted}
        return refused

    async def _told(self, connection: AsyncConnection, actor: Actor, each: _Line, at: datetime) -> str:
        """Whom a line of this id named when it came before; nobody if it is the first, which is then remembered.

        The id is kept as its digest: what the fund puts into it is not for us to keep.
        """
        client = actor.caller.client.name
        key = f"feed/treating-physicians/{hashlib.sha256(each.line.id.encode()).hexdigest()}"
        request = hashlib.sha256(each.line.professional.encode()).digest()
        answer = KeptAnswer(request, each.line.professional, at)
        if await keep_answer(connection, each.dossier, client, key, answer):
            return _NOTHING
        known = await find_answer(self._database, each.dossier, client, key)
        return known.answer if known else each.line.professional


def _change(declared: Sequence[str]) -> dict[str, str | bool | None]:
    parties = (Reference(SubjectType.PROFESSIONAL.value, rpps) for rpps in dict.fromkeys(declared))
    return {
        "party": " ".join(f"{party.type}/{party.id}" for party in parties),
        "relation": RelationKind.TREATING_PHYSICIAN.value,
    }
