"""What travels about messages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct


class MessageDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent; `documents` are of the same dossier, and `reply_to` is a message of it."""

    to: str
    subject: Annotated[str, Meta(min_length=1, max_length=300)]
    body: Annotated[str, Meta(min_length=1, max_length=100_000)]
    documents: Annotated[list[UUID], Meta(max_length=50)] = []
    reply_to: UUID | None = None


class MessageSent(Struct, frozen=True):
    id: UUID


class ReferredDocument(Struct, frozen=True):
    """A document that the reader of a message may read now; `may` lists what he may do with it."""

    id: UUID
    may: list[str]


class MessageLine(Struct, frozen=True):
    """A message in a box, unopened.

    `thread` is the message that began the thread; `read_at` is when the addressee first read it, null before;
    `subject` is null where what is stored does not open.
    """

    id: UUID
    dossier: UUID
    sender: str
    to: str
    sent_at: datetime
    read_at: datetime | None
    subject: str | None
    reply_to: UUID | None
    thread: UUID


class MessageView(MessageLine, frozen=True):
    """A message that is read; `documents` are those that its reader may read now of what it refers to."""

    body: str | None
    documents: list[ReferredDocument]


class MessagePage(Struct, frozen=True):
    """Messages, newest first; `next` is given back as `after`."""

    messages: list[MessageLine]
    next: str | None


class MessageThread(Struct, frozen=True):
    """Messages, oldest first; `next` is given back as `after`."""

    messages: list[MessageView]
    next: str | None
