"""The one way to a decision: facts, situation, verdict, journal.

Every endpoint passes here. What is refused is journaled and raised; what is permitted is journaled before the caller
gets anything, either at once (`record`) or in the transaction of the change (`entries`).
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress, islice, repeat
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError, RequestError
from api.identity import Caller, Client
from api.services.lookups import Lookups
from api.services.rules import Rules
from models.database import Database
from models.decisions import NOT_PERMITTED, Decision
from models.errors import ConstraintError, DatabaseError
from models.facts import Case, Context, Organization, Particulars, Professional, Question, Reference, Staff
from models.queries import (
    ALL_DOCUMENTS,
    Homes,
    Position,
    Sought,
    case_at,
    fetch_apart,
    fetch_cases,
    fetch_shelf,
    fetch_shelves,
    position_of,
)
from models.queries.existence import fetch_open
from models.sheets import in_order
from models.vocabulary import Action, ResourceType
from policy.engine import Engine
from policy.listing import judge_documents, judge_in_turn
from policy.situation import Situation
from vault.journal.entry import Entry, Receipt, Value, fold_alike
from vault.journal.ledger import Ledger
from vault.journal.notifying import Owed, owe

# A refusal by one of these says nothing about a document: neither what it is nor that it is (INTERFACES, "Vault").
_CONCEALING = frozenset(
    {
        "no-document",
        "no-message",
        "unknown-subject",
        "document-deleted",
        "reimbursement-expired",
        "not-habilitated",
        "masked",
        "withheld-from-patient",
        "hidden-from-representatives",
        NOT_PERMITTED,
    }
)
_ABOUT_THE_SUBJECT_OR_THE_DOSSIER = frozenset(
    {
        "prohibited-party",
        "dossier-closed",
        "weak-authentication",
        "blocked",
        "self-consultation",
        "emergency-scope",
        "break-glass-refused",
        "centre-15-refused",
        "reason-required",
    }
)
_EXISTS = Action.DOSSIER_EXISTS.value
SEAL_BROKEN = "seal-broken"
"""What the journal calls a reading that was permitted and gave nothing."""

Change = Callable[[AsyncConnection], Awaitable[Mapping[str, Value]]]
"""What a permission is for, in a transaction; gives what the journal tells of it."""

_AT_FIRST = 128
"""So many documents of a listing are judged first: together they cost little more than one."""

_LAST = -1
"""Where the judgement stands on documents that are nowhere: behind all others."""

_ABSENT = {ResourceType.DOCUMENT.value: "no-document", ResourceType.MESSAGE.value: "no-message"}


class Actor(Struct, frozen=True):
    """On whose behalf a caller acts, and what it states of the moment."""

    caller: Caller
    subject: Reference
    context: Context


class Judgement(Struct, frozen=True):
    """A case and what the rules say of it."""

    case: Case
    situation: Situation
    decision: Decision
    engine: Engine

    def broken(self) -> "Judgement":
        """What the journal is told where this was permitted and gave nothing, since what is stored does not open."""
        return structs.replace(self, decision=Decision(allowed=False, rule=SEAL_BROKEN, refused_by=(SEAL_BROKEN,)))


class JudgedAlike(NamedTuple):
    """The judgements on many documents, and the place of that on each: those that are judged alike share one."""

    judgements: list[Judgement]
    numbers: list[int]


class Count(Protocol):
    """Told of every decision that is written down, and how many times it was taken at once."""

    def __call__(self, *, allowed: bool, rule: str, times: int) -> None: ...


class Judging:
    """Judges on stored facts, and writes down what was judged."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        ledger: Ledger,
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._database = database
        self._lookups = Lookups(database)
        self._homes = Homes()
        self._rules = rules
        self._ledger = ledger
        self._count = count
        self.now = clock

    async def judge(self, client: Client, question: Question) -> Judgement:
        """The verdict on one question; nothing is written. Raises ForbiddenError if the client may not ask it."""
        client.require_speaking_for(question.subject.type)
        return self.verdict(client, await self._lookups.case(question), self.engine)

    async def judge_all(self, client: Client, questions: Sequence[Question]) -> list[Judgement]:
        """The verdicts on many questions, whose facts come in one round trip, or two (`models.queries.hot`)."""
        if len(questions) == 1:
            return [await self.judge(client, questions[0])]
        for question in questions:
            client.require_speaking_for(question.subject.type)
        cases = await fetch_cases(self._database, questions)
        engine = self.engine
        return [self.verdict(client, case, engine) for case in cases]

    async def judge_apart(
        self, asked: Sequence[tuple[Client, Question | RequestError]]
    ) -> list[Judgement | RequestError | DatabaseError]:
        """As `judge` each of these, their facts read together; what it raises of one stands in its place."""
        questions = [each for _, each in asked if isinstance(each, Question)]
        cases = iter(await fetch_apart(self._database, questions, self._homes))
        engine = self.engine
        return [
            self._verdict_or_error(client, next(cases), engine) if isinstance(each, Question) else each
            for client, each in asked
        ]

    def _verdict_or_error(
        self, client: Client, case: Case | DatabaseError, engine: Engine
    ) -> Judgement | RequestError | DatabaseError:
        if isinstance(case, DatabaseError):
            return case
        try:
            return self.verdict(client, case, engine)
        except RequestError as error:
            return error

    async def judge_documents(
        self, client: Client, question: Question, documents: Sequence[bytes | None]
    ) -> JudgedAlike:
        """The verdicts on one question about each of these documents, by the bytes of its id, or None if it has none.

        Documents asked about together are mostly of one dossier, so those that are not found with the first one are
        looked for apart. A shared judgement's case is of one of them.
        """
        client.require_speaking_for(question.subject.type)
        engine, judgements, judged = self.engine, list[Judgement](), dict[bytes | None, int]()

        async def look_at(some: Collection[bytes]) -> None:
            for shelf in await fetch_shelves(self._database, question, some):
                _may_speak_as(client, shelf.case)
                verdicts, numbers = judge_documents(engine, shelf.case, shelf.documents)
                before = len(judgements)
                judged.update(zip(shelf.ids, [before + each for each in numbers] if before else numbers, strict=True))
                judgements.extend(Judgement(each.case, each.situation, each.decision, engine) for each in verdicts)

        known = filter(None, documents)
        await look_at(list(islice(known, 1)))
        numbers = list(map(judged.get, documents, repeat(_LAST)))
        if _LAST in numbers and question.particulars.dossier is None and (far := set(known) - judged.keys()):
            await look_at(far)
            numbers = list(map(judged.get, documents, repeat(_LAST)))
        if _LAST in numbers:
            nothing = Reference(ResourceType.DOCUMENT.value, "")
            judgements.append(await self.judge(client, structs.replace(question, resource=nothing)))
        return JudgedAlike(judgements, numbers)

    async def permitted_documents(
        self, client: Client, question: Question, after: Position | None, limit: int
    ) -> tuple[list[bytes], Position | None]:
        """The first documents of which the rules permit what is asked of their dossier, newest first, by their ids.

        And where the rest begins, if there is any. Raises ForbiddenError as `judge`.
        """
        client.require_speaking_for(question.subject.type)
        shelf = await fetch_shelf(self._database, question)
        if shelf is None:
            await self.judge(client, question)
            return [], None
        _may_speak_as(client, shelf.case)
        numbers, found = in_order(shelf.documents, None if after is None else after.place), list[int]()
        for some, told in judge_in_turn(self.engine, shelf.case, shelf.documents, numbers, max(limit + 1, _AT_FIRST)):
            allowed = [each.decision.allowed for each in told.verdicts]
            found += compress(some, map(allowed.__getitem__, told.numbers))
            if len(found) > limit:
                break
        shown = found[:limit]
        more = position_of(case_at(shelf, shown[-1])) if len(found) > len(shown) > 0 else None
        return [shelf.ids[number] for number in shown], more

    async def readable(
        self, actor: Actor, entered: Judgement, sought: Sought = ALL_DOCUMENTS, after: Position | None = None
    ) -> Iterator[Judgement]:
        """The documents sought that the subject may read, in order: judged as they are taken, and none is journaled.

        At the instant and by the rules of `entered`, which let the subject in.
        """
        of_dossier = Reference(ResourceType.DOSSIER.value, str(entered.case.dossier.id if entered.case.dossier else ""))
        at, engine = entered.case.question.at, entered.engine
        question = Question(actor.subject, Action.DOCUMENT_READ.value, of_dossier, at, actor.context)
        if (shelf := await fetch_shelf(self._database, question)) is None:
            return iter(())
        _may_speak_as(actor.caller.client, shelf.case)
        numbers = sought.numbers(shelf.documents, after)
        judged = judge_in_turn(engine, shelf.case, shelf.documents, numbers, _AT_FIRST)
        return (
            Judgement(case_at(shelf, number), verdict.situation, verdict.decision, engine)
            for some, told in judged
            for number, verdict in zip(some, map(told.verdicts.__getitem__, told.numbers), strict=True)
            if verdict.decision.allowed
        )

    async def judge_open(self, client: Client, question: Question, dossiers: Sequence[UUID]) -> dict[UUID, Judgement]:
        """The verdicts on one question about each of these dossiers that is open; nothing is written.

        The facts of all come in two round trips. Raises ForbiddenError as `judge`, also if none is open.
        """
        client.require_speaking_for(question.subject.type)
        alone, cases = await fetch_open(self._database, question, dossiers)
        _may_speak_as(client, alone)
        engine = self.engine
        return {identity: self.verdict(client, case, engine) for identity, case in cases.items()}

    @property
    def engine(self) -> Engine:
        """The rules in force: what is judged together takes them once, and is judged by them alone."""
        return self._rules.engine

    def verdict(self, client: Client, case: Case, engine: Engine) -> Judgement:
        """The verdict on facts at hand. Raises ForbiddenError if the client may not ask for such a subject."""
        _may_speak_as(client, case)
        situation = engine.situation_of(case)
        return Judgement(case, situation, engine.judge(situation), engine)

    async def permit(
        self,
        actor: Actor,
        action: Action,
        resource: Reference,
        particulars: Particulars = Particulars(),
    ) -> Judgement:
        """A permission, not yet journaled. A refusal is journaled and raised as RefusedError."""
        question = Question(actor.subject, action.value, resource, self.now(), actor.context, particulars)
        judgement = await self.judge(actor.caller.client, question)
        if not judgement.decision.allowed:
            await self.record(actor.caller, [judgement])
            raise refusal(judgement)
        return judgement

    async def record(
        self, caller: Caller, judgements: Sequence[Judgement], resources: Sequence[Reference] | None = None
    ) -> None:
        """Write down decisions, durably, before their answers leave. Raises JournalUnavailableError.

        `resources` are what they are about, one by one, where several share a judgement.
        """
        if entries := self.entries(caller, judgements, resources=resources):
            await self._ledger.record_all(entries)

    async def record_apart(self, judged: Sequence[tuple[Caller, Judgement]]) -> None:
        """The same of decisions that have nothing to do with each other, all at once."""
        entries = [entry for caller, judgement in judged if (entry := self._entry(caller, judgement)) is not None]
        if entries:
            await self._ledger.record_all(entries)

    async def carry_out(
        self,
        actor: Actor,
        judgement: Judgement,
        change: Change,
        *,
        dossier: UUID | None = None,
        owed: Sequence[Owed] = (),
    ) -> Receipt:
        """Make a permitted change; it, its entry and what it owes to others stand together or not at all.

        Gives where its entry stands. `dossier` is one that it creates; `owed` may grow while the change is made. Raises
        ConflictError, ConstraintError or NotFoundError if it contradicts what is there: then the decision alone is
        written down, since it was taken.
        """
        try:
            async with self._database.begin_hot() as connection:
                changed = await change(connection)
                entries = self.entries(actor.caller, [judgement], changed, dossier=dossier)
                receipts = await self._ledger.append(connection, entries)
                await owe(connection, entries[-1], receipts[-1], owed)
            return receipts[-1]
        except (ConflictError, ConstraintError, NotFoundError):
            await self.record(actor.caller, [judgement])
            raise

    def entries(
        self,
        caller: Caller,
        judgements: Sequence[Judgement],
        change: Mapping[str, Value] | None = None,
        *,
        dossier: UUID | None = None,
        resources: Sequence[Reference] | None = None,
    ) -> list[Entry]:
        """What the journal keeps of decisions taken together (RULES §4.3); `dossier` is one that they create."""
        keys = list(map(id, judgements))
        alike, times = dict(zip(keys, judgements, strict=True)), Counter(keys)
        shared: dict[int, Entry] = {}
        for key, judgement in alike.items():
            if (entry := self._entry(caller, judgement, change, times[key])) is not None:
                shared[key] = entry
        about = [each.case.question.resource for each in judgements] if resources is None else resources
        entries = fold_alike((shared[key], each) for key, each in zip(keys, about, strict=True) if key in shared)
        return entries if dossier is None else [structs.replace(entry, dossier=dossier) for entry in entries]

    def _entry(
        self, caller: Caller, judgement: Judgement, change: Mapping[str, Value] | None = None, times: int = 1
    ) -> Entry | None:
        """What the journal keeps of one; of whether a dossier exists, nothing. It is counted."""
        decision = judgement.decision
        self._count(allowed=decision.allowed, rule=decision.rule, times=times)
        if judgement.case.question.action == _EXISTS:
            return None
        return Entry.of(
            judgement.case,
            decision,
            client=caller.client.name,
            request_id=caller.request_id,
            revision=judgement.engine.revision,
            situation=judgement.situation.words(),
            change=change,
        )


