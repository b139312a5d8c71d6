"""What goes into one copy, settled to the place of its last byte before the first one leaves.

The same copy is planned the same each time: what is asked for again may go on where it was broken off.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from api.errors import RefusedError
from api.services.archive import Member
from api.services.copies.contents import Contents, File, Readable
from api.services.copies.record import Accesses, Record
from api.services.copies.trace import JOURNAL, Trace
from api.services.copies.wording import Directory
from api.services.copies.writing import write
from api.services.journal import reasons_of
from api.services.judging import Judgement, Judging
from models.database import Database
from models.facts import Dossier, Reference
from models.queries.directory import read_names, read_professions
from models.queries.dossiers import list_relations, list_representations
from models.vocabulary import Obligation, SubjectType
from vault.documents import Documents as Vault
from vault.journal.reading import Reader
from vault.keys import DossierKeys

PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of a copy in their order; as long as `digest` is the same, so are their bytes."""

    members: Sequence[Member]
    digest: str


class Planner:
    """Plans copies; what is decided comes in, and nothing is decided here."""

    def __init__(self, database: Database, judging: Judging, keys: DossierKeys, vault: Vault, reader: Reader) -> None:
        self._database = database
        self._contents = Contents(database, judging, keys, vault)
        self._reader = reader

    async def plan(self, found: Readable) -> Plan:
        """Raises NotIntegratedError while the entry of the asking has no proof, and what the journal raises."""
        files = await self._contents.files(found)
        trace = await self._trace(found)
        record = await self._record(found, files, trace)
        written = await write(record)
        documents = [self._contents.member(found, file) for file in files if file.kept is not None]
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

    async def _trace(self, found: Readable) -> Trace | None:
        if not found.trace.allowed:
            return None
        own = found.actor.subject if Obligation.OWN_ENTRIES_ONLY in found.trace.obligations else None
        taken = await self._reader.take(found.dossier, found.sequence, subject=own)
        reasons = reasons_of(found.entered.engine.register)
        return Trace(taken, self._reader.signer.verifier, reasons, whole=own is None)

    async def _record(self, found: Readable, files: Sequence[File], trace: Trace | None) -> Record:
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
