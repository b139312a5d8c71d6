"""The trace: who did what, and the proof that it was written."""

from urllib.parse import urlencode
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
from api.routes.journal_examples import EXAMPLES
from api.schemas import journal as wire
from api.services.journal import JournalService
from models.facts import Reference
from models.vocabulary import Scope
from vault.journal.entry import Entry, Item
from vault.journal.searchset import searchset
from vault.journal.sentences import Words, sentence

_encode = msgspec.json.Encoder().encode
_JSON, _FHIR = "application/json", "application/fhir+json"
_VARY = ((b"vary", b"accept"),)


class JournalController(Controller):
    """A dossier's journal."""

    path = "/v1/dossiers/{dossier:uuid}/journal"
    opt = {"scope": Scope.JOURNAL}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Journal"]  # noqa: RUF012 - likewise

    @get(
        summary="Read",
        documented=Documented("A page, newest first.", answer=wire.JournalPage, answer_examples=EXAMPLES),
    )
    async def page(
        self,
        request: Call,
        dossier: FromPath[UUID],
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """The journal; with `Accept: application/fhir+json`, FHIR R4 `AuditEvent`s after IHE BALP in a searchset."""
        begin, most = None if after is None else _sequence(after), limit_of(limit)
        trace = await _service(request).page(actor_of(request), dossier, begin, most)
        if request.accept.best_match([_JSON, _FHIR]) == _FHIR:
            bundle = searchset(trace.entries, _links(request, trace.next))
            return JsonAnswer(_encode(bundle), headers=_VARY, content_type=_FHIR.encode("ascii"))
        entries = [_view(number, entry, sentence(entry, trace.reasons)) for number, entry in trace.entries]
        return JsonAnswer(_encode(wire.JournalPage(entries, trace.next)), headers=_VARY)

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


def _links(request: Call, following: int | None) -> dict[str, str]:
    """Addresses relative to this host, which callers may know by another name than it does."""
    url = request.url
    links = {"self": f"{url.path}?{url.query}" if url.query else url.path}
    if following is not None:
        links["next"] = f"{url.path}?{urlencode(request.query_params.dict() | {'after': following}, doseq=True)}"
    return links


def _view(number: int, entry: Entry, text: Words) -> wire.JournalEntry:
    return wire.JournalEntry(
        entry=number,
        text=wire.Text(text.fr, text.en),
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
