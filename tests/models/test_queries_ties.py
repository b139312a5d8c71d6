"""Who has to do with a dossier: written one by one and many at once, by several at once, and where to look for it."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from models import tables
from models.database import Database
from models.errors import ConstraintError
from models.facts import Case, Person, Reference, Relation
from models.queries import dossiers as written
from models.queries import fetch_case
from models.queries.documents import add_document
from models.vocabulary import RelationKind
from tests.models import world
from tests.models.world import (
    ALICE,
    AT,
    BASILE,
    JULIE,
    KARIM,
    LATER,
    NOBODY,
    document,
    professional,
    question,
    structure,
)
from tests.stored import stored_documents


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world as described there."""
    await world.settle(database)
    return database


async def _case(database: Database, identity: UUID, asker: Reference | None = None) -> Case:
    subject = asker or professional(JULIE)
    return await fetch_case(database, question(subject, Reference("dossier", str(identity))))


async def test_relations_are_written_over(filled: Database) -> None:
    """One of the same party and kind is replaced, another kind stands beside it."""
    renewed = replace(world.TEAM, since=AT, until=LATER)
    granted = Relation(professional(JULIE), RelationKind.GRANTED)
    async with filled.begin() as connection:
        await written.put_relation(connection, BASILE, world.TEAM)
        await written.put_relation(connection, BASILE, renewed)
        await written.put_relation(connection, BASILE, granted)
        assert await written.list_relations(connection, BASILE) == [renewed, granted]
    assert set((await _case(filled, BASILE)).relations) == {renewed, granted}


async def test_a_relation_needs_a_dossier(filled: Database) -> None:
    """As does a representation."""
    with pytest.raises(ConstraintError):
        async with filled.begin() as connection:
            await written.put_relation(connection, NOBODY, world.TEAM)
    with pytest.raises(ConstraintError):
        async with filled.begin() as connection:
            await written.put_representation(connection, NOBODY, world.CARER)
    with pytest.raises(ConstraintError):
        async with filled.begin() as connection:
            await written.declare_treating_physician(connection, NOBODY, JULIE.rpps, AT)


async def test_relations_end(filled: Database) -> None:
    """Those of the kinds named, of that party, in that dossier; what there was is told."""
    kinds = {RelationKind.CARE_TEAM, RelationKind.GRANTED}
    async with filled.begin() as connection:
        assert await written.delete_relations(connection, ALICE, professional(JULIE), kinds) == {RelationKind.CARE_TEAM}
        assert await written.delete_relations(connection, ALICE, professional(JULIE), kinds) == frozenset()
        assert await written.list_relations(connection, ALICE) == [
            world.OF_CHU_TOO,
            world.OF_CHU,
            world.OF_PRACTICE,
            world.TREATING,
            world.OF_KARIM,
        ]


@pytest.mark.parametrize(
    "before, since",
    [
        (None, LATER),
        ((None, None), None),
        ((AT, None), AT),
        ((AT, LATER + timedelta(days=1)), AT),
        ((AT, LATER), LATER),
        ((LATER + timedelta(days=1), None), LATER),
    ],
)
async def test_declaring_a_treating_physician(filled: Database, before: Any, since: Any) -> None:
    """From now on and without end; the beginning of one still in force stays, over and future ones begin anew."""
    kind = RelationKind.TREATING_PHYSICIAN
    async with filled.begin() as connection:
        if before is not None:
            await written.put_relation(connection, BASILE, Relation(professional(KARIM), kind, *before))
        await written.declare_treating_physician(connection, BASILE, KARIM.rpps, LATER)
        assert await written.list_relations(connection, BASILE) == [Relation(professional(KARIM), kind, since)]
        assert await written.end_treating_physician(connection, BASILE, KARIM.rpps)
        assert not await written.end_treating_physician(connection, BASILE, KARIM.rpps)
        assert await written.list_relations(connection, BASILE) == []


async def test_representations(filled: Database) -> None:
    """One of the same person and kind is replaced, and the person is that to decisions."""
    endless = replace(world.GUARDIAN, until=None)
    async with filled.begin() as connection:
        await written.put_representation(connection, ALICE, endless)
        assert await written.list_representations(connection, ALICE) == [world.CARER, endless]
    case = await _case(filled, ALICE, Reference("person", str(BASILE)))
    assert (case.subject, case.representations) == (Person(BASILE), (world.CARER, endless))


async def _tied(database: Database) -> set[tuple[str, UUID]]:
    return {(row[0], row[1]) for row in await database.read("SELECT party, dossier FROM tied")}


