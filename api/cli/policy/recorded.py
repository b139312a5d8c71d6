"""What the journal of the settings' database holds, as the reviewers' commands take it."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import datetime
from uuid import UUID

from api.services.documents import SEAL_BROKEN
from api.settings import Settings
from models.database import Database, open_database
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.queries.documents import Place, read_types
from models.vocabulary import ResourceType
from policy.review.recorded import Recorded
from vault.journal.entry import POLICY_SWAP, SERVICE, Entry, Item, Line
from vault.journal.recent import newest_first


def recorded_decisions(
    settings: Settings, *, since: datetime | None = None, dossier: UUID | None = None
) -> Generator[Recorded]:
    """Decisions since an instant, newest first, of all dossiers or of one; a page at a time, and nothing is written.

    The type of a document is looked up where documents are: the journal does not hold it. Raises JournalEntryError
    for a line that is not what was written, ProofError for a journal without its head, DatabaseError.
    """
    with asyncio.Runner() as runner:
        database = runner.run(open_database(settings.database_url))
        try:
            pages = newest_first(database, since=since, dossier=dossier)
            while (page := runner.run(_next(pages))) is not None:
                yield from runner.run(_decisions(database, page))
        finally:
            runner.run(database.close())


async def _next(pages: AsyncIterator[list[Line]]) -> list[Line] | None:
    return await anext(pages, None)


async def _decisions(database: Database, lines: list[Line]) -> list[Recorded]:
    """Every decision of these lines: an entry's own, or those of its items."""
    told = [(line, place, one) for line in lines for place, one in _told(line)]
    places = {place for line, _, one in told if line.entry.profession and (place := _document(line.entry, one))}
    types = await read_types(database, places)
    return [_recorded(line, where, one, types) for line, where, one in told]


def _told(line: Line) -> Iterator[tuple[str, Entry | Item]]:
    """What an entry decides, each under its name: `dossier/sequence` or, of a batch, `dossier/sequence/item`.

    That rules were replaced is no decision, nor is what the service does by itself.
    """
    if not line.entry.situation and (line.entry.action == POLICY_SWAP or line.entry.subject.type == SERVICE):
        return
    where = f"{line.entry.dossier}/{line.sequence}"
    if line.entry.situation or not line.entry.items:
        yield where, line.entry
    for number, item in enumerate(line.entry.items, 1):
        yield f"{where}/{number}", item


def _document(entry: Entry, one: Entry | Item) -> Place | None:
    if one.resource.type != ResourceType.DOCUMENT:
        return None
    try:
        return entry.dossier, parse_pseudonym(one.resource.id)
    except InvalidIdentifierError:
        return None


def _recorded(line: Line, where: str, one: Entry | Item, types: dict[Place, str]) -> Recorded:
    place = _document(line.entry, one)
    return Recorded(
        where,
        line.entry.at,
        one.situation,
        one.allowed,
        one.rule,
        one.obligations,
        line.entry.profession,
        types.get(place) if place else None,
        fault=one.rule == SEAL_BROKEN,
    )
