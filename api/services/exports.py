"""The copy of a record: everything that its subject may read, and the journal, in one archive (GDPR, article 15).

Asking gives a ticket, which holds no right: fetching is decided again, document by document. The ticket is the instant
and the entry of the asking, sealed under the dossier's key for the subject: nothing is stored, nobody else's ticket
opens, and the tickets of an erased dossier are noise, as are those from before its key was replaced.

For a ticket the archive is the same, byte by byte, as long as the subject may read the same: instants are the asking's
or the documents' own, and the journal ends with the entry of the asking. So a copy that was broken off goes on.
"""

import base64
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import NotFoundError
from api.services.archive import Archive
from api.services.copies.contents import Readable
from api.services.copies.planning import Planner
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from models.database import Database
from models.facts import Reference
from models.queries.dossiers import hold_dossier
from models.vocabulary import Action
from vault.documents import Documents as Vault
from vault.errors import NoContentError, SealBrokenError
from vault.journal.entry import Value
from vault.journal.reading import Reader
from vault.keys import DossierKeys

LIFE = timedelta(hours=24)
"""Of a ticket."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What fetches a copy, until it expires."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was decided and journaled: `digest` is the same as long as its bytes are."""

    digest: str
    size: int
    archive: Archive

    def pieces(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` until before `stop`. A document that does not open ends them short."""
        return self.archive.pieces(start, stop)


class ExportService:
    """The use cases of the copy."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        keys: DossierKeys,
        vault: Vault,
        reader: Reader,
    ) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._planner = Planner(database, judging, keys, vault, reader)

    async def ask(self, actor: Actor, dossier: UUID) -> Ticket:
        """A ticket for a copy, to be fetched by the same subject. Raises NotFoundError if it was erased meanwhile."""
        judgement = await self._judging.permit(actor, Action.DOSSIER_EXPORT, of_dossier(dossier))
        at = judgement.case.question.at

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await self._keys.ensure(connection, dossier)
            await hold_dossier(connection, dossier)  # else a key would be left of one that was erased meanwhile
            return {"export": "asked"}

        entry = await self._judging.carry_out(actor, judgement, change)
        try:
            key = await self._keys.read(dossier)
        except NoContentError:
            raise NotFoundError from None
        sealed = key.seal_text(_purpose(actor.subject), f"{entry.sequence} {at.isoformat()}".encode("ascii"))
        return Ticket(base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("="), at + LIFE)

    async def fetch(self, actor: Actor, dossier: UUID, ticket: str) -> Copy:
        """The archive, decided and journaled before its first byte. Raises NotFoundError for a ticket that is none.

        Raises NotIntegratedError while the entry of the asking cannot be proved yet.
        """
        entered = await self._judging.permit(actor, Action.DOSSIER_EXPORT, of_dossier(dossier))
        sequence, at = await self._opened(actor, dossier, ticket, entered.case.question.at)
        documents = list(await self._judging.readable(actor, entered))
        trace, accesses = (self._also(actor, entered, action) for action in (Action.JOURNAL_READ, Action.ACCESS_LIST))
        shown = [each for each in (trace, accesses) if each.decision.allowed]
        await self._judging.record(actor.caller, [entered, *documents, *shown])
        found = Readable(actor, dossier, entered, at, sequence, documents, trace.decision, accesses.decision)
        plan = await self._planner.plan(found)
        archive = Archive(plan.members, at)
        return Copy(plan.digest, archive.size, archive)

    def _also(self, actor: Actor, entered: Judgement, action: Action) -> Judgement:
        """The verdict on another action on the dossier, at the same instant and by the same rules."""
        question = replace(entered.case.question, action=action.value)
        return self._judging.verdict(actor.caller.client, replace(entered.case, question=question), entered.engine)

    async def _opened(self, actor: Actor, dossier: UUID, ticket: str, now: datetime) -> tuple[int, datetime]:
        """The entry and the instant of the asking."""
        try:
            sealed = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
            said = (await self._keys.read(dossier)).open_text(_purpose(actor.subject), sealed)
            sequence, _, instant = said.decode("ascii").partition(" ")
            asked, at = int(sequence), datetime.fromisoformat(instant)
        except (ValueError, SealBrokenError, NoContentError):
            raise NotFoundError from None
        if not timedelta(0) <= now - at < LIFE:
            raise NotFoundError
        return asked, at


def _purpose(subject: Reference) -> str:
    return f"export/{subject.type}/{subject.id}"
