"""The trace: who did what, and the proof that it was written."""

from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.errors import MalformedRequestError, NotFoundError
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call
from api.schemas import journal as wire
from api.services.journal import JournalService, Trace
from models.facts import Reference
from models.vocabulary import Scope
from vault.journal.entry import Item, Line
from vault.journal.fhir import audit_event

_encode = msgspec.json.Encoder().encode
_FHIR = "application/fhir+json"


class JournalController(Controller):
    """A dossier's journal."""

    path = "/v1/dossiers/{dossier:uuid}/journal"
    opt = {"scope": Scope.JOURNAL}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Journal"]  # noqa: RUF012 - likewise

    @get(summary="Read", documented=Documented("A page, newest first.", answer=wire.JournalPage))
    async def page(
        self,
        request: Call,
        dossier: FromPath[UUID],
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """The journal; FHIR R4 `AuditEvent` in a searchset with `Accept: application/fhir+json`."""
        begin = None if after is None else _sequence(after)
        trace = await _service(request).page(actor_of(request), dossier, begin, limit_of(limit))
        if _FHIR in request.headers.get("accept", ""):
            return JsonAnswer(_encode(_bundle(trace)), content_type=_FHIR.encode("ascii"))
        return JsonAnswer(_encode(wire.JournalPage([_view(line) for line in trace.lines], trace.next)))

    @get("/{entry:int}/proof", summary="Prove")
    async def proof(self, request: Call, dossier: FromPath[UUID], entry: FromPath[int]) -> ASGIApp:
        """What an offline verifier needs: the entry's bytes, the path to the root, the signed checkpoint."""
        proof = await _service(request).proof(actor_of(request), dossier, entry)
        if proof is None:
            raise NotFoundError
        return JsonAnswer(proof.encode())


def _service(request: Call) -> JournalService:
    service: JournalService = request.app.state["journal"]
    return service


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("999999999999999999")):
        raise MalformedRequestError("The parameter after is the number of an entry, as an answer's `next` gives it.")
    return int(text)


def _bundle(trace: Trace) -> dict[str, object]:
    entries = [{"resource": audit_event(line.entry)} for line in trace.lines]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def _view(line: Line) -> wire.JournalEntry:
    entry = line.entry
    return wire.JournalEntry(
        entry=line.sequence,
        at=entry.at,
        subject=_reference(entry.subject),
        organization=entry.organization,
        action=entry.action,
        resource=_reference(entry.resource),
        mode=entry.mode,
        reason=entry.reason,
        patient_present=entry.patient_present,
        decision=entry.allowed,
        rule=entry.rule,
        obligations=list(entry.obligations),
        change=dict(entry.change),
        items=[_item(item) for item in entry.items],
        client=entry.client,
        request_id=entry.request_id,
        revision=entry.revision,
    )


def _item(item: Item) -> wire.JournalItem:
    return wire.JournalItem(item.action, _reference(item.resource), item.allowed, item.rule)


def _reference(reference: Reference) -> wire.Named:
    return wire.Named(reference.type, reference.id)
