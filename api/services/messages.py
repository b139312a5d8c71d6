"""Messages between professionals about a dossier: sealed under its key, and open to nobody but the two (RULES §7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import MalformedRequestError, RefusedError
from api.services.cursors import read_position, write_position
from api.services.judging import Actor, Judgement, Judging, refusal
from api.services.letters import Letter, Written, readings, referred, seal, unseal
from api.services.references import of_dossier, of_message
from models.database import Database
from models.facts import Context, Message, Particulars, Professional, Question, Reference
from models.queries import Position, fetch_case
from models.queries.dossiers import hold_dossier
from models.queries.messages import (
    MessagePosition,
    StoredMessage,
    add_message,
    find_message,
    list_inbox,
    list_sent,
    list_thread,
    mark_read,
)
from models.reference import profession
from models.vocabulary import Action, ProfessionKind, SubjectType
from vault.errors import NoContentError, SealBrokenError
from vault.journal.entry import Value
from vault.journal.ledger import Ledger
from vault.keys import DossierKeys

_NO_MESSAGE = UUID(int=0)
_ABOUT_THE_ASKER = frozenset({"prohibited-party", "unknown-subject", "weak-authentication"})
"""What refuses these refuses every message alike."""

_LONGEST_PAGE = 50
"""Messages shown at once: each may be as long as a message may be, and refer to as many documents."""

_OUT_OF_REACH = "A message refers to what its sender may read in the same dossier."


class Box(StrEnum):
    """What a professional received, or sent."""

    INBOX = "inbox"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent."""

    addressee: str
    written: Written
    reply_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Pile:
    """A page of messages; `next` is where the rest begins."""

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
        """Send a message; a reply goes on with the thread of what it answers.

        Raises MalformedRequestError if it cannot go to this addressee, or refers to what its sender may not read.
        """
        judgement = await self._judging.permit(actor, Action.MESSAGE_SEND, of_dossier(dossier))
        at = judgement.case.question.at
        await self._check_addressee(actor, dossier, draft.addressee, at)
        await self._check_references(actor, dossier, draft, at)
        thread = None if draft.reply_to is None else await self._thread_of(dossier, draft.reply_to, draft.addressee)
        message = Message(self._make_id(), actor.subject.id, draft.addressee)

        async def store(connection: AsyncConnection) -> Mapping[str, Value]:
            await hold_dossier(connection, dossier)  # before its key, as whoever erases both
            sealed = await seal(self._keys, connection, dossier, message.id, draft.written)
            await add_message(connection, StoredMessage(dossier, message, at, draft.reply_to, sealed, thread))
            return {
                "message": str(message.id),
                "addressee": f"{SubjectType.PROFESSIONAL.value}/{draft.addressee}",
            }

        await self._judging.carry_out(actor, judgement, store)
        return message.id

    async def box(self, actor: Actor, box: Box, after: str | None, limit: int, *, unread: bool = False) -> Pile:
        """What the subject received or sent, newest first, as far as the rules let him read it.

        One entry a dossier in the journal. What is refused is left out, as from any listing, so a page may be empty and
        another follow; but who may not ask at all (by a rule about the asker) is told so.
        """
        at, limit = self._judging.now(), min(limit, _LONGEST_PAGE)
        await self._judging.judge(actor.caller.client, _reading(actor, _NO_MESSAGE, at))
        listed = list_inbox if box is Box.INBOX else list_sent
        found = await listed(self._database, actor.subject.id, after=_place(after), limit=limit + 1, unread=unread)
        page = found[:limit]
        judged = await self._judged(actor, page, at)
        letters = [
            await self._opened(stored) if judgement.decision.allowed else None
            for stored, judgement in zip(page, judged, strict=True)
        ]
        await self._judging.record(actor.caller, [_as_read(*each) for each in zip(judged, letters, strict=True)])
        for judgement in judged:
            if judgement.decision.rule in _ABOUT_THE_ASKER:
                raise refusal(judgement)
        return Pile([letter for letter in letters if letter is not None], _next(found, limit))

    async def read(self, actor: Actor, identity: UUID) -> Letter:
        """One message. Raises SealBrokenError if what is stored does not open."""
        judgement = await self._judging.permit(actor, Action.MESSAGE_READ, of_message(identity))
        stored = await self._found(actor, judgement, identity)
        (letter,) = await self._shown(actor, judgement, [(stored, judgement)])
        if letter.written is None:
            raise SealBrokenError
        return letter

    async def thread(self, actor: Actor, identity: UUID, after: str | None, limit: int) -> Pile:
        """The thread of a message, oldest first, as far as the subject may read it."""
        asked = await self._judging.permit(actor, Action.MESSAGE_READ, of_message(identity))
        stored = await self._found(actor, asked, identity)
        first, limit = stored.thread or identity, min(limit, _LONGEST_PAGE)
        found = await list_thread(self._database, stored.dossier, first, after=_place(after), limit=limit + 1)
        page = found[:limit]
        judged = await self._judged(actor, page, asked.case.question.at)
        shown = [each for each in zip(page, judged, strict=True) if each[1].decision.allowed]
        return Pile(await self._shown(actor, asked, shown), _next(found, limit))

    async def _shown(
        self, actor: Actor, asked: Judgement, shown: Sequence[tuple[StoredMessage, Judgement]]
    ) -> list[Letter]:
        """Messages of one dossier as they are read, with what they refer to; the journal names them and what was asked.

        That their addressee has now read them is written with the journal's entry.
        """
        letters = [await self._opened(stored) for stored, _ in shown]
        told = [_as_read(each, letter) for (_, each), letter in zip(shown, letters, strict=True)]
        if all(each.case.question.resource != asked.case.question.resource for each in told):
            told = [asked, *told]
        at = asked.case.question.at
        letters = [_read_now(actor, letter, at) for letter in letters]
        fresh = [each.stored for each, (before, _) in zip(letters, shown, strict=True) if each.stored is not before]
        await self._write_down(actor, told, fresh, at)
        return await self._with_references(actor, letters, at)

    async def _write_down(
        self, actor: Actor, told: Sequence[Judgement], fresh: Sequence[StoredMessage], at: datetime
    ) -> None:
        """The journal's entries, and that these messages of one dossier are read for the first time."""
        if not fresh:
            await self._judging.record(actor.caller, told)
            return
        async with self._database.begin() as connection:
            await mark_read(connection, fresh[0].dossier, [each.message.id for each in fresh], at)
            await self._ledger.append(connection, self._judging.entries(actor.caller, told))

    async def _with_references(self, actor: Actor, letters: Sequence[Letter], at: datetime) -> list[Letter]:
        """Messages of one dossier, with those documents of it that their reader may read now."""
        named = [document for letter in letters for document in letter.documents]
        if not named:
            return list(letters)
        open_now = await referred(self._judging, actor, letters[0].stored.dossier, named, at)
        return [
            replace(letter, references=[open_now[each] for each in letter.documents if each in open_now])
            for letter in letters
        ]

    async def _check_addressee(self, actor: Actor, dossier: UUID, addressee: str, at: datetime) -> None:
        """He can receive a message, and is somebody else."""
        named = Reference(SubjectType.PROFESSIONAL.value, addressee)
        if named == actor.subject:
            raise MalformedRequestError("A message goes to somebody else than its sender.")
        asked = Question(named, Action.MESSAGE_SEND.value, of_dossier(dossier), at, Context())
        case = await fetch_case(self._database, asked)
        known = profession(case.subject.profession) if isinstance(case.subject, Professional) else None
        if known is None or known.kind is not ProfessionKind.HEALTH:
            raise MalformedRequestError("The addressee is no health professional of the directory.")

    async def _check_references(self, actor: Actor, dossier: UUID, draft: Draft, at: datetime) -> None:
        """What it refers to is of this dossier, and its sender may read it."""
        asked = readings(actor, dossier, draft.written.documents, at)
        if draft.reply_to is not None:
            asked.append(_reading(actor, draft.reply_to, at, dossier))
        judged = await self._judging.judge_all(actor.caller.client, asked)
        if not all(each.decision.allowed for each in judged):
            raise MalformedRequestError(_OUT_OF_REACH)

    async def _thread_of(self, dossier: UUID, answered: UUID, addressee: str) -> UUID:
        """The thread with which a reply goes on: it goes to the other of the two who write to each other there."""
        stored = await find_message(self._database, dossier, answered)
        if stored is None:
            raise MalformedRequestError(_OUT_OF_REACH)
        if addressee not in {stored.message.sender, stored.message.addressee}:
            raise MalformedRequestError("A reply goes to the other party of the message that it answers.")
        return stored.thread or answered

    async def _judged(self, actor: Actor, found: Sequence[StoredMessage], at: datetime) -> list[Judgement]:
        questions = [_reading(actor, each.message.id, at, each.dossier) for each in found]
        return await self._judging.judge_all(actor.caller.client, questions)

    async def _found(self, actor: Actor, judgement: Judgement, identity: UUID) -> StoredMessage:
        """A message that may be read. Raises RefusedError if it went in this instant."""
        dossier = judgement.case.dossier
        stored = await find_message(self._database, dossier.id, identity) if dossier else None
        if stored is None:
            await self._judging.record(actor.caller, [judgement])
            raise RefusedError("no-message")
        return stored

    async def _opened(self, stored: StoredMessage) -> Letter:
        try:
            return Letter(stored, await unseal(self._keys, stored))
        except (SealBrokenError, NoContentError):
            return Letter(stored, None)


def _reading(actor: Actor, message: UUID, at: datetime, dossier: UUID | None = None) -> Question:
    within = Particulars() if dossier is None else Particulars(dossier=str(dossier))
    return Question(actor.subject, Action.MESSAGE_READ.value, of_message(message), at, actor.context, within)


def _as_read(judgement: Judgement, letter: Letter | None) -> Judgement:
    """What the journal is told: a reading that was permitted and gave nothing is none."""
    if letter is None or letter.written is not None:
        return judgement
    return judgement.broken()


def _read_now(actor: Actor, letter: Letter, at: datetime) -> Letter:
    """The message, read from now on if this is when its addressee first reads it."""
    stored = letter.stored
    if letter.written is None or stored.read_at is not None or stored.message.addressee != actor.subject.id:
        return letter
    return replace(letter, stored=replace(stored, read_at=at))


def _place(after: str | None) -> MessagePosition | None:
    return MessagePosition(*read_position(after)) if after else None


def _next(found: Sequence[StoredMessage], limit: int) -> str | None:
    """Where the page after this one begins; one more than its messages was looked for."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return write_position(Position(last.sent_at, last.message.id))
