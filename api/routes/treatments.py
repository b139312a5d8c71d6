"""The treatments of a dossier in one line of time: a view computed from its documents."""

from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call
from api.routes.documents import view
from api.schemas import treatments as wire
from api.services.documents import DocumentService, Sheet
from api.services.treatments import KINDS, treatments
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_DOSSIER, _DOCUMENT = "0b7d5b0e-6f5c-4f0b-9c43-1f6a8c1d2e3f", "5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11"
_EXAMPLE_LINE = {
    "at": "2026-10-01T08:00:00Z",
    "kind": "dispensation",
    "document": {
        "id": _DOCUMENT,
        "dossier": _DOSSIER,
        "series": _DOCUMENT,
        "version": 1,
        "document_type": "60593-1",
        "space": "treatments",
        "author": {"type": "organization", "id": "750000010"},
        "created_at": "2026-10-01T08:00:00Z",
        "status": "current",
        "masked": False,
        "withheld": False,
        "hidden_from_representatives": False,
        "may": ["document:read"],
        "obligations": ["write_down"],
        "has_content": True,
        "title": "Dispensation",
        "content_type": "application/pdf",
        "size": 20480,
        "deposited_at": "2026-10-01T08:01:00Z",
    },
}


class TreatmentsController(Controller):
    """What a dossier says of treatments."""

    path = "/v1/dossiers/{dossier:uuid}"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Views"]  # noqa: RUF012 - likewise

    @get(
        "/treatments",
        summary="Treatments",
        documented=Documented(
            "A page, newest first.",
            answer=wire.TreatmentPage,
            answer_examples={"one": {"lines": [_EXAMPLE_LINE], "next": None}},
        ),
    )
    async def treatments(
        self,
        request: Call,
        dossier: FromPath[UUID],
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """Prescriptions, dispensations, care plans, administered and reimbursed treatments that the subject may read.

        Documents stand for themselves, in their current version.
        """
        service: DocumentService = request.app.state["documents"]
        listing = await treatments(service, actor_of(request), dossier, after, limit_of(limit))
        return JsonAnswer(_encode(wire.TreatmentPage([_line(sheet) for sheet in listing.sheets], listing.next)))


def _line(sheet: Sheet) -> wire.TreatmentLine:
    return wire.TreatmentLine(sheet.document.created_at, KINDS[sheet.document.document_type].value, view(sheet))
