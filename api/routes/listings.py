"""The documents of a dossier: listed, narrowed, searched by the words of their titles."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.errors import MalformedRequestError
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call, read_json
from api.routes.documents import DepositController, view
from api.routes.documents_examples import PAGE
from api.routes.narrowing import wanted_of
from api.schemas import listings as wire
from api.schemas.documents import DocumentPage
from api.services.documents import DocumentService, Listing
from api.services.titles import TitleSearch

_encode = msgspec.json.Encoder().encode
_PARAMETERS = ("after", "author", "from", "limit", "order", "space", "to", "type")
_REPEATED = "type"

_INSTANT = "A day in France, `2026-10-01`, or an instant, `2026-10-01T08:00:00Z`; of `created_at`"
Types = Annotated[list[str] | None, QueryParameter(name="type", description="A document type; may be repeated.")]
AuthorText = Annotated[
    str | None,
    QueryParameter(description="`professional/` and an RPPS, `organization/` and a FINESS, `person/` and a pseudonym."),
]
Begin = Annotated[str | None, QueryParameter(name="from", description=f"{_INSTANT}, included.")]
End = Annotated[str | None, QueryParameter(name="to", description=f"{_INSTANT}: the day included, the instant not.")]
Order = Annotated[str | None, QueryParameter(description="`newest` first, which is the default, or `oldest`.")]


class DossierDocumentsController(DepositController):
    """What is in a dossier, and what enters it: the framework wants what answers at one address in one class."""

    @get(summary="List", documented=Documented("A page.", answer=DocumentPage, answer_examples={"page": PAGE}))
    async def page(  # noqa: PLR0913  # each is a parameter of the address
        self,
        request: Call,
        dossier: FromPath[UUID],
        *,
        space: FromQuery[str | None] = None,
        types: Types = None,
        author: AuthorText = None,
        begin: Begin = None,
        end: End = None,
        order: Order = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """What the subject may read, narrowed by all that is given, each line with what the subject may do.

        `after` is the `next` of an answer in the same order. Titles are searched by a POST, so that no log
        has the words.
        """
        _check_parameters(request)
        narrowing = wire.Narrowing(space=space, type=types or [], author=author, begin=begin, end=end, order=order)
        service: DocumentService = request.app.state["documents"]
        listing = await service.page(actor_of(request), dossier, wanted_of(narrowing), after, limit_of(limit))
        return _page(listing)

    @post(
        "/search",
        status_code=200,
        summary="Search in titles",
        documented=Documented(
            "A page, which may be empty and not the last.",
            body=wire.TitleSearching,
            answer=DocumentPage,
            body_examples={
                "words": {"title": "echographie cote gauche"},
                "narrowed": {"title": "ordonnance", "space": "treatments", "from": "2026-01-01", "order": "oldest"},
            },
            answer_examples={"page": PAGE},
        ),
    )
    async def search(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """What the subject may read of which the title has words that begin so; accents and case count for nothing.

        Titles are opened for one request only, and not all: with a `next`, go on, also from an empty page.
        """
        actor = actor_of(request)
        asked = await read_json(request, wire.TitleSearching)
        search: TitleSearch = request.app.state["title_search"]
        return _page(await search.page(actor, dossier, asked.title, wanted_of(asked), asked.after, asked.limit))


def _page(listing: Listing) -> ASGIApp:
    return JsonAnswer(_encode(DocumentPage([view(sheet) for sheet in listing.sheets], listing.next)))


def _check_parameters(request: Call) -> None:
    """What is misspelt would narrow nothing, and show more than was asked for."""
    given = [name for name, _ in request.query_params.multi_items()]
    if "title" in given:
        raise MalformedRequestError("Titles are searched by POST .../documents/search, so that no log has the words.")
    if unknown := set(given).difference(_PARAMETERS):
        msg = f"A listing has the parameters {', '.join(_PARAMETERS)}; {len(unknown)} given are none of these."
        raise MalformedRequestError(msg)
    if any(given.count(name) > 1 for name in _PARAMETERS if name != _REPEATED):
        raise MalformedRequestError("Of the parameters of a listing only type may stand twice.")
