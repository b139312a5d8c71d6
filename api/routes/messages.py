"""Messages between professionals."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.errors import RefusedError
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call, read_json
from api.schemas import documents as wire
from api.services.messages import Draft, Letter, MessageService
from models.identifiers import parse_rpps
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode


class MessagesController(Controller):
    """Sending, the inbox, reading."""

    path = "/v1"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Messages"]  # noqa: RUF012 - likewise

    @post(
        "/dossiers/{dossier:uuid}/messages",
        status_code=201,
        summary="Send",
        documented=Documented(
            "The message's id.",
            body=wire.MessageDraft,
            answer=wire.MessageSent,
            status=201,
            body_examples={"question": {"to": "10000000033", "subject": "Your opinion", "body": "What do you think?"}},
        ),
    )
    async def send(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """To any health professional of the directory; references to documents open nothing by themselves."""
        actor = actor_of(request)
        asked = await read_json(request, wire.MessageDraft)
        draft = Draft(parse_rpps(asked.to), asked.subject, asked.body, tuple(asked.documents), asked.reply_to)
        return JsonAnswer(_encode(wire.MessageSent(await _service(request).send(actor, dossier, draft))), 201)

    @get("/messages", summary="Inbox", documented=Documented("A page, newest first.", answer=wire.MessagePage))
    async def inbox(
        self, request: Call, after: FromQuery[str | None] = None, limit: FromQuery[str | None] = None
    ) -> ASGIApp:
        """The messages to the subject."""
        inbox = await _service(request).inbox(actor_of(request), after, limit_of(limit))
        return JsonAnswer(_encode(wire.MessagePage([_view(letter) for letter in inbox.letters], inbox.next)))

    @get("/messages/{message:uuid}", summary="Message", documented=Documented("It.", answer=wire.MessageView))
    async def read(self, request: Call, message: FromPath[UUID]) -> ASGIApp:
        """One message, for its sender and its addressee."""
        letter = await _service(request).read(actor_of(request), message)
        if letter is None:
            raise RefusedError("no-message")
        return JsonAnswer(_encode(_view(letter)))


def _service(request: Call) -> MessageService:
    service: MessageService = request.app.state["messages"]
    return service


def _view(letter: Letter) -> wire.MessageView:
    draft = letter.draft
    return wire.MessageView(
        letter.id,
        letter.dossier,
        letter.sender,
        draft.addressee,
        letter.sent_at,
        draft.subject,
        draft.body,
        list(draft.documents),
        draft.reply_to,
    )
