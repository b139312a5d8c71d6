"""What bears on a question about many documents of a dossier: its facts and all its documents, however it is found."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from models.database import Database
from models.facts import Case, Particulars, Question, Reference
from models.queries import fetch_case, fetch_shelves
from models.queries.documents import add_document
from models.sheets import documents_in
from models.whereabouts import bucket_of
from tests.models import world
from tests.models.world import ALICE, BASILE, CHU, JULIE, NOBODY, SECRETARY, document, professional, question, structure

SUBJECTS = [professional(JULIE), structure(CHU), Reference("staff", SECRETARY.id), Reference("person", str(BASILE))]
ONE, TWO, OTHER = document(1), document(2, masked=True), document(3)


@pytest.fixture
async def filled(database: Database) -> Database:
    """Two documents of Alice's and one of Basile's."""
    await world.settle(database)
    async with database.begin() as connection:
        for dossier, each in ((ALICE, ONE), (ALICE, TWO), (BASILE, OTHER)):
            await add_document(connection, dossier, each)
    return database


def asked(subject: Reference = SUBJECTS[0], claimed: str | None = None) -> Question:
    return question(subject, Reference("document", str(ONE.id)), particulars=Particulars(dossier=claimed))


async def case_of(database: Database, about: Question, dossier: UUID) -> Case:
    """The case of the same question asked about the dossier itself."""
    of_dossier = Reference("dossier", str(dossier))
    return await fetch_case(database, question(about.subject, of_dossier, about.action, particulars=about.particulars))


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.type)
@pytest.mark.parametrize("claimed", [None, str(ALICE)])
async def test_a_document_gives_its_dossier_with_all_documents(
    filled: Database, subject: Reference, claimed: str | None
) -> None:
    """Whoever asks, and whether the dossier is named or found by the document."""
    about = asked(subject, claimed)
    (shelf,) = await fetch_shelves(filled, about, [ONE.id.bytes])
    assert shelf.case == await case_of(filled, about, ALICE)
    assert documents_in(shelf.documents) == [ONE, TWO]
    assert shelf.ids == [ONE.id.bytes, TWO.id.bytes]


async def test_documents_of_several_dossiers_give_each_once(filled: Database) -> None:
    """And those that are nowhere give nothing."""
    shelves = await fetch_shelves(filled, asked(), [each.bytes for each in (ONE.id, TWO.id, OTHER.id, NOBODY)])
    assert {b"".join(shelf.ids) for shelf in shelves} == {ONE.id.bytes + TWO.id.bytes, OTHER.id.bytes}
    for nothing in ([], [NOBODY.bytes], [NOBODY.bytes, UUID(int=1).bytes]):
        assert await fetch_shelves(filled, asked(), nothing) == []
    assert await fetch_shelves(filled, asked(claimed="nothing"), [ONE.id.bytes]) == []


async def test_an_id_that_stands_across_an_entry_is_found_where_it_is(filled: Database) -> None:
    """Its bytes are the end of another's id and the beginning of that one's dossier, in the same bucket."""
    first = replace(document(4), id=UUID("00000000-004e-58e3-0000-00005e2f25d2"))
    across = replace(document(5), id=UUID(bytes=first.id.bytes[8:] + ALICE.bytes[:8]))
    assert bucket_of(first.id) == bucket_of(across.id)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, first)
        await add_document(connection, BASILE, across)
    (shelf,) = await fetch_shelves(filled, asked(), [across.id.bytes])
    assert (shelf.case.dossier and shelf.case.dossier.id, shelf.ids[-1]) == (BASILE, across.id.bytes)


async def test_an_id_that_is_a_dossiers_at_the_end_of_a_bucket_is_none(filled: Database) -> None:
    """Nothing stands behind it that could be read as its dossier."""
    last = replace(document(4), id=UUID("00000000-0000-0000-0000-000001839101"))
    assert bucket_of(last.id) == bucket_of(ALICE)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, last)
    assert await fetch_shelves(filled, asked(), [ALICE.bytes]) == []
