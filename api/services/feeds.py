"""What the fund sends in bulk: each line is read, judged, carried out and answered on its own, a batch at a time.

A line that cannot be read, or that the rules refuse, is refused alone. One entry of the journal stands for the lines
of a dossier in a batch. Of people without a dossier nothing is kept: one entry says how many lines were.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from api.errors import ForbiddenError, MalformedRequestError
from api.identity import Caller
from api.schemas.feeds import FeedResult
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from api.strict_json import convert, parse_object
from models.database import Database
from models.facts import Context, Organization, Question, Reference
from models.identifiers import Ins, InvalidIdentifierError
from models.queries import fetch_case
from models.vocabulary import Action, DossierState, OrganizationKind, SubjectType
from vault.journal.entry import NO_DOSSIER
from vault.journal.ledger import Ledger

BATCH = 200
"""Lines that are looked up, judged and carried out together: what a feed holds in memory."""

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


REFUSED = "The rules of the DMP refuse this."
CONFLICT = Refusal("conflict", "This contradicts what is already there.")

Refusals = Mapping[int, Refusal]
Handle = Callable[[Actor, Sequence[Given[FedLine]]], Awaitable[Refusals]]


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
        """The results of each batch, in the order of its lines."""
        async for batch in _batches(lines):
            given: list[Given[FedLine]] = []
            refused: dict[int, Refusal] = {}
            ids: dict[int, str | None] = {}
            for line in batch:
                ids[line.number], read = self._read(line, kind)
                if isinstance(read, Refusal):
                    refused[line.number] = read
                else:
                    given.append(read)
            refused |= await handle(actor, given) if given else {}
            yield [_result(number, ids[number], refused.get(number)) for number in ids]

    async def judge(
        self, actor: Actor, given: Sequence[Given[FedLine]], ask: Callable[[Given[FedLine]], Question]
    ) -> tuple[dict[UUID, list[tuple[Given[FedLine], Judgement]]], dict[int, Refusal]]:
        """The verdict on each line, by dossier; and the refusals of those without one, already written down."""
        judged = await self._judging.judge_all(actor.caller.client, [ask(each) for each in given])
        by_dossier: dict[UUID, list[tuple[Given[FedLine], Judgement]]] = {}
        refused: dict[int, Refusal] = {}
        nowhere: list[Judgement] = []
        for each, judgement in zip(given, judged, strict=True):
            known = judgement.case.dossier
            if known is None or known.state is DossierState.NONE:
                nowhere.append(judgement)
                refused[each.number] = Refusal(judgement.decision.rule, REFUSED)
            else:
                by_dossier.setdefault(each.dossier, []).append((each, judgement))
        if nowhere:
            await self._write_down(actor, nowhere)
        return by_dossier, refused

    async def _write_down(self, actor: Actor, nowhere: Sequence[Judgement]) -> None:
        """That so many lines were refused, and not about whom: nothing is kept of people without a dossier."""
        for entry in self._judging.entries(actor.caller, nowhere, {"lines": str(len(nowhere))}):
            alike = entry.items[0].situation if entry.items else entry.situation  # without a dossier, all are the same
            told = replace(entry, dossier=NO_DOSSIER, resource=of_dossier(NO_DOSSIER), situation=alike, items=())
            await self._ledger.record(told)

    def _read(self, line: Numbered, kind: type[FedLine]) -> tuple[str | None, Given[FedLine] | Refusal]:
        identity = None
        try:
            if line.data is None:
                return None, Refusal("malformed", "The line is too long.")
            told = parse_object(line.data)
            said = told.get("id")
            identity = said if isinstance(said, str) and len(said) <= _LONGEST_ID else None
            read = convert(told, kind)
            dossier = Ins.parse(read.ins).pseudonym(self._secret)
        except MalformedRequestError as error:
            return identity, Refusal("malformed", error.sentence)
        except InvalidIdentifierError as error:
            return identity, identifier(error)
        return identity, Given(line.number, dossier, read)


def identifier(error: InvalidIdentifierError) -> Refusal:
    """An identifier that is none; the error's sentence never repeats it."""
    return Refusal("identifier", f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def _batches(lines: AsyncIterator[Numbered]) -> AsyncGenerator[list[Numbered]]:
    batch: list[Numbered] = []
    async for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _result(number: int, identity: str | None, refusal: Refusal | None) -> FeedResult:
    if refusal is None:
        return FeedResult(identity, number, ok=True)
    return FeedResult(identity, number, ok=False, reason=refusal.reason, error=refusal.sentence)
