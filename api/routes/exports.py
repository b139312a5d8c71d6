"""The copy of a record."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer, Streamed, begun
from api.openapi import Documented
from api.requests import Call
from api.schemas import exports as wire
from api.services.exports import ExportService
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_HEADERS = (
    (b"content-type", b"application/zip"),
    (b"content-disposition", b'attachment; filename="dmp.zip"'),
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

    @get("/{export:str}", summary="Fetch a copy")
    async def fetch(self, request: Call, dossier: FromPath[UUID], export: FromPath[str]) -> ASGIApp:
        """A ZIP archive, made while it is sent.

        `documents/<space>/`, `manifest.json` (what is known of each document), `journal.jsonl` (the canonical bytes of
        each entry, newest first), `SHA256SUMS`. An archive that was cut short lacks its directory, and does not open.
        """
        archive = await _service(request).fetch(actor_of(request), dossier, export)
        return Streamed(200, _HEADERS, await begun(archive))


def _service(request: Call) -> ExportService:
    service: ExportService = request.app.state["exports"]
    return service
