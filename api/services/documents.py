"""Documents: deposit, listing, reading, visibility, contest and deletion, each decided and journaled on its way."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import ConflictError, MalformedRequestError, NotFoundError, RefusedError
from api.services.cursors import read_position, write_position
from api.services.judging import Actor, Judgement, Judging
from api.services.readable import ADVANCE_DIRECTIVES, directive_in_force
from api.services.repeats import Earlier, Repeatable, Repeats, is_repeated
from models.database import Database
from models.decisions import Decision
from models.facts import Case, Document, Organization, Particulars, Question, Reference, Staff
from models.queries import documents as stored
from models.queries import fetch_listing, position_of
from models.queries.directory import exercises_in
from models.reference import DOCUMENT_TYPES
from models.vocabulary import ACTIONS_ON, Action, DocumentStatus, ResourceType, Space, SubjectType
from vault.documents import Documents as Vault
from vault.documents import Erasure, Kept, Reading
from vault.errors import NoContentError, SealBrokenError
from vault.journal.entry import Value
from vault.journal.ledger import Ledger
from vault.keys import DossierKeys

SEAL_BROKEN = "seal-broken"
"""What the journal calls a reading that was permitted and gave nothing, because what is stored does not open."""

_PAGE = 200
_DOCUMENT_ACTIONS = tuple(action for action in Action if action in ACTIONS_ON[ResourceType.DOCUMENT])
_MONTHS_IN_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a depositor says of a document."""

    document_type: str
    title: str = field(repr=False)
    content_type: str
    created_at: datetime
    masked: bool = False
    withheld: bool = False
    hidden_from_representatives: bool = False
    replaces: UUID | None = None
    author: Reference | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a depositor gets: `sha256` is of the plaintext, in hexadecimal."""

    id: UUID
    version: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contest:
    """The patient's contest of a document, and the author's answer."""

    reason: str = field(repr=False)
    at: datetime
    kept: bool = False
    answer: str = field(default="", repr=False)
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document as its reader sees it, content apart.

    `kept` is None while no content was deposited, or when what is stored of it does not open. `may` lists what the
    subject may do with it; `in_force` is told of advance directives only.
    """

    dossier: UUID
    document: Document
    standing: stored.Standing
    withheld: bool
    may: tuple[Action, ...]
    decision: Decision
    kept: Kept | None = field(default=None, repr=False)
    contest: Contest | None = None
    in_force: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a listing; `next` is where the rest begins."""

    sheets: Sequence[Sheet]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a listing is asked for: of these types only, or without the versions that are past."""

    types: Collection[str] | None = None
    current_only: bool = False

    @classmethod
    def of(cls, space: Space | None) -> "Wanted":
        """Those of a space, or all."""
        return cls() if space is None else cls(_TYPES_OF[space])

    def holds(self, case: Case) -> bool:
        """Whether the document of a case is one, its type apart."""
        return not self.current_only or (case.document is not None and case.document.status is DocumentStatus.CURRENT)


