"""Dispensations of the pharmaceutical record: each becomes a document of the pharmacy that handed it out.

Each is deposited as by that pharmacy: the rules decide on it as on any deposit, and the vault and the journal take it
as any document. The same dispensation stands once, however often and by whomever it is told; one that its pharmacy
deleted stays deleted.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol
from uuid import UUID

from api.errors import MalformedRequestError, RefusedError, UnacceptableError
from api.identity import Caller
from api.schemas.feeds import FeedResult
from api.services.deposits import Deposits, Metadata
from api.services.dispensation_lines import Dispensation, read_dispensation
from api.services.feeds import CONFLICT, REFUSED, Feeding, Given, Numbered, Refusal, identifier
from api.services.fhir_validation import CONTENT_TYPE
from api.services.judging import Actor, Judging
from models.database import Database
from models.errors import ConstraintError
from models.facts import Context, Particulars, Reference
from models.identifiers import Ins, InvalidIdentifierError
from models.queries.documents import read_standing
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, SubjectType
from vault.documents import Documents as Vault
from vault.errors import NoContentError

DISPENSATION = "60593-1"
_TITLE = DOCUMENT_TYPES[DISPENSATION].label_fr
_ABSENT = Refusal("absent", "")
_DELETED = Refusal("document-deleted", REFUSED)
SOMEBODY_ELSE = Refusal("somebody-else", "The line is about somebody else than who was asked about.")


class Depositing(Protocol):
    """The deposits, of which the next document has this id."""

    def __call__(self, *, make_id: Callable[[], UUID]) -> Deposits: ...


class DispensationFeed:
    """Enters dispensations, line by line."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        feeding: Feeding,
        vault: Vault,
        depositing: Depositing,
        secret: bytes,
    ) -> None:
        self._database = database
        self._judging = judging
        self._feeding = feeding
        self._vault = vault
        self._depositing = depositing
        self._secret = secret

    async def results(
        self, caller: Caller, lines: AsyncIterator[Numbered], about: Ins | None = None
    ) -> AsyncGenerator[FeedResult]:
        """What became of each line, in their order; `about` is the one person of whom they may be.

        Raises ScannerError, VaultError, DatabaseError: the lines before that are entered.
        """
        async for line in lines:
            told, refusal = self._read(line, about)
            if told is not None:
                refusal = await self._enter(caller, line.number, told)
            reason, error = (refusal.reason, refusal.sentence) if refusal else (None, None)
            yield FeedResult(told.id if told else None, line.number, ok=refusal is None, reason=reason, error=error)

    def _read(self, line: Numbered, about: Ins | None) -> tuple[Dispensation | None, Refusal | None]:
        try:
            if line.data is None:
                raise MalformedRequestError("The line is too long.")
            told = read_dispensation(line.data, self._judging.now())
        except MalformedRequestError as error:
            return None, Refusal("malformed", error.sentence)
        except InvalidIdentifierError as error:
            return None, identifier(error)
        return (told, None) if about is None or told.ins == about.value else (None, SOMEBODY_ELSE)

    async def _enter(self, caller: Caller, number: int, told: Dispensation) -> Refusal | None:
        """None once it is there."""
        dossier = Ins.parse(told.ins).pseudonym(self._secret)
        actor = Actor(caller, Reference(SubjectType.ORGANIZATION.value, told.pharmacy), Context())
        particulars = Particulars(document_type=DISPENSATION)
        given = [Given(number, dossier, told)]
        arriving, refused = await self._feeding.arriving(actor, given, Action.DOCUMENT_DEPOSIT, particulars)
        allowed, refusals = await self._feeding.permitted(actor, arriving)
        if not allowed:
            return (refused | refusals)[number]
        there = await self._present(dossier, told)
        if there is not _ABSENT:
            await self._judging.record(caller, [each.entering for each in allowed])
            return there
        return await self._deposit(actor, dossier, told)

    async def _deposit(self, actor: Actor, dossier: UUID, told: Dispensation) -> Refusal | None:
        document = told.document(self._secret, dossier)
        metadata = Metadata(DISPENSATION, _TITLE, CONTENT_TYPE, told.handed_over)

        async def content() -> AsyncGenerator[bytes]:
            yield told.content

        try:
            await self._depositing(make_id=lambda: document).deposit(actor, dossier, metadata, content())
        except RefusedError as error:
            return Refusal(error.rule, REFUSED)
        except UnacceptableError as error:
            return Refusal(error.reason, error.sentence)
        except ConstraintError:  # somebody else told of it first
            return await self._present(dossier, told)
        return None

    async def _present(self, dossier: UUID, told: Dispensation) -> Refusal | None:
        """None if it is there word for word, _ABSENT if nothing is. Raises SealBrokenError."""
        document = told.document(self._secret, dossier)
        standing = await read_standing(self._database, dossier, document)
        if standing is None:
            return _ABSENT
        try:
            kept = await self._vault.find(dossier, document, standing.version.version)
        except NoContentError:
            return _DELETED
        return None if kept.sha256 == told.sha256 else CONFLICT
