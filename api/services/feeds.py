"""What the fund sends in bulk: each line is read, judged and answered on its own; many are carried out together.

A line that cannot be read, or that the rules refuse, is refused alone. One entry of the journal stands for the lines
of a dossier in a batch. Of people without a dossier nothing is kept: one entry says how many lines were.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from msgspec import structs

from api.errors import ForbiddenError, MalformedRequestError
from api.identity import Caller
from api.schemas.feeds import FeedResult
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from api.strict_json import convert, parse_object
from models.database import Database
from models.facts import Context, Organization, Particulars, Question, Reference
from models.identifiers import Ins, InvalidIdentifierError
from models.queries import fetch_case
from models.vocabulary import Action, DossierState, OrganizationKind, SubjectType
from vault.journal.entry import NO_DOSSIER
from vault.journal.ledger import Ledger

BATCH = 8_192
"""Lines that are looked up and judged together, and answered together: what a feed holds in memory, twice."""

BATCH_BYTES = 4 * 1024 * 1024
"""A batch ends with the line that makes it so large."""

_GROUP = 1_024
_GROUPS_AT_ONCE = 2
_JUDGED_AT_ONCE = 512
_READ_IN_ONE_TURN = 64
_LONGEST_ID = 100


class Numbered(Protocol):
    """A line as it arrives; `data` is None if it is longer than a line may be."""

    @property
    def number(self) -> int: ...
    @property
    def data(self) -> bytes | None: ...


class Fed(Protocol):
    """What every line of a feed says."""

    @property
    def id(self) -> str: ...
    @property
    def ins(self) -> str: ...


FedLine = TypeVar("FedLine", bound=Fed)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line is refused; `reason` is a rule, or a word of ours that `sentence` explains."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Given(Generic[FedLine]):
    """A line that was read, and the dossier of the person whom it is about."""

    number: int
    dossier: UUID = field(repr=False)
    line: FedLine = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arriving(Generic[FedLine]):
    """The lines of a batch about one dossier, which there is; and whether its like may enter there."""

    dossier: UUID = field(repr=False)
    entering: Judgement
    lines: list[Given[FedLine]] = field(repr=False)

    def all_refused(self, refusal: Refusal) -> "dict[int, Refusal]":
        return {each.number: refusal for each in self.lines}


@dataclass(slots=True)
class _Batch(Generic[FedLine]):
    """Lines as they were read: the id of each, what was given, what was refused."""

    ids: dict[int, str | None] = field(default_factory=dict)
    given: list[Given[FedLine]] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)
    persons: dict[str, UUID] = field(default_factory=dict)
    size: int = 0


REFUSED = "The rules of the DMP refuse this."
CONFLICT = Refusal("conflict", "This contradicts what is already there.")

Refusals = Mapping[int, Refusal]
Handle = Callable[[Actor, Sequence[Given[FedLine]]], Awaitable[Refusals]]
Enter = Callable[[Actor, Sequence[Arriving[FedLine]]], Awaitable[Refusals]]


class Feeding:
    """What feeds have in common: who may feed, how lines are read and answered, what is written of refusals."""

    def __init__(self, database: Database, judging: Judging, ledger: Ledger, pseudonym_secret: bytes) -> None:
        self._database = database
        self._judging = judging
        self._ledger = ledger
        self._secret = pseudonym_secret

    async def fund(self, caller: Caller) -> Actor:
        """The fund as which the caller feeds. Raises ForbiddenError if its organization is none."""
        organization = caller.client.organization
        if organization is None:
            raise ForbiddenError
        caller.client.require_speaking_for(SubjectType.ORGANIZATION.value)
        subject, nowhere = Reference(SubjectType.ORGANIZATION.value, organization), of_dossier(NO_DOSSIER)
        question = Question(subject, Action.DOCUMENT_DEPOSIT.value, nowhere, self._judging.now())
        known = (await fetch_case(self._database, question)).subject
        if not isinstance(known, Organization) or known.kind is not OrganizationKind.INSURANCE_FUND:
            raise ForbiddenError
        return Actor(caller, subject, Context())

    async def results(
        self, actor: Actor, lines: AsyncIterator[Numbered], kind: type[FedLine], handle: Handle[FedLine]
    ) -> AsyncGenerator[list[FeedResult]]:
        """The results of each batch, in the order of its lines; the next one is read meanwhile."""
        following = asyncio.create_task(self._next(lines, kind))
        try:
            while (batch := await following).ids:
                following = asyncio.create_task(self._next(lines, kind))
                refused = {**batch.refused, **(await handle(actor, batch.given) if batch.given else {})}
                yield [_result(number, identity, refused.get(number)) for number, identity in batch.ids.items()]
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def arriving(
        self, actor: Actor, given: Sequence[Given[FedLine]], action: Action, particulars: Particulars
    ) -> tuple[list[Arriving[FedLine]], dict[int, Refusal]]:
        """The lines by dossier, each with the verdict on this action there, by ascending dossier.

        And the refusals of those about nobody's dossier, already written down.
        """
        by_dossier: dict[UUID, list[Given[FedLine]]] = {}
        for each in given:
            by_dossier.setdefault(each.dossier, []).append(each)
        question = Question(
            actor.subject, action.value, of_dossier(NO_DOSSIER), self._judging.now(), actor.context, particulars
        )
        judged = await self._judge(actor, question, sorted(by_dossier))
        arriving: list[Arriving[FedLine]] = []
        refused: dict[int, Refusal] = {}
        nowhere: list[Judgement] = []
        for dossier, judgement in judged.items():
            lines, known = by_dossier[dossier], judgement.case.dossier
            if known is None or known.state is DossierState.NONE:
                nowhere.append(judgement)
                refused |= dict.fromkeys((each.number for each in lines), by_rule(judgement))
            else:
                arriving.append(Arriving(dossier, judgement, lines))
        if nowhere:
            await self._write_down(actor, nowhere, len(refused))
        return arriving, refused

    async def permitted(
        self, actor: Actor, arriving: Sequence[Arriving[FedLine]]
    ) -> tuple[list[Arriving[FedLine]], dict[int, Refusal]]:
        """The lines that may enter; and the refusals of the others, already written down."""
        refused = [each for each in arriving if not each.entering.decision.allowed]
        await self._judging.record(actor.caller, [each.entering for each in refused])
        refusals = {each.number: by_rule(one.entering) for one in refused for each in one.lines}
        return [each for each in arriving if each.entering.decision.allowed], refusals

    async def enter(
        self, actor: Actor, arriving: Sequence[Arriving[FedLine]], enter: Enter[FedLine]
    ) -> dict[int, Refusal]:
        """Carry out, a few groups of dossiers at a time."""
        refused: dict[int, Refusal] = {}
        slots = asyncio.Semaphore(_GROUPS_AT_ONCE)

        async def entered(group: Sequence[Arriving[FedLine]]) -> Refusals:
            async with slots:
                return await enter(actor, group)

        # Not one beside the next: these two may have a shard's keys in common, and would wait for each other.
        grouped = _groups(arriving)
        groups = [asyncio.create_task(entered(group)) for group in (*grouped[::2], *grouped[1::2])]
        try:
            for group in groups:
                refused |= await group
        finally:
            for group in groups:
                group.cancel()
            await asyncio.gather(*groups, return_exceptions=True)
        return refused

    async def _judge(self, actor: Actor, question: Question, dossiers: Sequence[UUID]) -> dict[UUID, Judgement]:
        """The verdicts on one question about each of these dossiers, in their order."""
        client = actor.caller.client
        judged: dict[UUID, Judgement] = {}
        for begin in range(0, len(dossiers), _JUDGED_AT_ONCE):
            asked = dossiers[begin : begin + _JUDGED_AT_ONCE]
            judged |= await self._judging.judge_open(client, question, asked)
        others = [dossier for dossier in dossiers if dossier not in judged]
        questions = [structs.replace(question, resource=of_dossier(dossier)) for dossier in others]
        judged |= zip(others, await self._judging.judge_all(client, questions), strict=True)
        return {dossier: judged[dossier] for dossier in dossiers}

    async def _write_down(self, actor: Actor, nowhere: Sequence[Judgement], lines: int) -> None:
        """That so many lines were refused, and not about whom: nothing is kept of people without a dossier."""
        for entry in self._judging.entries(actor.caller, nowhere, {"lines": str(lines)}):
            alike = entry.items[0].situation if entry.items else entry.situation  # without a dossier, all are the same
            told = structs.replace(
                entry, dossier=NO_DOSSIER, resource=of_dossier(NO_DOSSIER), situation=alike, items=()
            )
            await self._ledger.record(told)

    async def _next(self, lines: AsyncIterator[Numbered], kind: type[FedLine]) -> _Batch[FedLine]:
        """The next batch; empty at the end. Everybody else gets his turn in between."""
        batch = _Batch[FedLine]()
        async for line in lines:
            batch.ids[line.number] = self._read(batch, line, kind)
            batch.size += len(line.data or b"")
            if len(batch.ids) >= BATCH or batch.size >= BATCH_BYTES:
                break
            if len(batch.ids) % _READ_IN_ONE_TURN == 0:
                await asyncio.sleep(0)
        return batch

    def _read(self, batch: _Batch[FedLine], line: Numbered, kind: type[FedLine]) -> str | None:
        """Add a line to those given or refused; its id, if it has one."""
        identity = None
        try:
            if line.data is None:
                raise MalformedRequestError("The line is too long.")
            told = parse_object(line.data)
            said = told.get("id")
            identity = said if isinstance(said, str) and len(said) <= _LONGEST_ID else None
            read = convert(told, kind)
            dossier = batch.persons.get(read.ins)
            if dossier is None:
                dossier = batch.persons[read.ins] = Ins.parse(read.ins).pseudonym(self._secret)
            batch.given.append(Given(line.number, dossier, read))
        except MalformedRequestError as error:
            batch.refused[line.number] = Refusal("malformed", error.sentence)
        except InvalidIdentifierError as error:
            batch.refused[line.number] = identifier(error)
        return identity


def identifier(error: InvalidIdentifierError) -> Refusal:
    """An identifier that is none; the error's sentence never repeats it."""
    return Refusal("identifier", f"{str(error)[:1].upper()}{str(error)[1:]}.")


def by_rule(judgement: Judgement) -> Refusal:
    """What the rules refuse."""
    return Refusal(judgement.decision.rule, REFUSED)


def _groups(arriving: Sequence[Arriving[FedLine]]) -> list[list[Arriving[FedLine]]]:
    """Dossiers that are entered in one transaction: of so many lines, or one dossier."""
    groups: list[list[Arriving[FedLine]]] = []
    lines = _GROUP
    for each in arriving:
        if lines + len(each.lines) > _GROUP:
            groups.append([])
            lines = 0
        groups[-1].append(each)
        lines += len(each.lines)
    return groups


def _result(number: int, identity: str | None, refusal: Refusal | None) -> FeedResult:
    if refusal is None:
        return FeedResult(identity, number, ok=True)
    return FeedResult(identity, number, ok=False, reason=refusal.reason, error=refusal.sentence)
