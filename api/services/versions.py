"""The versions of a document, each for those whom the rules let read it."""

from collections.abc import Sequence
from uuid import UUID

from api.errors import RefusedError
from api.services.documents import DocumentService, Sheet
from api.services.judging import Actor, Judging
from api.services.references import document_of, of_document
from models.database import Database
from models.queries import Sought
from models.queries.documents import read_standings
from models.vocabulary import Action


class Versions:
    """What a document was before, and has become since."""

    def __init__(self, database: Database, judging: Judging, documents: DocumentService) -> None:
        self._database = database
        self._judging = judging
        self._documents = documents

    async def of(self, actor: Actor, document: UUID) -> Sequence[Sheet]:
        """All versions that the subject may read, the latest first; one entry of the journal names them.

        Whoever may not read the document that is named learns nothing of the others.
        """
        named = await self._judging.permit(actor, Action.DOCUMENT_READ, of_document(document))
        dossier, about = document_of(named)
        standings = await read_standings(self._database, dossier)
        versions = {identity: standing.version for identity, standing in standings.items()}
        series = versions[about.id].series if about.id in versions else None
        ranked = {
            version.version: judgement
            for judgement in await self._judging.readable(actor, named, Sought({about.document_type}))
            if (version := versions.get(document_of(judgement)[1].id)) is not None and version.series == series
        }
        shown = [ranked[version] for version in sorted(ranked, reverse=True)]
        names_it = any(document_of(each)[1].id == about.id for each in shown)
        await self._judging.record(actor.caller, shown if names_it else [named, *shown])
        if not names_it:
            raise RefusedError("no-document")  # it was deleted meanwhile
        return await self._documents.sheets(actor, await self._documents.shelf(dossier, shown), shown)
