"""The copy of a record."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer, Streamed, begun, while_listening
from api.openapi import Documented
from api.ranges import span_of
from api.requests import Call
from api.schemas import exports as wire
from api.services.exports import ExportService
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_HEADERS = (
    (b"content-type", b"application/zip"),
    (b"content-disposition", b'attachment; filename="dmp.zip"'),
    (b"accept-ranges", b"bytes"),
)


class ExportsController(Controller):
    """One archive of everything that the subject may read."""

    path = "/v1/dossiers/{dossier:uuid}/exports"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Exports"]  # noqa: RUF012 - likewise

    @post(
        status_code=201,
        summary="Ask for a copy",
        documented=Documented(
            "Where it is fetched.",
            answer=wire.ExportTicket,
            status=201,
            answer_examples={"ticket": {"id": "AQIDBAUGBwgJCgsMDQ4PEA", "expires_at": "2026-10-02T08:00:00Z"}},
        ),
    )
    async def ask(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """The id of a copy, for the same subject, for a day. It holds no right: fetching is decided again."""
        ticket = await _service(request).ask(actor_of(request), dossier)
        return JsonAnswer(_encode(wire.ExportTicket(ticket.id, ticket.expires_at)), 201)

    @get("/{export:str}", summary="Fetch a copy", documented=Documented("The archive.", media_type="application/zip"))
    async def fetch(self, request: Call, dossier: FromPath[UUID], export: FromPath[str]) -> ASGIApp:
        """A ZIP archive, made while it is sent: documents by space, a page and a print of them, the journal and proofs.

        What was broken off goes on with `Range` and, in `If-Range`, the `ETag` of what is at hand: for as long as the
        same may be read, these are the same bytes; else, and without `If-Range`, the whole archive is sent again. Each
        answer is decided and journaled anew. An archive that was cut short does not open.
        """
        copy = await _service(request).fetch(actor_of(request), dossier, export)
        etag, headers = f'"{copy.digest}"', request.headers
        span = span_of(headers.get("range"), copy.size) if headers.get("if-range") == etag else None
        start, stop = span or (0, copy.size)
        made = copy.pieces(start, stop)
        if start == 0:
            made = await begun(made)  # else what lies before may take a while, and the caller hears that it is coming
        pieces = while_listening(request.receive, made)
        common = (*_HEADERS, (b"etag", etag.encode("ascii")), (b"content-length", b"%d" % (stop - start)))
        if span is None:
            return Streamed(200, common, pieces)
        return Streamed(206, (*common, (b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, copy.size))), pieces)


def _service(request: Call) -> ExportService:
    service: ExportService = request.app.state["exports"]
    return service
