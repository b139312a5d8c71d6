"""The copy of a record: everything that its subject may read, and the journal, in one archive (GDPR, article 15).

Asking gives a ticket, which holds no right: fetching is decided again, document by document. The ticket is the instant
of the asking, sealed under the dossier's key for the subject: nothing is stored, nobody else's ticket opens, and the
tickets of an erased dossier are noise, as are those from before its key was replaced.
"""

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import NotFoundError
from api.schemas.exports import ExportedDocument
from api.services.archive import Member, Sums, archive
from api.services.documents import SEAL_BROKEN
from api.services.journal import told_to_its_subject
from api.services.judging import Actor, Judgement, Judging
from api.services.manifest import encode_manifest, exported
from api.services.readable import directive_in_force, readable
from api.services.references import of_dossier
from models.database import Database
from models.decisions import Decision
from models.facts import Document, Reference
from models.queries.documents import Standing, read_standings
from models.queries.dossiers import hold_dossier
from models.vocabulary import Action, Obligation
from vault.documents import Documents as Vault
from vault.documents import Kept, Reading
from vault.errors import NoContentError, SealBrokenError
from vault.journal.entry import Value
from vault.journal.proof import encode_line
from vault.journal.reading import Reader
from vault.keys import DossierKeys

LIFE = timedelta(hours=24)
"""Of a ticket."""

JOURNAL, MANIFEST, SUMS = "journal.jsonl", "manifest.json", "SHA256SUMS"
_LINES = 500
_UNKNOWN_SIZE = 2**40


@dataclass(frozen=True, slots=True)
class Ticket:
    """What fetches a copy, until it expires."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Copy:
    """What goes into one archive, decided and journaled."""

    actor: Actor
    entered: Judgement
    documents: Sequence[Judgement]
    standings: Mapping[UUID, Standing]
    kept: Mapping[UUID, Kept | SealBrokenError]
    in_force: UUID | None
    with_journal: bool
    own_entries_of: Reference | None


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
        self._vault = vault
        self._reader = reader

    async def ask(self, actor: Actor, dossier: UUID) -> Ticket:
        """A ticket for a copy, to be fetched by the same subject."""
        judgement = await self._judging.permit(actor, Action.DOSSIER_EXPORT, of_dossier(dossier))
        at, sealed = judgement.case.question.at, b""

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            nonlocal sealed
            said = at.isoformat().encode("ascii")
            sealed = await self._keys.seal_text(connection, dossier, _purpose(actor.subject), said)
            await hold_dossier(connection, dossier)  # else a key would be left of one that was erased meanwhile
            return {"export": "asked"}

        await self._judging.carry_out(actor, judgement, change)
        return Ticket(base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("="), at + LIFE)

    async def fetch(self, actor: Actor, dossier: UUID, ticket: str) -> AsyncGenerator[bytes]:
        """The archive, decided and journaled before its first byte. Raises NotFoundError for a ticket that is none."""
        entered = await self._judging.permit(actor, Action.DOSSIER_EXPORT, of_dossier(dossier))
        await self._check(actor, dossier, ticket, entered.case.question.at)
        documents = await readable(self._database, self._judging, actor, entered)
        question = replace(entered.case.question, action=Action.JOURNAL_READ.value)
        trace = self._judging.verdict(actor.caller.client, replace(entered.case, question=question), entered.engine)
        await self._judging.record(actor.caller, [entered, *documents, trace])
        standings = await read_standings(self._database, dossier)
        versions = {identity: standing.version.version for identity, standing in standings.items()}
        limited = Obligation.OWN_ENTRIES_ONLY in trace.decision.obligations
        copy = _Copy(
            actor,
            entered,
            documents,
            standings,
            await self._vault.find_all(dossier, versions),
            await directive_in_force(self._database, dossier, question),
            trace.decision.allowed,
            actor.subject if limited else None,
        )
        return archive(self._members(copy, dossier))

    async def _check(self, actor: Actor, dossier: UUID, ticket: str, now: datetime) -> None:
        try:
            sealed = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
            said = (await self._keys.read(dossier)).open_text(_purpose(actor.subject), sealed)
        except (ValueError, SealBrokenError, NoContentError):
            raise NotFoundError from None
        if not timedelta(0) <= now - datetime.fromisoformat(said.decode("ascii")) < LIFE:
            raise NotFoundError

    async def _members(self, copy: _Copy, dossier: UUID) -> AsyncGenerator[Member]:
        sums, now = Sums(), copy.entered.case.question.at
        listed: list[ExportedDocument] = []
        for judgement in copy.documents:
            document = judgement.case.document
            if document is None or document.id not in copy.standings:
                continue
            reading = await self._reading(copy, judgement, document)
            kept = reading.kept if isinstance(reading, Reading) else None
            line = exported(
                document, copy.standings[document.id], kept, opens=reading is not False, in_force=copy.in_force
            )
            listed.append(line)
            if isinstance(reading, Reading) and line.path:
                content = self._content(copy, judgement, reading)
                size, at = reading.kept.size, reading.kept.deposited_at
                yield Member(line.path, at, size, sums.of(line.path, content))
        if copy.with_journal:
            lines = self._journal(dossier, copy.own_entries_of)
            yield Member(JOURNAL, now, _UNKNOWN_SIZE, sums.of(JOURNAL, lines))
        journal = JOURNAL if copy.with_journal else None
        manifest = encode_manifest(copy.entered.case, journal, listed)
        yield Member(MANIFEST, now, len(manifest), sums.of(MANIFEST, _once(manifest)))
        yield Member(SUMS, now, _UNKNOWN_SIZE, _once(sums.encode()))

    async def _reading(self, copy: _Copy, judgement: Judgement, document: Document) -> Reading | bool:
        """A content, begun; else whether that there is none is as it should be."""
        kept = copy.kept.get(document.id)
        if kept is None:
            return True
        try:
            if isinstance(kept, SealBrokenError):
                raise kept
            return await self._vault.read(kept)
        except NoContentError:
            return True
        except SealBrokenError:
            await self._write_down_broken(copy, judgement)
            return False

    async def _content(self, copy: _Copy, judgement: Judgement, reading: Reading) -> AsyncGenerator[bytes]:
        async with aclosing(reading.stream) as stream:
            try:
                async for piece in stream:
                    yield piece
            except SealBrokenError:
                await self._write_down_broken(copy, judgement)
                raise

    async def _write_down_broken(self, copy: _Copy, judgement: Judgement) -> None:
        failed = replace(judgement, decision=Decision(allowed=False, rule=SEAL_BROKEN, refused_by=(SEAL_BROKEN,)))
        await self._judging.record(copy.actor.caller, [failed])

    async def _journal(self, dossier: UUID, own: Reference | None) -> AsyncGenerator[bytes]:
        """Each line with its entry and salt, newest first, one a line: what the journal's proofs are about."""
        after: int | None = None
        while lines := await self._reader.read(dossier, after=after, limit=_LINES, subject=own):
            told = [line for line in lines if own is None or told_to_its_subject(line.entry) == line.entry]
            yield b"".join(encode_line(line) + b"\n" for line in told)
            after = lines[-1].sequence


def _purpose(subject: Reference) -> str:
    return f"export/{subject.type}/{subject.id}"


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