async def test_where_to_look_for_a_party_follows_its_ties(filled: Database) -> None:
    """From the first that may open on, to the last; being kept out, or representing, is none."""
    karim, chu = professional(KARIM), structure(world.CHU)
    before = await _tied(filled)
    assert before == {(JULIE.rpps, ALICE), (world.CHU.id, ALICE), (world.PRACTICE.id, ALICE)}
    async with filled.begin() as connection:
        await written.put_relation(connection, BASILE, Relation(karim, RelationKind.BLOCKED))
        await written.put_representation(connection, BASILE, replace(world.CARER, person=ALICE))
    assert await _tied(filled) == before
    async with filled.begin() as connection:
        await written.put_relation(connection, BASILE, Relation(karim, RelationKind.GRANTED))
        await written.declare_treating_physician(connection, BASILE, KARIM.rpps, AT)
        await written.put_relation(connection, BASILE, Relation(chu, RelationKind.CARE_TEAM, until=AT))
    assert await _tied(filled) == {*before, (KARIM.rpps, BASILE), (world.CHU.id, BASILE)}
    async with filled.begin() as connection:
        await written.delete_relations(connection, BASILE, karim, {RelationKind.GRANTED, RelationKind.BLOCKED})
        await written.delete_relations(connection, BASILE, chu, set(RelationKind))
    assert await _tied(filled) == {*before, (KARIM.rpps, BASILE)}
    async with filled.begin() as connection:
        await written.end_treating_physician(connection, BASILE, KARIM.rpps)
    assert await _tied(filled) == before


async def test_ending_what_is_in_no_dossier_ends_nothing(filled: Database) -> None:
    """There was none, and nobody is told otherwise."""
    async with filled.begin() as connection:
        assert await written.delete_relations(connection, NOBODY, professional(JULIE), set(RelationKind)) == frozenset()
        assert not await written.end_treating_physician(connection, NOBODY, JULIE.rpps)
        assert await written.list_relations(connection, NOBODY) == []
        assert await written.list_representations(connection, NOBODY) == []


MANY = [UUID(int=1 << 64 | number) for number in range(1_501)]


@pytest.fixture
async def crowded(filled: Database) -> Database:
    """The world, and more dossiers than one statement holds."""
    async with filled.begin() as connection:
        rows = [{"id": each, "state": "open", "state_since": AT} for each in MANY]
        await connection.execute(insert(tables.dossier), rows)
    return filled


async def test_declaring_in_many_dossiers(crowded: Database) -> None:
    """As in each alone, several in one too; all or nothing, if one of the dossiers is gone."""
    named = {*((each, JULIE.rpps) for each in MANY), (MANY[0], KARIM.rpps), (ALICE, JULIE.rpps)}
    expected = await _tied(crowded) | {(rpps, each) for each, rpps in named}
    async with crowded.begin() as connection:
        await written.declare_treating_physicians(connection, named, LATER)
    assert await _tied(crowded) == expected
    kind = RelationKind.TREATING_PHYSICIAN
    async with crowded.connect() as connection:
        assert world.TREATING in await written.list_relations(connection, ALICE)
        for each, who in ((MANY[0], (JULIE, KARIM)), (MANY[-1], (JULIE,))):
            declared = [Relation(professional(one), kind, LATER) for one in who]
            assert await written.list_relations(connection, each) == declared
    with pytest.raises(ConstraintError):
        async with crowded.begin() as connection:
            await written.declare_treating_physicians(connection, [(MANY[1], KARIM.rpps), (NOBODY, KARIM.rpps)], AT)
    assert await _tied(crowded) == expected


async def test_changes_at_once_lose_nothing_of_each_other(filled: Database) -> None:
    """Whoever changes a dossier's ties does so on what the one before left."""
    parties = [Reference("professional", f"{number:011}") for number in range(12)]

    async def grant(party: Reference) -> None:
        async with filled.begin() as connection:
            await written.put_relation(connection, BASILE, Relation(party, RelationKind.GRANTED))
            await add_document(connection, BASILE, document(int(party.id)))

    await asyncio.gather(*map(grant, parties))
    async with filled.connect() as connection:
        held = await written.list_relations(connection, BASILE)
    assert held == [Relation(party, RelationKind.GRANTED) for party in parties]
    assert {party for party, dossier in await _tied(filled) if dossier == BASILE} == {party.id for party in parties}
    assert len(await stored_documents(filled)) == len(parties)


async def test_nobody_waits_for_another_in_a_circle(crowded: Database) -> None:
    """Those who declare in many dossiers, in whatever order they name them, and those who erase or deposit there."""
    drawn = random.Random(7)

    async def declare(rpps: str) -> None:
        named = [(each, rpps) for each in drawn.sample(MANY, 300)]
        with suppress(ConstraintError):  # one of them was erased before
            async with crowded.begin() as connection:
                await written.declare_treating_physicians(connection, named, AT)

    async def add_and_erase(dossier: UUID, number: int) -> None:
        async with crowded.begin() as connection:
            await add_document(connection, dossier, document(number))
        async with crowded.begin() as connection:
            assert await written.erase_dossier(connection, dossier)

    declaring = [declare(f"{number:011}") for number in range(6)]
    await asyncio.gather(*declaring, *(add_and_erase(each, number) for number, each in enumerate(MANY[::300])))
    assert {dossier for _, dossier in await _tied(crowded)} & set(MANY[::300]) == set()
    assert await stored_documents(crowded) == []
