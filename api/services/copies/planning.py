"""What goes into one copy, settled to the place of its last byte before the first one leaves.

The end of each document is opened while planning: what is missing, cut off or another's is left out, and named. What
turns out further on not to open ends the copy short, since its bytes were announced; it is remembered, so that the
next try leaves it out.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.errors import RefusedError
from api.schemas.exports import ExportedDocument
from api.services.archive import Member
from api.services.contests import Contest, unseal
from api.services.copies.naming import Names
from api.services.copies.record import Accesses, Record
from api.services.copies.trace import JOURNAL, Trace
from api.services.copies.wording import Directory
from api.services.copies.writing import write
from api.services.journal import reasons_of
from api.services.judging import Actor, Judgement, Judging
from api.services.manifest import exported, with_content, without_content
from api.services.readable import directive_in_force
from models.database import Database
from models.decisions import Decision
from models.facts import Document, Dossier, Reference
from models.queries.directory import read_names, read_professions
from models.queries.documents import Standing, read_standings
from models.queries.dossiers import list_relations, list_representations
from models.vocabulary import Obligation, SubjectType
from vault.documents import Documents as Vault
from vault.documents import Kept
from vault.errors import NoContentError, SealBrokenError
from vault.journal.reading import Reader
from vault.keys import DossierKeys
from vault.keys.remembering import Remembered

PAGE = "index.html"
_OPENED_AT_ONCE = 8
_REMEMBERED, _REMEMBERED_SECONDS = 10_000, 86_400.0


@dataclass(frozen=True, slots=True)
class Readable:
    """What a subject may have copied: asked for at `at` by the entry `sequence`, decided and journaled now."""

    actor: Actor
    dossier: UUID
    entered: Judgement
    at: datetime
    sequence: int
    documents: Sequence[Judgement]
    trace: Decision
    accesses: Decision


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of a copy in their order; as long as `digest` is the same, so are their bytes."""

    members: Sequence[Member]
    digest: str


@dataclass(frozen=True, slots=True)
class _File:
    """A document of the copy, and what there is to copy of it."""

    judgement: Judgement
    entry: ExportedDocument
    kept: Kept | None


