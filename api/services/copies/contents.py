"""The documents of a copy, each with its file as far as it opens.

The end of each document is opened while planning: what is missing, cut off or another's is left out, and named. What
turns out further on not to open ends the copy short, since its bytes were announced; it is remembered, so that the
next try leaves it out.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.schemas.exports import ExportedDocument
from api.services.archive import Member
from api.services.contests import Contest, unseal
from api.services.copies.naming import Names
from api.services.judging import Actor, Judgement, Judging
from api.services.manifest import exported, with_content, without_content
from api.services.readable import directive_in_force
from models.database import Database
from models.decisions import Decision
from models.facts import Document
from models.queries.documents import Standing, read_standings
from vault.documents import Documents as Vault
from vault.documents import Kept
from vault.errors import NoContentError, SealBrokenError
from vault.keys import DossierKeys
from vault.keys.remembering import Remembered

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
class File:
    """A document of the copy, and what there is to copy of it."""

    judgement: Judgement
    entry: ExportedDocument
    kept: Kept | None


class Contents:
    """Finds documents and opens them; what is decided comes in, and nothing is decided here."""

    def __init__(self, database: Database, judging: Judging, keys: DossierKeys, vault: Vault) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._vault = vault
        self._broken: Remembered[str, bool] = Remembered(time.monotonic, _REMEMBERED, _REMEMBERED_SECONDS)

    async def files(self, found: Readable) -> list[File]:
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
                files.append(File(judgement, without_content(entry), None))
            elif content is None:
                files.append(File(judgement, entry, None))
            else:
                path = names.give(entry.space, content.title, content.content_type)
                files.append(File(judgement, with_content(entry, content, path), content))
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

    def member(self, found: Readable, file: File) -> Member:
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
