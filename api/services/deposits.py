"""What enters a dossier: documents, and the next versions of documents, each request done once."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import AuthorError, ConflictError, DmpError, MalformedRequestError, RefusedError
from api.services import notices
from api.services.antivirus import Scanner
from api.services.content_types import CONTENT_TYPES, content_type_of
from api.services.contests import answer_by_replacing
from api.services.inspecting import inspected
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_document, of_dossier
from api.services.repeats import Earlier, Repeatable, Repeats, is_repeated
from models.database import Database
from models.facts import Case, Document, Organization, Particulars, Reference, Staff
from models.queries import documents as stored
from models.queries.directory import exercises_in
from models.vocabulary import Action, DocumentStatus, SubjectType
from vault.documents import Documents as Vault
from vault.errors import VaultError
from vault.journal.entry import Value
from vault.journal.notifying import Owed
from vault.keys import DossierKeys

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


class Deposits:
    """The deposits."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        keys: DossierKeys,
        vault: Vault,
        scanner: Scanner | None = None,
        make_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._database = database
        self._judging = judging
        self._vault = vault
        self._keys = keys
        self._scanner = scanner
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
        no longer current), UnacceptableError, ScannerError, and what the vault raises.
        """
        metadata = replace(metadata, content_type=content_type_of(metadata.content_type).name)
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
        try:
            document = await self._document(judgement, metadata, replaced)
            version = 1
            if replaced is not None:
                standing = await stored.read_standing(self._database, dossier, replaced.id)
                version = standing.version.version + 1 if standing else version
            async with aclosing(inspected(CONTENT_TYPES[metadata.content_type], data, self._scanner)) as content:
                deposit = await self._vault.write(dossier, document.id, version, metadata.content_type, content)
        except (DmpError, VaultError):
            await self._judging.record(actor.caller, [judgement])  # it was taken, whatever became of the deposit
            raise
        receipt = Receipt(document.id, version, deposit.size, deposit.sha256.hex())
        owed: list[Owed] = []

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            at = judgement.case.question.at
            if request and not await self._repeats.keep(connection, request, _earlier(request, receipt), at):
                raise _AnsweredMeanwhile
            if replaced is None:
                await stored.add_document(connection, dossier, document)
                owed.extend(notices.of_withholding(document, at))
            else:
                await stored.add_version(connection, dossier, document, replaced.id)
                owed.extend(await answer_by_replacing(self._keys, connection, dossier, replaced.id, at))
            await self._vault.commit(connection, deposit, metadata.title)
            return {"document": str(document.id)}

        committed = False
        try:
            await self._judging.carry_out(actor, judgement, change, owed=owed)
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

    async def _permit_deposit(self, actor: Actor, dossier: UUID, metadata: Metadata) -> Judgement:
        if metadata.replaces is not None:
            particulars = Particulars(dossier=str(dossier))
            replaced = of_document(metadata.replaces)
            return await self._judging.permit(actor, Action.DOCUMENT_REPLACE, replaced, particulars)
        particulars = Particulars(
            document_type=metadata.document_type,
            masked=metadata.masked,
            withheld=metadata.withheld,
            hidden_from_representatives=metadata.hidden_from_representatives,
        )
        return await self._judging.permit(actor, Action.DOCUMENT_DEPOSIT, of_dossier(dossier), particulars)

    async def _document(self, judgement: Judgement, metadata: Metadata, replaced: Document | None) -> Document:
        at = judgement.case.question.at
        if replaced is not None:
            if metadata.document_type != replaced.document_type:
                raise MalformedRequestError("A replacement has the document_type of what it replaces.")
            if metadata.author not in {None, replaced.author}:
                raise MalformedRequestError("A replacement has the author of what it replaces.")
            return structs.replace(
                replaced, id=self._make_id(), created_at=metadata.created_at, status=DocumentStatus.CURRENT
            )
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

        Raises AuthorError for anybody else: nobody signs for another.
        """
        depositor = case.subject.organization if isinstance(case.subject, Staff) else case.subject
        own = case.question.subject
        if isinstance(depositor, Organization):
            own = Reference(SubjectType.ORGANIZATION.value, depositor.id)
        elif own.type == SubjectType.PERSON:
            own = Reference(own.type, own.id.lower())  # a pseudonym in capitals is the same (RFC 9562, section 4)
        if named is None or named == own:
            return own
        signs = isinstance(depositor, Organization) and named.type == SubjectType.PROFESSIONAL
        if signs and await exercises_in(self._database, named.id, own.id):
            return named
        raise AuthorError(
            "author-not-verified",
            "The author is the subject, for staff its organization, or a professional who exercises in it.",
        )


def a_month_after(at: datetime) -> datetime:
    """The same day of the next month, or its last one (RULES §4.4)."""
    year, month = at.year + at.month // _MONTHS_IN_A_YEAR, at.month % _MONTHS_IN_A_YEAR + 1
    first_after = datetime(year + month // _MONTHS_IN_A_YEAR, month % _MONTHS_IN_A_YEAR + 1, 1, tzinfo=UTC)
    last_day = (first_after - datetime(year, month, 1, tzinfo=UTC)).days
    return at.replace(year=year, month=month, day=min(at.day, last_day))


class _AnsweredMeanwhile(Exception):  # noqa: N818 - no error: it leaves a transaction that is not needed any more
    """The same key was used by a request that was committed first."""


def _told(actor: Actor, metadata: Metadata) -> bytes:
    return hashlib.sha256(repr((actor.subject, metadata, metadata.title)).encode()).digest()


def _earlier(request: Repeatable, receipt: Receipt) -> Earlier:
    answer = {"id": str(receipt.id), "version": receipt.version}
    return Earlier(request.told, bytes.fromhex(receipt.sha256), receipt.size, answer)


def _receipt(earlier: Earlier) -> Receipt:
    return Receipt(UUID(earlier.answer["id"]), earlier.answer["version"], earlier.size, earlier.sha256.hex())