class Planner:
    """Plans copies; what is decided comes in, and nothing is decided here."""

    def __init__(self, database: Database, judging: Judging, keys: DossierKeys, vault: Vault, reader: Reader) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._vault = vault
        self._reader = reader
        self._broken: Remembered[str, bool] = Remembered(time.monotonic, _REMEMBERED, _REMEMBERED_SECONDS)

    async def plan(self, found: Readable) -> Plan:
        """Raises NotIntegratedError while the entry of the asking has no proof, and what the journal raises."""
        files = await self._files(found)
        trace = await self._trace(found)
        record = await self._record(found, files, trace)
        written = await write(record)
        documents = [self._member(found, file) for file in files if file.kept is not None]
        digest = hashlib.sha256()
        if trace is None:
            page, others = Member.of(PAGE, found.at, b"".join(written.page)), []
        else:
            measured = await trace.measure()
            size = sum(map(len, written.page)) + measured.sentences
            page, others = Member(PAGE, found.at, size, _page(written.page, trace)), trace.members(found.at, measured)
            digest.update(measured.digest)
        small = [Member.of(name, found.at, data) for name, data in written.files.items()]
        members = [page, *small, *documents, *others]
        for data in (*written.page, *written.files.values()):
            digest.update(hashlib.sha256(data).digest())
        for member in members:
            digest.update(f"{member.name}\n{member.size}\n{member.modified_at.isoformat()}\n".encode())
        return Plan(members, digest.hexdigest())

    async def _files(self, found: Readable) -> list[_File]:
        """Those of the readable documents that were not deleted meanwhile."""
        standings = await read_standings(self._database, found.dossier)
        versions = {identity: standing.version.version for identity, standing in standings.items()}
        kept = await self._vault.find_all(found.dossier, versions)
        in_force = await directive_in_force(self._database, found.dossier, found.entered.case.question)
        told = [
            (judgement, document, standings[document.id])
            for judgement in found.documents
            if (document := judgement.case.document) is not None and document.id in standings
        ]
        several = asyncio.Semaphore(_OPENED_AT_ONCE)

        async def opened(judgement: Judgement, document: Document) -> Kept | SealBrokenError | None:
            async with several:
                return await self._opened(found.actor, judgement, kept.get(document.id))

        contents = await asyncio.gather(*(opened(judgement, document) for judgement, document, _ in told))
        names, files = Names(), []
        for (judgement, document, standing), content in zip(told, contents, strict=True):
            entry = exported(
                document,
                standing.version,
                contested=standing.contest_sealed is not None,
                contest=await self._contest(found.dossier, document, standing),
                in_force=in_force,
            )
            if isinstance(content, SealBrokenError):
                files.append(_File(judgement, without_content(entry), None))
            elif content is None:
                files.append(_File(judgement, entry, None))
            else:
                path = names.give(entry.space, content.title, content.content_type)
                files.append(_File(judgement, with_content(entry, content, path), content))
        return files

    async def _opened(
        self, actor: Actor, judgement: Judgement, kept: Kept | SealBrokenError | None
    ) -> Kept | SealBrokenError | None:
        """A content whose end opens, or what is there instead; what does not open is journaled."""
        if kept is None:
            return None
        try:
            if isinstance(kept, SealBrokenError):
                raise kept
            if self._broken.get(kept.object_name):
                raise SealBrokenError
            reading = await self._vault.read(kept, max(kept.size - 1, 0))
            await reading.stream.aclose()
        except NoContentError:
            return None
        except SealBrokenError as error:
            await self._judging.record(actor.caller, [judgement.broken()])
            return error
        return kept

    async def _contest(self, dossier: UUID, document: Document, standing: Standing) -> Contest | None:
        """What a contest says; of one that does not open, only that there is one is told."""
        try:
            return await unseal(self._keys, dossier, document.id, standing)
        except SealBrokenError:
            return None

    async def _trace(self, found: Readable) -> Trace | None:
        if not found.trace.allowed:
            return None
        own = found.actor.subject if Obligation.OWN_ENTRIES_ONLY in found.trace.obligations else None
        taken = await self._reader.take(found.dossier, found.sequence, subject=own)
        reasons = reasons_of(found.entered.engine.register)
        return Trace(taken, self._reader.signer.verifier, reasons, whole=own is None)

    async def _record(self, found: Readable, files: Sequence[_File], trace: Trace | None) -> Record:
        accesses = await self._accesses(found) if found.accesses.allowed else None
        parties = [file.judgement.case.document.author for file in files if file.judgement.case.document is not None]
        if accesses is not None:
            parties += [relation.party for relation in accesses.relations]
        return Record(
            _dossier(found.entered),
            found.actor.subject,
            found.at,
            [file.entry for file in files],
            await self._directory(found.dossier, parties),
            accesses,
            None if trace is None else JOURNAL,
            trace is not None and trace.whole,
        )

    async def _accesses(self, found: Readable) -> Accesses:
        """Those that have not ended."""
        now = found.entered.case.question.at
        async with self._database.connect() as connection:
            relations = await list_relations(connection, found.dossier)
            representations = await list_representations(connection, found.dossier)
        return Accesses(
            [each for each in relations if each.until is None or each.until > now],
            [each for each in representations if each.until is None or each.until > now],
        )

    async def _directory(self, holder: UUID, parties: Sequence[Reference]) -> Directory:
        by_type = {kind: [each.id for each in parties if each.type == kind] for kind in SubjectType}
        return Directory(
            str(holder),
            await read_professions(self._database, by_type[SubjectType.PROFESSIONAL]),
            await read_names(self._database, by_type[SubjectType.ORGANIZATION]),
        )

    def _member(self, found: Readable, file: _File) -> Member:
        """A document's file, of the date that the document has."""
        kept = file.kept
        if kept is None or file.entry.path is None:
            raise NoContentError

        async def content() -> AsyncGenerator[bytes]:
            try:
                async with aclosing((await self._vault.read(kept)).stream) as stream:
                    async for piece in stream:
                        yield piece
            except SealBrokenError:
                self._broken.put(kept.object_name, True)
                await self._judging.record(found.actor.caller, [file.judgement.broken()])
                raise

        return Member(file.entry.path, file.entry.created_at, kept.size, content)


def _page(halves: tuple[bytes, bytes], trace: Trace) -> Callable[[], AsyncGenerator[bytes]]:
    """The page with the sentences of the journal."""

    async def whole() -> AsyncGenerator[bytes]:
        before, after = halves
        yield before
        async with aclosing(trace.sentences()) as sentences:
            async for some in sentences:
                yield some
        yield after

    return whole


def _dossier(entered: Judgement) -> Dossier:
    if entered.case.dossier is None:
        raise RefusedError("no-dossier")
    return entered.case.dossier
