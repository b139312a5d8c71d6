"""What is written in a message: how it is sealed and opened, and what it refers to."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.services.judging import Actor, Judging
from api.services.readable import permitted_actions
from api.services.references import of_document
from models.facts import Particulars, Question
from models.queries.messages import StoredMessage
from models.vocabulary import Action
from vault.keys import DossierKeys


@dataclass(frozen=True, slots=True)
class Written:
    """A message's subject and body; `documents` are references into its dossier, which open nothing by themselves."""

    subject: str = field(repr=False)
    body: str = field(repr=False)
    documents: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Referred:
    """A document that a message refers to and that its reader may read now, with all that he may do with it."""

    document: UUID
    may: Sequence[Action]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its sender or addressee sees it; `written` is None where what is stored does not open."""

    stored: StoredMessage
    written: Written | None
    references: Sequence[Referred] = ()

    @property
    def thread(self) -> UUID:
        """The message that began the thread, which is this one if it answers none."""
        return self.stored.thread or self.stored.message.id

    @property
    def documents(self) -> Sequence[UUID]:
        """What its sender referred to, whoever may read it."""
        return self.written.documents if self.written else ()


async def seal(keys: DossierKeys, connection: AsyncConnection, dossier: UUID, message: UUID, written: Written) -> bytes:
    """What is written, as the database keeps it, to be stored in this transaction."""
    told = {
        "subject": written.subject,
        "body": written.body,
        "documents": [str(document) for document in written.documents],
    }
    return await keys.seal_text(connection, dossier, message_purpose(message), json.dumps(told).encode())


async def unseal(keys: DossierKeys, stored: StoredMessage) -> Written:
    """What is written in a message. Raises NoContentError if its dossier has no key any more, SealBrokenError."""
    purpose = message_purpose(stored.message.id)
    told = json.loads(await keys.open_text(stored.dossier, stored.key, purpose, stored.sealed))
    return Written(told["subject"], told["body"], tuple(UUID(each) for each in told["documents"]))


def readings(actor: Actor, dossier: UUID, documents: Iterable[UUID], at: datetime) -> list[Question]:
    """Whether documents may be read, each if it is in this dossier."""
    within = Particulars(dossier=str(dossier))
    return [
        Question(actor.subject, Action.DOCUMENT_READ.value, of_document(each), at, actor.context, within)
        for each in documents
    ]


async def referred(
    judging: Judging, actor: Actor, dossier: UUID, documents: Iterable[UUID], at: datetime
) -> dict[UUID, Referred]:
    """Those documents that the reader may read now.

    The others are left out, as from any listing, and nobody is told how many they were: that a message refers to a
    document says that there is one, and a mask masks that it masks. Nothing of a document is shown but what its reader
    may do with it, so nothing is journaled: it is a question, as a search is (RULES §4.3).
    """
    asked = list(dict.fromkeys(documents))
    judged = await judging.judge_all(actor.caller.client, readings(actor, dossier, asked, at))
    return {
        document: Referred(document, permitted_actions(judging, actor.caller.client, judgement))
        for document, judgement in zip(asked, judged, strict=True)
        if judgement.decision.allowed
    }


def message_purpose(message: UUID) -> str:
    """What a message is sealed for."""
    return f"message/{message}"