class DocumentService:
    """The documents' use cases."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        ledger: Ledger,
        keys: DossierKeys,
        vault: Vault,
        make_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._database = database
        self._judging = judging
        self._ledger = ledger
        self._keys = keys
        self._vault = vault
        self._make_id = make_id
        self._repeats = Repeats(database, keys)

    async def deposit(
        self,
        actor: Actor,
        dossier: UUID,
        metadata: Metadata,
        data: AsyncIterator[bytes],
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Deposit a document, or the next version of one. The same request under the same key is done once.

        Raises RefusedError, ConflictError (the key was used for another request, or the document that is replaced is
        no longer current), and what the vault raises.
        """
        if not idempotency_key:
            return await self._deposit(actor, dossier, metadata, data, None)
        request = Repeatable(dossier, actor.caller.client.name, idempotency_key, _told(actor, metadata))
        earlier = await self._repeats.find(request)
        if earlier is None:
            try:
                return await self._deposit(actor, dossier, metadata, data, request)
            except RefusedError:
                # What it replaces may be superseded by this very request, answered in this instant.
                earlier = await self._repeats.find(request)
                if earlier is None or earlier.told != request.told:
                    raise
        if earlier.told != request.told:
            judgement = await self._permit_deposit(actor, dossier, metadata)
            await self._judging.record(actor.caller, [judgement])
            raise ConflictError
        actor.caller.client.require_speaking_for(actor.subject.type)
        if not await is_repeated(earlier, data):
            raise ConflictError
        return _receipt(earlier)

    async def _deposit(
        self, actor: Actor, dossier: UUID, metadata: Metadata, data: AsyncIterator[bytes], request: Repeatable | None
    ) -> Receipt:
        judgement = await self._permit_deposit(actor, dossier, metadata)
        replaced = judgement.case.document
        document = await self._document(judgement, metadata, replaced)
        version = 1
        if replaced is not None:
            standing = await stored.read_standing(self._database, dossier, replaced.id)
            version = standing.version.version + 1 if standing else version
        deposit = await self._vault.write(dossier, document.id, version, metadata.content_type, data)
        receipt = Receipt(document.id, version, deposit.size, deposit.sha256.hex())

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            at = judgement.case.question.at
            if request and not await self._repeats.keep(connection, request, _earlier(request, receipt), at):
                raise _AnsweredMeanwhile
            if replaced is None:
                await stored.add_document(connection, dossier, document)
            else:
                await stored.add_version(connection, dossier, document, replaced.id)
            await self._vault.commit(connection, deposit, metadata.title)
            return {"document": str(document.id), "document_type": document.document_type}

        committed = False
        try:
            await self._judging.carry_out(actor, judgement, change)
            committed = True
        except _AnsweredMeanwhile:
            earlier = await self._repeats.find(request) if request else None
            if not (request and earlier) or earlier.told != request.told or earlier.sha256 != deposit.sha256:
                await self._judging.record(actor.caller, [judgement])
                raise ConflictError from None
            return _receipt(earlier)
        finally:
            if not committed:
                await self._vault.discard(deposit)
        return receipt

    async def page(self, actor: Actor, dossier: UUID, wanted: Wanted, after: str | None, limit: int) -> Listing:
        """What the subject may read, newest first; one entry of the journal names every line shown."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_LIST, _dossier(dossier))
        template = Question(
            actor.subject, Action.DOCUMENT_READ.value, _dossier(dossier), judgement.case.question.at, actor.context
        )
        shown, following = await self._readable(actor, template, wanted, after, limit)
        await self._judging.record(actor.caller, [judgement, *shown])
        standings = await stored.read_standings(self._database, dossier)
        versions = {each.id: standings[each.id].version.version for each in _documents(shown) if each.id in standings}
        kept = await self._vault.find_all(dossier, versions)
        in_force = await self._directive_in_force(dossier, template, _documents(shown))
        sheets = [
            await self._sheet(actor, each, standings[document.id], kept.get(document.id), in_force)
            for each, document in zip(shown, _documents(shown), strict=True)
            if document.id in standings
        ]
        return Listing(sheets, following)

    async def sheet(self, actor: Actor, document: UUID) -> Sheet:
        """What is known of a document, content apart."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_READ, _document(document))
        await self._judging.record(actor.caller, [judgement])
        dossier, about = _found(judgement)
        standing = await self._standing(dossier, about.id)
        try:
            kept = await self._vault.find(dossier, about.id, standing.version.version)
        except NoContentError:
            kept = None
        in_force = await self._directive_in_force(dossier, judgement.case.question, [about])
        return await self._sheet(actor, judgement, standing, kept, in_force)

    async def kept(self, actor: Actor, document: UUID) -> tuple[Judgement, Kept]:
        """A content that may be read, the reading journaled. Raises NoContentError if none was deposited."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_READ, _document(document))
        await self._judging.record(actor.caller, [judgement])
        dossier, about = _found(judgement)
        standing = await self._standing(dossier, about.id)
        try:
            return judgement, await self._vault.find(dossier, about.id, standing.version.version)
        except SealBrokenError:
            await self.write_down_broken(actor, judgement)
            raise

    async def read(self, actor: Actor, judgement: Judgement, kept: Kept, span: tuple[int, int | None]) -> Reading:
        """The bytes of a content that `kept` gave. What does not open is journaled, and gives nothing."""
        try:
            return await self._vault.read(kept, *span)
        except SealBrokenError:
            await self.write_down_broken(actor, judgement)
            raise

    async def write_down_broken(self, actor: Actor, judgement: Judgement) -> None:
        """The journal's entry of a reading that was permitted and gave nothing, or not all."""
        failed = replace(judgement, decision=Decision(allowed=False, rule=SEAL_BROKEN, refused_by=(SEAL_BROKEN,)))
        await self._judging.record(actor.caller, [failed])

    async def mask(self, actor: Actor, document: UUID, *, masked: bool) -> None:
        """Mask or unmask all versions of a document."""
        action = Action.DOCUMENT_MASK if masked else Action.DOCUMENT_UNMASK
        judgement = await self._judging.permit(actor, action, _document(document))
        dossier, about = _found(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_visibility(connection, dossier, about.id, masked=masked)
            return {"masked": masked}

        await self._judging.carry_out(actor, judgement, change)

    async def reveal(self, actor: Actor, document: UUID) -> None:
        """End the withholding of all versions of a document."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_REVEAL, _document(document))
        dossier, about = _found(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_visibility(connection, dossier, about.id, revealed=True)
            return {"withheld": False}

        await self._judging.carry_out(actor, judgement, change)

    async def set_status(self, actor: Actor, document: UUID, status: DocumentStatus) -> None:
        """Archive, or restore."""
        action = Action.DOCUMENT_ARCHIVE if status is DocumentStatus.ARCHIVED else Action.DOCUMENT_RESTORE
        judgement = await self._judging.permit(actor, action, _document(document))
        dossier, about = _found(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            if not await stored.set_status(connection, dossier, about.id, status, was=about.status):
                raise ConflictError
            return {"status": status.value, "was": about.status.value}

        await self._judging.carry_out(actor, judgement, change)

    async def delete(self, actor: Actor, document: UUID) -> None:
        """Delete for all: key and contest go with the transaction, the object right after."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_DELETE, _document(document))
        dossier, about = _found(judgement)
        erasures: list[Erasure] = []

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            if not await stored.set_status(connection, dossier, about.id, DocumentStatus.DELETED, was=about.status):
                raise ConflictError
            await stored.set_contest(connection, dossier, about.id, None)
            erasures.append(await self._vault.erase(connection, dossier, about.id))
            return {"status": DocumentStatus.DELETED.value, "was": about.status.value}

        await self._judging.carry_out(actor, judgement, change)
        for erasure in erasures:
            await self._vault.finish(erasure)

    async def contest(self, actor: Actor, document: UUID, reason: str) -> None:
        """The patient says that a document is wrong; it stays readable and says that it is contested."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_CONTEST, _document(document))
        dossier, about = _found(judgement)
        contest = Contest(reason, judgement.case.question.at)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            sealed = await self._sealed(connection, dossier, about, contest)
            await stored.set_contest(connection, dossier, about.id, sealed)
            return {"contested": True}

        await self._judging.carry_out(actor, judgement, change)

    async def answer_contest(self, actor: Actor, document: UUID, reason: str) -> None:
        """The author keeps a contested document, with a reason. Raises NotFoundError if nobody contests it."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_REPLACE, _document(document))
        dossier, about = _found(judgement)
        standing = await self._standing(dossier, about.id)
        contest = await self._opened(dossier, about, standing.contest_sealed)
        if contest is None:
            raise NotFoundError
        answered = replace(contest, kept=True, answer=reason, answered_at=judgement.case.question.at)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            sealed = await self._sealed(connection, dossier, about, answered)
            await stored.set_contest(connection, dossier, about.id, sealed)
            return {"contested": True, "kept": True}

        await self._judging.carry_out(actor, judgement, change)

    async def _permit_deposit(self, actor: Actor, dossier: UUID, metadata: Metadata) -> Judgement:
        if metadata.replaces is not None:
            particulars = Particulars(dossier=str(dossier))
            replacing = await self._judging.permit(
                actor, Action.DOCUMENT_REPLACE, _document(metadata.replaces), particulars
            )
            _, replaced = _found(replacing)
            if metadata.document_type != replaced.document_type:
                raise MalformedRequestError("A replacement has the document_type of what it replaces.")
            if metadata.author not in {None, replaced.author}:
                raise MalformedRequestError("A replacement has the author of what it replaces.")
            return replacing
        particulars = Particulars(
            document_type=metadata.document_type,
            masked=metadata.masked,
            withheld=metadata.withheld,
            hidden_from_representatives=metadata.hidden_from_representatives,
        )
        return await self._judging.permit(actor, Action.DOCUMENT_DEPOSIT, _dossier(dossier), particulars)

    async def _document(self, judgement: Judgement, metadata: Metadata, replaced: Document | None) -> Document:
        at = judgement.case.question.at
        if replaced is not None:
            return replace(replaced, id=self._make_id(), created_at=metadata.created_at, status=DocumentStatus.CURRENT)
        return Document(
            id=self._make_id(),
            document_type=metadata.document_type,
            author=await self._author(judgement.case, metadata.author),
            created_at=metadata.created_at,
            masked=metadata.masked,
            withheld_until=a_month_after(at) if metadata.withheld else None,
            hidden_from_representatives=metadata.hidden_from_representatives,
        )

    async def _author(self, case: Case, named: Reference | None) -> Reference:
        """The subject, for staff its organization, or a professional who exercises in the organization that deposits.

        Raises MalformedRequestError for anybody else: nobody signs for another.
        """
        depositor = case.subject.organization if isinstance(case.subject, Staff) else case.subject
        own = case.question.subject
        if isinstance(depositor, Organization):
            own = Reference(SubjectType.ORGANIZATION.value, depositor.id)
        if named is None or named == own:
            return own
        signs = isinstance(depositor, Organization) and named.type == SubjectType.PROFESSIONAL
        if signs and await exercises_in(self._database, named.id, own.id):
            return named
        raise MalformedRequestError(
            "The author is the subject, for staff its organization, or a professional who exercises in it."
        )

    async def _readable(
        self, actor: Actor, template: Question, wanted: Wanted, after: str | None, limit: int
    ) -> tuple[list[Judgement], str | None]:
        """The first lines that may be read, and the place of the last if another one follows."""
        shown: list[Judgement] = []
        place = read_position(after) if after else None
        while batch := await fetch_listing(
            self._database, template, document_types=wanted.types, after=place, limit=max(_PAGE, limit)
        ):
            for case in filter(wanted.holds, batch):
                judgement = self._judging.verdict(actor.caller.client, case)
                if judgement.decision.allowed:
                    if len(shown) == limit:
                        return shown, write_position(position_of(shown[-1].case))
                    shown.append(judgement)
            if len(batch) < max(_PAGE, limit):
                break
            place = position_of(batch[-1])
        return shown, None

    async def _standing(self, dossier: UUID, document: UUID) -> stored.Standing:
        standing = await stored.read_standing(self._database, dossier, document)
        if standing is None:
            raise RefusedError("no-document")
        return standing

    async def _sheet(
        self,
        actor: Actor,
        judgement: Judgement,
        standing: stored.Standing,
        kept: Kept | SealBrokenError | None,
        in_force: UUID | None,
    ) -> Sheet:
        dossier, about = _found(judgement)
        if isinstance(kept, SealBrokenError):
            await self.write_down_broken(actor, judgement)
            kept = None
        return Sheet(
            dossier,
            about,
            standing,
            about.withheld_until is not None and about.withheld_until > judgement.case.question.at,
            self._may(actor, judgement.case),
            judgement.decision,
            kept,
            await self._opened(dossier, about, standing.contest_sealed),
            about.id == in_force if about.document_type == ADVANCE_DIRECTIVES else None,
        )

    def _may(self, actor: Actor, case: Case) -> tuple[Action, ...]:
        """What the subject may do with a document of which the facts are at hand."""
        asked = ((action, replace(case.question, action=action.value)) for action in _DOCUMENT_ACTIONS)
        return tuple(
            action
            for action, question in asked
            if self._judging.verdict(actor.caller.client, replace(case, question=question)).decision.allowed
        )

    async def _directive_in_force(self, dossier: UUID, question: Question, shown: Sequence[Document]) -> UUID | None:
        """The latest current advance directives (RULES §7), looked up only where some are shown."""
        if not any(document.document_type == ADVANCE_DIRECTIVES for document in shown):
            return None
        return await directive_in_force(self._database, dossier, question)

    async def _sealed(self, connection: AsyncConnection, dossier: UUID, about: Document, contest: Contest) -> bytes:
        written = {
            "reason": contest.reason,
            "at": contest.at.isoformat(),
            "kept": contest.kept,
            "answer": contest.answer,
            "answered_at": contest.answered_at.isoformat() if contest.answered_at else None,
        }
        return await self._keys.seal_text(connection, dossier, _contest_of(about), json.dumps(written).encode())

    async def _opened(self, dossier: UUID, about: Document, sealed: bytes | None) -> Contest | None:
        if sealed is None:
            return None
        read: dict[str, Any] = json.loads(await self._keys.open_text(dossier, _contest_of(about), sealed))
        answered_at = read["answered_at"]
        return Contest(
            read["reason"],
            datetime.fromisoformat(read["at"]),
            read["kept"],
            read["answer"],
            datetime.fromisoformat(answered_at) if answered_at else None,
        )


def a_month_after(at: datetime) -> datetime:
    """The same day of the next month, or its last one (RULES §4.4)."""
    year, month = at.year + at.month // _MONTHS_IN_A_YEAR, at.month % _MONTHS_IN_A_YEAR + 1
    first_after = datetime(year + month // _MONTHS_IN_A_YEAR, month % _MONTHS_IN_A_YEAR + 1, 1, tzinfo=UTC)
    last_day = (first_after - datetime(year, month, 1, tzinfo=UTC)).days
    return at.replace(year=year, month=month, day=min(at.day, last_day))


_TYPES_OF = {space: frozenset(code for code, kind in DOCUMENT_TYPES.items() if kind.space is space) for space in Space}


class _AnsweredMeanwhile(Exception):  # noqa: N818 - no error: it leaves a transaction that is not needed any more
    """The same key was used by a request that was committed first."""


def _told(actor: Actor, metadata: Metadata) -> bytes:
    return hashlib.sha256(repr((actor.subject, metadata, metadata.title)).encode()).digest()


def _earlier(request: Repeatable, receipt: Receipt) -> Earlier:
    answer = {"id": str(receipt.id), "version": receipt.version}
    return Earlier(request.told, bytes.fromhex(receipt.sha256), receipt.size, answer)


def _receipt(earlier: Earlier) -> Receipt:
    return Receipt(UUID(earlier.answer["id"]), earlier.answer["version"], earlier.size, earlier.sha256.hex())


def _documents(judgements: Sequence[Judgement]) -> list[Document]:
    return [each.case.document for each in judgements if each.case.document is not None]


def _found(judgement: Judgement) -> tuple[UUID, Document]:
    case = judgement.case
    if case.document is None or case.dossier is None:
        raise RefusedError("no-document")
    return case.dossier.id, case.document


def _dossier(identity: UUID) -> Reference:
    return Reference(ResourceType.DOSSIER.value, str(identity))


def _document(identity: UUID) -> Reference:
    return Reference(ResourceType.DOCUMENT.value, str(identity))


def _contest_of(document: Document) -> str:
    return f"contest/{document.id}"