def refusal(judgement: Judgement) -> RefusedError:
    """How a refusal is told: a document or message that must stay unknown is told like one that does not exist."""
    decision = judgement.decision
    absent = _ABSENT.get(judgement.case.question.resource.type)
    conceals = not decision.allowed_by or not _CONCEALING.isdisjoint(decision.refused_by)
    if (
        absent
        and conceals
        and decision.rule not in _ABOUT_THE_SUBJECT_OR_THE_DOSSIER
        and not _is_author(judgement.case)
    ):
        return RefusedError(absent, concealed=True)
    return RefusedError(decision.rule)


def _is_author(case: Case) -> bool:
    """Whether the document is his own; a pseudonym is the same in upper case (RFC 9562, section 4)."""
    if case.document is None:
        return False
    author, subject = case.document.author, case.question.subject
    return author.type == subject.type and author.id.lower() == subject.id.lower()


def _may_speak_as(client: Client, case: Case) -> None:
    """A client tied to an organization speaks as it, and as those who exercise or work there."""
    if client.organization is None:
        return
    match case.subject:
        case Organization(id=identifier):
            allowed = identifier == client.organization
        case Professional(organizations=organizations):
            allowed = client.organization in organizations
        case Staff(organization=organization):
            allowed = organization.id == client.organization
        case _:
            allowed = False
    if not allowed:
        raise ForbiddenError
