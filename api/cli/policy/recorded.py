"""What the journal of the settings' database holds, as the reviewers' commands take it."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from uuid import UUID

from api.parts import open_journal
from api.services.judging import SEAL_BROKEN
from api.settings import Settings
from models.database import Database
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
    for a line that is not what was written, ProofError for a journal without its head, DatabaseError, KeyringError.
    """
    with asyncio.Runner() as runner:
        opening = AsyncExitStack()
        try:
            database, keys = runner.run(opening.enter_async_context(open_journal(settings)))
            pages = newest_first(database, keys, since=since, dossier=dossier)
            while (page := runner.run(_next(pages))) is not None:
                yield from runner.run(_decisions(database, page))
        finally:
            runner.run(opening.aclose())


async def _next(pages: AsyncIterator[list[Line]]) -> list[Line] | None:
    return await anext(pages, None)


async def _decisions(database: Database, lines: list[Line]) -> list[Recorded]:
    """Every decision of these lines: an entry's own, or those of its items."""
    told = [each for line in lines if line.entry is not None for each in _told(line.entry, line.sequence)]
    places = {place for entry, _, one in told if entry.profession and (place := _document(entry, one))}
    types = await read_types(database, places)
    return [_recorded(entry, where, one, types) for entry, where, one in told]


def _told(entry: Entry, sequence: int) -> Iterator[tuple[Entry, str, Entry | Item]]:
    """What an entry decides, each under its name: `dossier/sequence` or, of a batch, `dossier/sequence/item`.

    What was erased tells nothing. That rules were replaced is no decision, nor is what the service does by itself.
    """
    if not entry.situation and (entry.action == POLICY_SWAP or entry.subject.type == SERVICE):
        return
    where = f"{entry.dossier}/{sequence}"
    if entry.situation or not entry.items:
        yield entry, where, entry
    for number, item in enumerate(entry.items, 1):
        yield entry, f"{where}/{number}", item


def _document(entry: Entry, one: Entry | Item) -> Place | None:
    if one.resource.type != ResourceType.DOCUMENT:
        return None
    try:
        return entry.dossier, parse_pseudonym(one.resource.id)
    except InvalidIdentifierError:
        return None


def _recorded(entry: Entry, where: str, one: Entry | Item, types: dict[Place, str]) -> Recorded:
    place = _document(entry, one)
    return Recorded(
        where,
        entry.at,
        one.situation,
        one.allowed,
        one.rule,
        one.obligations,
        entry.profession,
        types.get(place) if place else None,
        fault=one.rule == SEAL_BROKEN,
    )
