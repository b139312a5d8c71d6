"""What becomes of a document after its deposit: masking, revealing, archiving, contest, deletion."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import ConflictError, NotFoundError
from api.services import contests, notices
from api.services.contests import Contest
from api.services.judging import Actor, Judging
from api.services.references import document_of, of_document
from models.database import Database
from models.queries import documents as stored
from models.vocabulary import Action, DocumentStatus
from vault.documents import Documents as Vault
from vault.documents import Erasure
from vault.journal.entry import Value
from vault.keys import DossierKeys


class DocumentChanges:
    """The changes, each decided, made and journaled in one transaction."""

    def __init__(self, database: Database, judging: Judging, keys: DossierKeys, vault: Vault) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._vault = vault

    async def mask(self, actor: Actor, document: UUID, *, masked: bool) -> None:
        """Mask or unmask all versions of a document."""
        action = Action.DOCUMENT_MASK if masked else Action.DOCUMENT_UNMASK
        judgement = await self._judging.permit(actor, action, of_document(document))
        dossier, about = document_of(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_visibility(connection, dossier, about.id, masked=masked)
            return {"masked": masked}

        await self._judging.carry_out(actor, judgement, change)

    async def reveal(self, actor: Actor, document: UUID) -> None:
        """End the withholding of all versions of a document."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_REVEAL, of_document(document))
        dossier, about = document_of(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_visibility(connection, dossier, about.id, revealed=True)
            return {"withheld": False}

        await self._judging.carry_out(actor, judgement, change)

    async def set_status(self, actor: Actor, document: UUID, status: DocumentStatus) -> None:
        """Archive, or restore."""
        action = Action.DOCUMENT_ARCHIVE if status is DocumentStatus.ARCHIVED else Action.DOCUMENT_RESTORE
        judgement = await self._judging.permit(actor, action, of_document(document))
        dossier, about = document_of(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            if not await stored.set_status(connection, dossier, about.id, status, was=about.status):
                raise ConflictError
            return {"status": status.value, "was": about.status.value}

        await self._judging.carry_out(actor, judgement, change)

    async def delete(self, actor: Actor, document: UUID) -> None:
        """Delete for all: key and contest go with the transaction, the object right after."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_DELETE, of_document(document))
        dossier, about = document_of(judgement)
        erasures: list[Erasure] = []

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            if not await stored.set_status(connection, dossier, about.id, DocumentStatus.DELETED, was=about.status):
                raise ConflictError
            await stored.set_contest(connection, dossier, about.id, None)
            erasures.append(await self._vault.erase(connection, dossier, about.id))
            return {"status": DocumentStatus.DELETED.value, "was": about.status.value}

        await self._judging.carry_out(actor, judgement, change)
        for erasure in erasures:
            await self._vault.finish(erasure)

    async def contest(self, actor: Actor, document: UUID, reason: str) -> None:
        """The patient says that a document is wrong; it stays readable and says that it is contested.

        Raises ConflictError while an earlier contest waits for its answer.
        """
        judgement = await self._judging.permit(actor, Action.DOCUMENT_CONTEST, of_document(document))
        (dossier, about), at = document_of(judgement), judgement.case.question.at
        owed = notices.of_contest(about, at)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            earlier = await contests.held(self._keys, connection, dossier, about)
            if earlier is not None and earlier.answered_at is None:
                raise ConflictError
            await contests.write(self._keys, connection, dossier, about.id, Contest(reason, at))
            return {"contested": True}

        await self._judging.carry_out(actor, judgement, change, owed=owed)

    async def answer_contest(self, actor: Actor, document: UUID, reason: str) -> None:
        """The author keeps a contested document, with a reason.

        Raises NotFoundError if nobody contests it, ConflictError if that was answered.
        """
        judgement = await self._judging.permit(actor, Action.DOCUMENT_REPLACE, of_document(document))
        (dossier, about), at = document_of(judgement), judgement.case.question.at
        owed = notices.of_answer(about.id, at)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            contest = await contests.held(self._keys, connection, dossier, about)
            if contest is None:
                raise NotFoundError
            if contest.answered_at is not None:
                raise ConflictError
            answered = replace(contest, kept=True, answer=reason, answered_at=at)
            await contests.write(self._keys, connection, dossier, about.id, answered)
            return {"contested": True, "kept": True}

        await self._judging.carry_out(actor, judgement, change, owed=owed)
