"""The documents of a dossier page by page, each as a case: what its row holds is read once, and cut packed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from models.database import Reads
from models.facts import Case, Question, Reference
from models.instants import instant_to_integer
from models.queries.hot import Shelf, fetch_shelf
from models.sheets import Place, document_at, in_order, seek
from models.vocabulary import ResourceType


class Position(NamedTuple):
    """Where a page of a listing begins: after the document created then, of this id."""

    created_at: datetime
    id: UUID

    @property
    def place(self) -> Place:
        """The same as a sheet knows it."""
        return instant_to_integer(self.created_at), self.id.bytes


@dataclass(frozen=True, slots=True)
class Sought:
    """Which documents of a dossier a listing is about, and in which order: from `since` on, before `until`."""

    document_types: Collection[str] | None = None
    author: Reference | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False
    current_only: bool = False

    def numbers(self, documents: bytes, after: Position | None = None) -> Iterator[int]:
        """Those of a sheet's documents, by number, in order, beyond a position; deleted ones never are."""
        return seek(
            documents,
            in_order(documents, None if after is None else after.place, oldest_first=self.oldest_first),
            types=self.document_types,
            author=self.author,
            since=self.since,
            until=self.until,
            current_only=self.current_only,
        )


ALL_DOCUMENTS = Sought()


async def fetch_listing(
    database: Reads,
    question: Question,
    *,
    document_types: Collection[str] | None = None,
    after: Position | None = None,
    limit: int | None = None,
) -> list[Case]:
    """As `fetch_sought`, of these types only, or of all."""
    return await fetch_sought(database, question, Sought(document_types), after=after, limit=limit)


async def fetch_sought(
    database: Reads,
    question: Question,
    sought: Sought,
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> list[Case]:
    """One case per document of a dossier that is not deleted, newest first unless asked otherwise, by one `read`.

    `question` is asked of the dossier; each case asks it of a document instead. Without `limit`, all documents: what
    the counts of a dossier's spaces need. The next page begins after `position_of` the last case of this one.
    """
    shelf = await fetch_shelf(database, question)
    if shelf is None:
        return []
    return [case_at(shelf, number) for number in islice(sought.numbers(shelf.documents, after), limit)]


def case_at(shelf: Shelf, number: int) -> Case:
    """The question that was asked of a dossier, asked of one of its documents instead."""
    common, document = shelf.case, document_at(shelf.documents, number)
    question = replace(common.question, resource=Reference(ResourceType.DOCUMENT, str(document.id)))
    return replace(common, question=question, document=document)


def position_of(case: Case) -> Position:
    """Where the page after this case of a listing begins. Raises ValueError for a case without a document."""
    if case.document is None:
        raise ValueError("a position in a listing is that of a document")
    return Position(case.document.created_at, case.document.id)
