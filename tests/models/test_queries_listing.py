"""A dossier's documents, page by page, each as a case."""

from datetime import timedelta
from uuid import UUID

import pytest

from models.database import Database
from models.facts import Case, Document, Reference
from models.queries import Position, Sought, fetch_case, fetch_listing, fetch_sought, position_of
from models.queries.documents import add_document
from models.vocabulary import DocumentStatus
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, NOBODY, document, professional, question

IN_DOSSIER = question(professional(JULIE), Reference("dossier", str(ALICE)))
DOCUMENTS = [
    document(0),
    document(1, masked=True, document_type="REMB"),
    document(2, withheld_until=AT + timedelta(days=9), author=Reference("person", str(ALICE))),
    document(4, created_at=AT - timedelta(days=3), status=DocumentStatus.SUPERSEDED),
    document(3, hidden_from_representatives=True, status=DocumentStatus.ARCHIVED),
    document(5, document_type="REMB"),
]
"""Newest first; two of one instant, the greater id first."""
DELETED = document(6, status=DocumentStatus.DELETED)


@pytest.fixture
async def filled(database: Database) -> Database:
    """Six documents of Alice's, one deleted, one of Basile's."""
    await world.settle(database)
    async with database.begin() as connection:
        for each in (*reversed(DOCUMENTS), DELETED):
            await add_document(connection, ALICE, each)
        await add_document(connection, BASILE, document(7))
    return database


def _documents(cases: list[Case]) -> list[Document | None]:
    return [case.document for case in cases]


async def test_all_documents_newest_first(filled: Database) -> None:
    """Without a limit, all but the deleted ones, and none of another dossier."""
    assert _documents(await fetch_listing(filled, IN_DOSSIER)) == DOCUMENTS


async def test_a_line_is_the_case_of_its_document(filled: Database) -> None:
    """A line is judged on the very facts on which the document alone would be, whoever asks."""
    for asker in (professional(JULIE), Reference("person", str(BASILE)), world.structure(world.CHU)):
        lines = await fetch_listing(filled, question(asker, IN_DOSSIER.resource))
        alone = [await fetch_case(filled, line.question) for line in lines]
        assert lines == alone
        assert [line.question.resource for line in lines] == [Reference("document", str(each.id)) for each in DOCUMENTS]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
async def test_pages_make_the_whole(filled: Database, limit: int) -> None:
    """Page after page, every document comes once, also where two are of one instant."""
    pages = [await fetch_listing(filled, IN_DOSSIER, limit=limit)]
    while pages[-1]:
        pages.append(await fetch_listing(filled, IN_DOSSIER, after=position_of(pages[-1][-1]), limit=limit))
    assert max(map(len, pages)) <= limit
    assert _documents([case for page in pages for case in page]) == DOCUMENTS


async def test_a_page_is_not_moved_by_a_deposit(filled: Database) -> None:
    """A document that arrives between two pages shifts nothing."""
    first = await fetch_listing(filled, IN_DOSSIER, limit=2)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, document(-1))
    second = await fetch_listing(filled, IN_DOSSIER, after=position_of(first[-1]), limit=2)
    assert _documents([*first, *second]) == DOCUMENTS[:4]


async def test_types_of_one_space(filled: Database) -> None:
    """Only documents of the types asked for, any number of them; of no type, none."""
    remb = [each for each in DOCUMENTS if each.document_type == "REMB"]
    assert _documents(await fetch_listing(filled, IN_DOSSIER, document_types={"REMB"})) == remb
    assert _documents(await fetch_listing(filled, IN_DOSSIER, document_types={"REMB", "11488-4", "x"})) == DOCUMENTS
    assert await fetch_listing(filled, IN_DOSSIER, document_types={"x"}) == []
    assert await fetch_listing(filled, IN_DOSSIER, document_types=()) == []
    after = position_of((await fetch_listing(filled, IN_DOSSIER, limit=2))[-1])
    assert _documents(await fetch_listing(filled, IN_DOSSIER, document_types={"REMB"}, after=after)) == remb[1:]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_pages_go_the_other_way_too(filled: Database, limit: int) -> None:
    """Oldest first: the same documents, in the exact opposite order."""
    oldest_first = Sought(oldest_first=True)
    pages = [await fetch_sought(filled, IN_DOSSIER, oldest_first, limit=limit)]
    while pages[-1]:
        after = position_of(pages[-1][-1])
        pages.append(await fetch_sought(filled, IN_DOSSIER, oldest_first, after=after, limit=limit))
    assert _documents([case for page in pages for case in page]) == DOCUMENTS[::-1]


async def test_what_is_sought_is_narrowed(filled: Database) -> None:
    """By author, in whatever case his pseudonym is written; from an instant on, before another; by all at once."""
    at = [each.created_at for each in DOCUMENTS]
    asked = [
        (Sought(author=professional(JULIE)), [0, 1, 3, 4, 5]),
        (Sought(author=Reference("person", str(ALICE).upper())), [2]),
        (Sought(author=Reference("organization", JULIE.rpps)), []),
        (Sought(since=at[2]), [0, 1, 2]),
        (Sought(until=at[2]), [3, 4, 5]),
        (Sought(since=at[3], until=at[1]), [2, 3, 4]),
        (Sought({"REMB"}, professional(JULIE), at[2], AT, oldest_first=True), [1]),
        (Sought(since=AT + timedelta(days=1)), []),
    ]
    before_all = Position(AT + timedelta(days=1), UUID(int=0))
    for sought, numbers in asked:
        expected = [DOCUMENTS[number] for number in numbers]
        assert _documents(await fetch_sought(filled, IN_DOSSIER, sought)) == expected
        if not sought.oldest_first:
            paged = await fetch_sought(filled, IN_DOSSIER, sought, after=before_all, limit=9)
            assert _documents(paged) == expected


async def test_no_dossier_has_no_documents(filled: Database) -> None:
    """Nor has a malformed one, nor anything else than a dossier."""
    for resource in ("dossier", str(NOBODY)), ("dossier", "no uuid"), ("document", str(DOCUMENTS[0].id)):
        assert await fetch_listing(filled, question(professional(JULIE), Reference(*resource))) == []


def test_a_position_is_a_document_s() -> None:
    """A case about something else has none."""
    asked = question(professional(JULIE), Reference("document", str(UUID(int=0xD0C0))))
    assert position_of(Case(asked, document=document(0))) == Position(AT, UUID(int=0xD0C0))
    with pytest.raises(ValueError, match="document"):
        position_of(Case(asked))
