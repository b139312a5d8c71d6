"""Documents: deposit, listing, content, visibility, contest."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NoReturn
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer, NoContent, Streamed, while_listening
from api.authors import author_of
from api.errors import MalformedRequestError
from api.instants import in_utc
from api.multipart import DepositBody
from api.openapi import DONE, Documented
from api.ranges import matches, span_of
from api.requests import Call, read_json
from api.routes.documents_examples import VERSIONS
from api.schemas import documents as wire
from api.schemas.listings import DocumentVersions
from api.services.deposits import Deposits, Metadata
from api.services.document_changes import DocumentChanges
from api.services.documents import DocumentService, Sheet
from api.services.judging import Actor, Judgement
from api.services.versions import Versions
from api.strict_json import decode
from models.reference import DOCUMENT_TYPES
from models.vocabulary import DocumentStatus, Scope
from vault.documents import Reading
from vault.errors import SealBrokenError

_encode = msgspec.json.Encoder().encode


class DepositController(Controller):
    """What enters a dossier."""

    path = "/v1/dossiers/{dossier:uuid}/documents"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Documents"]  # noqa: RUF012 - likewise

    @post(
        status_code=201,
        summary="Deposit",
        documented=Documented("What was kept.", answer=wire.DepositReceipt, status=201),
    )
    async def deposit(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """Multipart: a part `metadata` (JSON), then a part `content`, streamed, up to 5 GiB as its type allows.

        The content is held to its type while it arrives. With `replaces`, the next version of that document.
        `Idempotency-Key` makes a retry safe.
        """
        actor, key = actor_of(request), request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= wire.MAX_KEY_CHARACTERS:
            msg = f"The header Idempotency-Key has 1 to {wire.MAX_KEY_CHARACTERS} characters."
            raise MalformedRequestError(msg)
        body = DepositBody(request)
        metadata = metadata_of(decode(await body.metadata(), wire.DocumentMetadata))
        async with aclosing(body.content()) as content:
            receipt = await _deposits(request).deposit(actor, dossier, metadata, content, key)
        answer = wire.DepositReceipt(receipt.id, receipt.version, receipt.size, receipt.sha256)
        return JsonAnswer(_encode(answer), 201)


class DocumentsController(Controller):
    """One document."""

    path = "/v1/documents/{document:uuid}"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Documents"]  # noqa: RUF012 - likewise

    @get(summary="Metadata", documented=Documented("The document, content apart.", answer=wire.DocumentView))
    async def sheet(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """What is known of a document, and what the subject may do with it."""
        return JsonAnswer(_encode(view(await _service(request).sheet(actor_of(request), document))))

    @get("/content", summary="Content")
    async def content(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """The content, or a `Range` of it; up to 4 MiB are verified whole before the first byte leaves."""
        actor, service = actor_of(request), _service(request)
        judgement, kept = await service.kept(actor, document)
        etag = f'"{document}.{kept.version}"'
        headers = request.headers
        common = (
            (b"etag", etag.encode("ascii")),
            (b"accept-ranges", b"bytes"),
            (b"content-type", kept.content_type.encode("ascii")),
            (b"content-disposition", b"attachment"),
        )
        if matches(headers.get("if-none-match"), etag):
            return Streamed(304, common[:2], _nothing())
        condition = headers.get("if-range")
        span = span_of(headers.get("range"), kept.size) if condition in {None, etag} else None
        start, stop = span or (0, kept.size)
        reading = await service.read(actor, judgement, kept, (start, stop))
        length = (b"content-length", b"%d" % (stop - start))
        pieces = while_listening(request.receive, _pieces(service, actor, judgement, reading))
        if span is None:
            return Streamed(200, (*common, length), pieces)
        return Streamed(
            206, (*common, length, (b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, kept.size))), pieces
        )

    @get(
        "/versions",
        summary="Versions",
        documented=Documented(
            "The versions that may be read, the latest first.",
            answer=DocumentVersions,
            answer_examples={"replaced": VERSIONS},
        ),
    )
    async def versions(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """What the document was before, and has become since: each version with what the subject may do with it."""
        service: Versions = request.app.state["versions"]
        shown = await service.of(actor_of(request), document)
        return JsonAnswer(_encode(DocumentVersions([view(sheet) for sheet in shown])))

    @patch(
        summary="Mask, reveal, archive",
        documented=Documented(
            "Done.",
            body=wire.DocumentChange,
            status=204,
            body_examples={
                "mask": {"masked": True},
                "unmask": {"masked": False},
                "reveal": {"withheld": False},
                "archive": {"status": "archived"},
                "restore": {"status": "current"},
            },
        ),
    )
    async def change(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """One of `masked`, `withheld` (false), `status` (`archived` or `current`)."""
        actor, changes = actor_of(request), _changes(request)
        match await read_json(request, wire.DocumentChange):
            case wire.DocumentChange(masked=bool(masked), withheld=msgspec.UNSET, status=msgspec.UNSET):
                await changes.mask(actor, document, masked=masked)
            case wire.DocumentChange(masked=msgspec.UNSET, withheld=False, status=msgspec.UNSET):
                await changes.reveal(actor, document)
            case wire.DocumentChange(masked=msgspec.UNSET, withheld=msgspec.UNSET, status=str(status)):
                await changes.set_status(actor, document, DocumentStatus(status))
            case _:
                _refuse_change()
        return NoContent()

    @post(
        "/contest",
        summary="Contest",
        documented=Documented(
            "Done.", body=wire.Contesting, status=204, body_examples={"wrong": {"reason": "Wrong side."}}
        ),
    )
    async def contest(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """The patient says that a document is wrong; it stays readable and says that it is contested."""
        actor = actor_of(request)
        asked = await read_json(request, wire.Contesting)
        await _changes(request).contest(actor, document, asked.reason)
        return NoContent()

    @put(
        "/contest",
        summary="Answer a contest",
        documented=Documented(
            "Done.", body=wire.Keeping, status=204, body_examples={"kept": {"kept": True, "reason": "Checked again."}}
        ),
    )
    async def answer_contest(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """The author keeps a contested document, with a reason; to correct it, he deposits its next version."""
        actor = actor_of(request)
        asked = await read_json(request, wire.Keeping)
        if not asked.kept:
            raise MalformedRequestError("The member kept must be true; to correct a document, replace it.")
        await _changes(request).answer_contest(actor, document, asked.reason)
        return NoContent()

    @delete(status_code=200, summary="Delete", documented=DONE)
    async def delete(self, request: Call, document: FromPath[UUID]) -> ASGIApp:
        """Deleted for all; its key is destroyed at once."""
        await _changes(request).delete(actor_of(request), document)
        return NoContent()


async def _pieces(
    service: DocumentService, actor: Actor, judgement: Judgement, reading: Reading
) -> AsyncGenerator[bytes]:
    """The verified pieces; if one does not open, the journal says so and the answer ends short."""
    async with aclosing(reading.stream) as stream:
        try:
            async for piece in stream:
                yield piece
        except SealBrokenError:
            await service.write_down_broken(actor, judgement)
            raise


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield


def _refuse_change() -> NoReturn:
    raise MalformedRequestError("The body has one member: masked, withheld (which must be false) or status.")


def _deposits(request: Call) -> Deposits:
    deposits: Deposits = request.app.state["deposits"]
    return deposits


def _changes(request: Call) -> DocumentChanges:
    changes: DocumentChanges = request.app.state["document_changes"]
    return changes


def _service(request: Call) -> DocumentService:
    service: DocumentService = request.app.state["documents"]
    return service


def metadata_of(given: wire.DocumentMetadata) -> Metadata:
    """What a depositor says, held to the reference tables. Raises MalformedRequestError, InvalidIdentifierError."""
    if given.document_type not in DOCUMENT_TYPES:
        raise MalformedRequestError("The member document_type is not one of the DMP's document types.")
    author = given.author
    return Metadata(
        document_type=given.document_type,
        title=given.title,
        content_type=given.content_type,
        created_at=in_utc(given.created_at),
        masked=given.masked,
        withheld=given.withheld,
        hidden_from_representatives=given.hidden_from_representatives,
        replaces=given.replaces,
        author=None if author is None else author_of(author.type, author.id),
    )


def view(sheet: Sheet) -> wire.DocumentView:
    """A document as it travels."""
    about, kept, contest = sheet.document, sheet.kept, sheet.contest
    return wire.DocumentView(
        id=about.id,
        dossier=sheet.dossier,
        series=sheet.standing.version.series,
        version=sheet.standing.version.version,
        document_type=about.document_type,
        space=DOCUMENT_TYPES[about.document_type].space.value,
        author=wire.Author(about.author.type, about.author.id),  # type: ignore[arg-type]  # stored by us, one of the three
        created_at=about.created_at,
        status=about.status.value,
        masked=about.masked,
        withheld=sheet.withheld,
        hidden_from_representatives=about.hidden_from_representatives,
        may=[action.value for action in sheet.may],
        obligations=[obligation.value for obligation in sheet.decision.obligations],
        has_content=kept is not None,
        title=kept.title if kept else "",
        content_type=kept.content_type if kept else "",
        size=kept.size if kept else None,
        deposited_at=kept.deposited_at if kept else None,
        contested=None
        if contest is None
        else wire.ContestView(contest.reason, contest.at, contest.kept, contest.answer, contest.answered_at),
        in_force=sheet.in_force,
    )
