"""Messages between professionals about a dossier: sealed under its key, and open to nobody but the two (RULES §7)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from api.errors import MalformedRequestError
from api.services.cursors import read_position, write_position
from api.services.judging import Actor, Judging, refusal
from api.services.references import of_document, of_dossier, of_message
from models.database import Database
from models.facts import Context, Message, Particulars, Professional, Question, Reference
from models.queries import Position, fetch_case
from models.queries.messages import InboxPosition, StoredMessage, add_message, find_message, list_inbox
from models.reference import profession
from models.vocabulary import Action, ProfessionKind, SubjectType
from vault.journal.entry import Value
from vault.journal.ledger import Ledger
from vault.keys import DossierKeys

_NO_MESSAGE = UUID(int=0)
_ABOUT_THE_ASKER = frozenset({"prohibited-party", "unknown-subject", "weak-authentication"})
"""What refuses these refuses every message alike."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent; `documents` are references into the same dossier, which open nothing by themselves."""

    addressee: str
    subject: str = field(repr=False)
    body: str = field(repr=False)
    documents: Sequence[UUID] = ()
    reply_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its sender or addressee reads it."""

    id: UUID
    dossier: UUID
    sender: str
    sent_at: datetime
    draft: Draft


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of an inbox, newest first; `next` is where the rest begins."""

    letters: Sequence[Letter]
    next: str | None


class MessageService:
    """The messages' use cases."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        ledger: Ledger,
        keys: DossierKeys,
        make_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._database = database
        self._judging = judging
        self._ledger = ledger
        self._keys = keys
        self._make_id = make_id

    async def send(self, actor: Actor, dossier: UUID, draft: Draft) -> UUID:
        """Send a message. Raises MalformedRequestError if the addressee is no health professional of the directory."""
        judgement = await self._judging.permit(actor, Action.MESSAGE_SEND, of_dossier(dossier))
        at = judgement.case.question.at
        await self._check(actor, dossier, draft, at)
        identity = self._make_id()
        written = {
            "subject": draft.subject,
            "body": draft.body,
            "documents": [str(document) for document in draft.documents],
        }
        async with self._database.begin() as connection:
            sealed = await self._keys.seal_text(
                connection, dossier, message_purpose(identity), json.dumps(written).encode()
            )
            message = Message(identity, actor.subject.id, draft.addressee)
            await add_message(connection, StoredMessage(dossier, message, at, draft.reply_to, sealed))
            change: dict[str, Value] = {
                "message": str(identity),
                "addressee": f"{SubjectType.PROFESSIONAL.value}/{draft.addressee}",
            }
            await self._ledger.append(connection, self._judging.entries(actor.caller, [judgement], change))
        return identity

    async def inbox(self, actor: Actor, after: str | None, limit: int) -> Inbox:
        """The messages to the subject that the rules let him read; one entry a dossier in the journal.

        What is refused is left out, as from any listing, so a page may be empty and another follow; but who may not
        ask at all (by a rule about the asker) is told so.
        """
        place = InboxPosition(*read_position(after)) if after else None
        at = self._judging.now()
        await self._judging.judge(actor.caller.client, _reading(actor, _NO_MESSAGE, at))
        found = await list_inbox(self._database, actor.subject.id, after=place, limit=limit + 1)
        questions = [_reading(actor, each.message.id, at) for each in found[:limit]]
        judged = await self._judging.judge_all(actor.caller.client, questions)
        await self._judging.record(actor.caller, judged)
        for judgement in judged:
            if judgement.decision.rule in _ABOUT_THE_ASKER:
                raise refusal(judgement)
        shown = [each for each, judgement in zip(found, judged, strict=False) if judgement.decision.allowed]
        last = found[limit - 1] if len(found) > limit else None
        following = write_position(Position(last.sent_at, last.message.id)) if last else None
        return Inbox([await self._opened(each) for each in shown], following)

    async def read(self, actor: Actor, identity: UUID) -> Letter | None:
        """One message; None if it went in this instant."""
        judgement = await self._judging.permit(actor, Action.MESSAGE_READ, of_message(identity))
        await self._judging.record(actor.caller, [judgement])
        dossier = judgement.case.dossier
        stored = await find_message(self._database, dossier.id, identity) if dossier else None
        return await self._opened(stored) if stored else None

    async def _check(self, actor: Actor, dossier: UUID, draft: Draft, at: datetime) -> None:
        """The addressee can receive it; what it refers to is of this dossier, and its sender may read it."""
        named = Reference(SubjectType.PROFESSIONAL.value, draft.addressee)
        about = of_dossier(dossier)
        case = await fetch_case(self._database, Question(named, Action.MESSAGE_SEND.value, about, at, Context()))
        known = profession(case.subject.profession) if isinstance(case.subject, Professional) else None
        if known is None or known.kind is not ProfessionKind.HEALTH:
            raise MalformedRequestError("The addressee is no health professional of the directory.")
        within = Particulars(dossier=str(dossier))
        asked = [
            Question(actor.subject, Action.DOCUMENT_READ.value, reference, at, actor.context, within)
            for reference in (of_document(each) for each in draft.documents)
        ]
        if draft.reply_to is not None:
            answered = _reading(actor, draft.reply_to, at)
            asked.append(replace(answered, particulars=within))
        judged = await self._judging.judge_all(actor.caller.client, asked)
        if not all(each.decision.allowed for each in judged):
            raise MalformedRequestError("A message refers to what its sender may read in the same dossier.")

    async def _opened(self, stored: StoredMessage) -> Letter:
        identity = stored.message.id
        opened = await self._keys.open_text(stored.dossier, stored.key, message_purpose(identity), stored.sealed)
        written = json.loads(opened)
        draft = Draft(
            stored.message.addressee,
            written["subject"],
            written["body"],
            tuple(UUID(each) for each in written["documents"]),
            stored.reply_to,
        )
        return Letter(identity, stored.dossier, stored.message.sender, stored.sent_at, draft)


def _reading(actor: Actor, message: UUID, at: datetime) -> Question:
    about = of_message(message)
    return Question(actor.subject, Action.MESSAGE_READ.value, about, at, actor.context)


def message_purpose(message: UUID) -> str:
    """What a message is sealed for."""
    return f"message/{message}"
