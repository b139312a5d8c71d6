"""Documents as those see them who may: listing, metadata, content; each decided and journaled on its way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from api.errors import RefusedError
from api.services.contests import Contest, unseal
from api.services.cursors import read_position, write_position
from api.services.judging import Actor, Judgement, Judging
from api.services.readable import ADVANCE_DIRECTIVES, directive_in_force, permitted_actions
from api.services.references import document_of, of_document, of_dossier
from models.database import Database
from models.decisions import Decision
from models.facts import Case, Document, Question, Reference
from models.queries import Sought, position_of
from models.queries import documents as stored
from models.vocabulary import Action
from vault.documents import Documents as Vault
from vault.documents import Kept, Reading
from vault.errors import NoContentError, SealBrokenError
from vault.keys import DossierKeys


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document as its reader sees it, content apart.

    `kept` is None while no content was deposited, or when what is stored of it does not open. `may` lists what the
    subject may do with it; `in_force` is told of advance directives only.
    """

    dossier: UUID
    document: Document
    standing: stored.Standing
    withheld: bool
    may: tuple[Action, ...]
    decision: Decision
    kept: Kept | None = field(default=None, repr=False)
    contest: Contest | None = None
    in_force: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a listing; `next` is where the rest begins."""

    sheets: Sequence[Sheet]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a listing is asked for: of these types, of an author, created from `since` on and before `until`.

    And in which order, or without the versions that are past.
    """

    types: Collection[str] | None = None
    current_only: bool = False
    author: Reference | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False

    @property
    def sought(self) -> Sought:
        """What the database looks for."""
        return Sought(self.types, self.author, self.since, self.until, self.oldest_first, self.current_only)

    def place_of(self, last: Case) -> str:
        """Where a page that ends with this case goes on."""
        return write_position(position_of(last), oldest_first=self.oldest_first)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is stored beside the facts of some documents of a dossier; those deleted meanwhile are not on it."""

    dossier: UUID
    standings: Mapping[UUID, stored.Standing]
    kept: Mapping[UUID, Kept | SealBrokenError]


class DocumentService:
    """The documents' use cases."""

    def __init__(self, database: Database, judging: Judging, keys: DossierKeys, vault: Vault) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._vault = vault

    async def page(self, actor: Actor, dossier: UUID, wanted: Wanted, after: str | None, limit: int) -> Listing:
        """What the subject may read, in the order wanted; one entry of the journal names every line shown."""
        entered = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        shown, following = await self.readable(actor, entered, wanted, after, limit)
        await self._judging.record(actor.caller, [entered, *shown])
        return Listing(await self.sheets(actor, await self.shelf(dossier, shown), shown), following)

    async def sheet(self, actor: Actor, document: UUID) -> Sheet:
        """What is known of a document, content apart."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_READ, of_document(document))
        await self._judging.record(actor.caller, [judgement])
        dossier, about = document_of(judgement)
        standing = await self._standing(dossier, about.id)
        kept: Kept | SealBrokenError | None
        try:
            kept = await self._vault.find(dossier, about.id, standing.version.version)
        except NoContentError:
            kept = None
        except SealBrokenError as error:
            kept = error
        in_force = await self._directive_in_force(dossier, judgement.case.question, [about])
        return await self._sheet(actor, judgement, standing, kept, in_force)

    async def kept(self, actor: Actor, document: UUID) -> tuple[Judgement, Kept]:
        """A content that may be read, the reading journaled. Raises NoContentError if none was deposited."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_READ, of_document(document))
        await self._judging.record(actor.caller, [judgement])
        dossier, about = document_of(judgement)
        standing = await self._standing(dossier, about.id)
        try:
            return judgement, await self._vault.find(dossier, about.id, standing.version.version)
        except SealBrokenError:
            await self.write_down_broken(actor, judgement)
            raise

    async def read(self, actor: Actor, judgement: Judgement, kept: Kept, span: tuple[int, int | None]) -> Reading:
        """The bytes of a content that `kept` gave. What does not open is journaled, and gives nothing."""
        try:
            return await self._vault.read(kept, *span)
        except SealBrokenError:
            await self.write_down_broken(actor, judgement)
            raise

    async def write_down_broken(self, actor: Actor, judgement: Judgement) -> None:
        """The journal's entry of a reading that was permitted and gave nothing, or not all."""
        await self._judging.record(actor.caller, [judgement.broken()])

    async def readable(
        self, actor: Actor, entered: Judgement, wanted: Wanted, after: str | None, limit: int
    ) -> tuple[list[Judgement], str | None]:
        """The first lines that may be read, and the place of the last if another one follows; nothing is journaled."""
        place = read_position(after, oldest_first=wanted.oldest_first) if after else None
        found = list(islice(await self._judging.readable(actor, entered, wanted.sought, place), limit + 1))
        shown = found[:limit]
        return shown, wanted.place_of(shown[-1].case) if len(found) > limit else None

    async def shelf(self, dossier: UUID, judged: Sequence[Judgement]) -> Shelf:
        """What is stored of these documents of a dossier, titles opened."""
        found = await stored.read_standings(self._database, dossier, {each.id for each in _documents(judged)})
        versions = {identity: standing.version.version for identity, standing in found.items()}
        return Shelf(dossier, found, await self._vault.find_all(dossier, versions))

    async def sheets(self, actor: Actor, shelf: Shelf, shown: Sequence[Judgement]) -> list[Sheet]:
        """These as their reader sees them, in this order; those deleted meanwhile are left out."""
        documents = _documents(shown)
        in_force = await self._directive_in_force(shelf.dossier, shown[0].case.question, documents) if shown else None
        return [
            await self._sheet(actor, each, shelf.standings[document.id], shelf.kept.get(document.id), in_force)
            for each, document in zip(shown, documents, strict=True)
            if document.id in shelf.standings
        ]

    async def _standing(self, dossier: UUID, document: UUID) -> stored.Standing:
        standing = await stored.read_standing(self._database, dossier, document)
        if standing is None:
            raise RefusedError("no-document")
        return standing

    async def _sheet(
        self,
        actor: Actor,
        judgement: Judgement,
        standing: stored.Standing,
        kept: Kept | SealBrokenError | None,
        in_force: UUID | None,
    ) -> Sheet:
        dossier, about = document_of(judgement)
        if isinstance(kept, SealBrokenError):
            await self.write_down_broken(actor, judgement)
            kept = None
        return Sheet(
            dossier,
            about,
            standing,
            about.withheld_until is not None and about.withheld_until > judgement.case.question.at,
            permitted_actions(self._judging, actor.caller.client, judgement),
            judgement.decision,
            kept,
            await unseal(self._keys, dossier, about.id, standing),
            about.id == in_force if about.document_type == ADVANCE_DIRECTIVES else None,
        )

    async def _directive_in_force(self, dossier: UUID, question: Question, shown: Sequence[Document]) -> UUID | None:
        """The latest current advance directives (RULES §7), looked up only where some are shown."""
        if not any(document.document_type == ADVANCE_DIRECTIVES for document in shown):
            return None
        return await directive_in_force(self._database, dossier, question)


def _documents(judgements: Sequence[Judgement]) -> list[Document]:
    return [each.case.document for each in judgements if each.case.document is not None]
