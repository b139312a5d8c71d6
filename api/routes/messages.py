"""Messages between professionals."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.errors import MalformedRequestError
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call, read_json
from api.schemas import messages as wire
from api.services.letters import Letter, Written
from api.services.messages import Box, Draft, MessageService
from models.identifiers import parse_rpps
from models.vocabulary import Scope

_Value = TypeVar("_Value")

_encode = msgspec.json.Encoder().encode
_BOXES = {each.value: each for each in Box}
_BOOLEANS = {"true": True, "false": False}

_QUESTION, _REPLY, _DOCUMENT = (
    "7f0c1a52-93f4-4a0e-8f6e-2a4b8d1c5e60",
    "c2b9e6a4-1d75-4c1c-9c7d-8e0f3a6b7d21",
    "5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11",
)
_EXAMPLE_LINE = {
    "id": _REPLY,
    "dossier": "0b7d5b0e-6f5c-4f0b-9c43-1f6a8c1d2e3f",
    "sender": "10000000017",
    "to": "10000000033",
    "sent_at": "2026-10-01T08:00:00Z",
    "read_at": None,
    "subject": "Votre avis",
    "reply_to": _QUESTION,
    "thread": _QUESTION,
}
_EXAMPLE = _EXAMPLE_LINE | {
    "read_at": "2026-10-01T09:30:00Z",
    "body": "Voici le compte rendu.",
    "documents": [{"id": _DOCUMENT, "may": ["document:read"]}],
}


class MessagesController(Controller):
    """Sending, what was received and sent, reading, threads."""

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
            body_examples={
                "question": {"to": "10000000033", "subject": "Your opinion", "body": "What do you think?"},
                "reply": {
                    "to": "10000000033",
                    "subject": "Your opinion",
                    "body": "Here is the report.",
                    "documents": [_DOCUMENT],
                    "reply_to": _QUESTION,
                },
            },
            answer_examples={"sent": {"id": _REPLY}},
        ),
    )
    async def send(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """To any health professional of the directory but the sender; a reply goes to who wrote, or was written to.

        References to documents open nothing by themselves.
        """
        actor = actor_of(request)
        asked = await read_json(request, wire.MessageDraft)
        written = Written(asked.subject, asked.body, tuple(dict.fromkeys(asked.documents)))
        draft = Draft(parse_rpps(asked.to), written, asked.reply_to)
        return JsonAnswer(_encode(wire.MessageSent(await _service(request).send(actor, dossier, draft))), 201)

    @get(
        "/messages",
        summary="Inbox, or what was sent",
        documented=Documented(
            "A page, newest first.",
            answer=wire.MessagePage,
            answer_examples={"one": {"messages": [_EXAMPLE_LINE], "next": None}},
        ),
    )
    async def box(
        self,
        request: Call,
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
        box: FromQuery[str | None] = None,
        unread: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """The messages to the subject (`box=inbox`) or from him (`box=sent`), without their bodies, at most 50 at once.

        With `unread=true` those alone that their addressee has not read. What is listed is not read by that.
        """
        actor, only_unread = actor_of(request), unread is not None and _word(unread, _BOOLEANS, "unread")
        asked = Box.INBOX if box is None else _word(box, _BOXES, "box")
        pile = await _service(request).box(actor, asked, after, limit_of(limit), unread=only_unread)
        return JsonAnswer(_encode(wire.MessagePage([_line(letter) for letter in pile.letters], pile.next)))

    @get(
        "/messages/{message:uuid}",
        summary="Message",
        documented=Documented("It.", answer=wire.MessageView, answer_examples={"reply": _EXAMPLE}),
    )
    async def read(self, request: Call, message: FromPath[UUID]) -> ASGIApp:
        """One message, for its sender and its addressee."""
        return JsonAnswer(_encode(_view(await _service(request).read(actor_of(request), message))))

    @get(
        "/messages/{message:uuid}/thread",
        summary="Thread",
        documented=Documented(
            "A page, oldest first.",
            answer=wire.MessageThread,
            answer_examples={"one": {"messages": [_EXAMPLE], "next": None}},
        ),
    )
    async def thread(
        self,
        request: Call,
        message: FromPath[UUID],
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """The message that began it and all that followed, whole, at most 50 at once: what the subject may read."""
        pile = await _service(request).thread(actor_of(request), message, after, limit_of(limit))
        return JsonAnswer(_encode(wire.MessageThread([_view(letter) for letter in pile.letters], pile.next)))


def _service(request: Call) -> MessageService:
    service: MessageService = request.app.state["messages"]
    return service


def _word(text: str, words: Mapping[str, _Value], name: str) -> _Value:
    if text not in words:
        msg = f"The parameter {name} is {' or '.join(words)}."
        raise MalformedRequestError(msg)
    return words[text]


def _line(letter: Letter) -> wire.MessageLine:
    stored = letter.stored
    return wire.MessageLine(
        stored.message.id,
        stored.dossier,
        stored.message.sender,
        stored.message.addressee,
        stored.sent_at,
        stored.read_at,
        letter.written.subject if letter.written else None,
        stored.reply_to,
        letter.thread,
    )


def _view(letter: Letter) -> wire.MessageView:
    return wire.MessageView(
        **msgspec.structs.asdict(_line(letter)),
        body=letter.written.body if letter.written else None,
        documents=[
            wire.ReferredDocument(each.document, [action.value for action in each.may]) for each in letter.references
        ],
    )
