"""What crosses dossiers: found by party and by dossier, page by page."""

from uuid import UUID

import pytest
from sqlalchemy import insert

from models import tables
from models.database import Database
from models.facts import Reference, Relation
from models.queries.dossiers import open_dossier, put_relation
from models.queries.search import dossiers_of_professional, professionals_of_dossier
from models.vocabulary import RelationKind
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LEA, NOBODY, professional, structure


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world, and ten dossiers with a relation to Karim, the practice or both; blocked in the last."""
    await world.settle(database)
    karim, practice = professional(KARIM), structure(world.PRACTICE)
    async with database.begin() as connection:
        for number in range(1, 12):
            await open_dossier(connection, UUID(int=number), at=AT)
            kind = RelationKind.BLOCKED if number == 11 else RelationKind.GRANTED
            await put_relation(connection, UUID(int=number), Relation(karim, kind))
        for number in range(2, 11, 2):
            await put_relation(connection, UUID(int=number), Relation(practice, RelationKind.CARE_TEAM))
        await put_relation(connection, UUID(int=2), Relation(karim, RelationKind.CARE_TEAM))
    return database


async def test_dossiers_of_a_professional(filled: Database) -> None:
    """By his own relations and by those of where he exercises, each dossier once; blocked ones are not open."""
    evens = [UUID(int=number) for number in range(2, 11, 2)]
    assert await dossiers_of_professional(filled, KARIM.rpps, limit=100) == [UUID(int=n) for n in range(1, 11)]
    assert await dossiers_of_professional(filled, JULIE.rpps, limit=100) == [*evens, ALICE]
    assert await dossiers_of_professional(filled, LEA.rpps, limit=100) == [ALICE]
    for nobody in ("10001234599", "", "\x00", "\ud800"):
        assert await dossiers_of_professional(filled, nobody, limit=100) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_dossiers_come_page_by_page(filled: Database, limit: int) -> None:
    """In the order of their ids, none twice, none left out."""
    pages = [await dossiers_of_professional(filled, JULIE.rpps, limit=limit)]
    while pages[-1]:
        pages.append(await dossiers_of_professional(filled, JULIE.rpps, after=pages[-1][-1], limit=limit))
    assert max(map(len, pages)) <= limit
    assert [each for page in pages for each in page] == [*(UUID(int=n) for n in range(2, 11, 2)), ALICE]


async def test_professionals_of_a_dossier(filled: Database) -> None:
    """Those with a relation of their own and those of an organization that has one, in order, page by page."""
    assert await professionals_of_dossier(filled, ALICE, limit=10) == [JULIE.rpps, LEA.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), limit=10) == [JULIE.rpps, KARIM.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), limit=1) == [JULIE.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), after=JULIE.rpps, limit=1) == [KARIM.rpps]
    assert await professionals_of_dossier(filled, UUID(int=4), after=KARIM.rpps, limit=1) == []
    assert await professionals_of_dossier(filled, NOBODY, limit=10) == []


async def test_a_party_that_is_kept_out_has_nothing_to_do_with_a_dossier(filled: Database) -> None:
    """Unless it has another tie there, which opens it; nor has somebody who represents the holder."""
    granted = Relation(professional(KARIM), RelationKind.GRANTED)
    async with filled.begin() as connection:
        await put_relation(connection, BASILE, Relation(structure(world.CHU), RelationKind.BLOCKED))
    assert await professionals_of_dossier(filled, BASILE, limit=10) == []
    async with filled.begin() as connection:
        await put_relation(connection, ALICE, granted)
    assert await professionals_of_dossier(filled, ALICE, limit=10) == [JULIE.rpps, KARIM.rpps, LEA.rpps]
    assert await dossiers_of_professional(filled, KARIM.rpps, after=UUID(int=10), limit=10) == [ALICE]


STRUCTURES = [f"{number:09}" for number in range(1, 150)]


@pytest.fixture
async def busy(filled: Database) -> Database:
    """The world, and more structures than are asked about at once; Karim exercises in each, and so does another."""
    async with filled.begin() as connection:
        rows = [{"id": each, "kind": "health_facility", "name": ""} for each in STRUCTURES]
        await connection.execute(insert(tables.organization), rows)
        others = [f"9{number:010}" for number in range(len(STRUCTURES))]
        people = [{"rpps": each, "profession": "nurse"} for each in others]
        await connection.execute(insert(tables.professional), people)
        places = [{"professional": KARIM.rpps, "organization": each} for each in STRUCTURES]
        places += [{"professional": who, "organization": of} for who, of in zip(others, STRUCTURES, strict=True)]
        await connection.execute(insert(tables.exercise), places)
        for each in STRUCTURES:
            await put_relation(connection, BASILE, Relation(Reference("organization", each), RelationKind.CARE_TEAM))
    return filled


async def test_many_structures_are_asked_about_some_at_a_time(busy: Database) -> None:
    """Pages are those that one question would give, whichever structure each line comes from."""
    everybody = [KARIM.rpps, *(f"9{number:010}" for number in range(len(STRUCTURES)))]
    assert await professionals_of_dossier(busy, BASILE, limit=1_000) == everybody
    assert await professionals_of_dossier(busy, BASILE, after=KARIM.rpps, limit=3) == everybody[1:4]
    assert await professionals_of_dossier(busy, BASILE, after=everybody[-2], limit=3) == everybody[-1:]
    assert await dossiers_of_professional(busy, KARIM.rpps, after=UUID(int=9), limit=9) == [UUID(int=10), BASILE]
