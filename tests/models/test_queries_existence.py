"""The "bouton DMP": the cases of many dossiers are those of each."""

from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from models import tables
from models.database import Database
from models.facts import Question, Reference, Relation
from models.queries import fetch_cases
from models.queries.dossiers import put_relation
from models.queries.existence import fetch_open
from models.vocabulary import RelationKind
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LEA, NOBODY, professional, question, structure

DOSSIERS = [BASILE, ALICE, NOBODY, ALICE]
SUBJECTS = [
    professional(JULIE),
    professional(KARIM),
    professional(LEA),
    structure(world.CHU),
    structure(world.BANK),
    Reference("staff", world.SECRETARY.id),
    *(Reference("person", str(each)) for each in (ALICE, BASILE, NOBODY)),
]
NOBODY_AT_ALL = [Reference("professional", "10001234599"), Reference("person", "\x00"), Reference("robot", "1")]


@pytest.fixture
async def filled(database: Database) -> Database:
    await world.settle(database)
    return database


def asked(subject: Reference, dossier: UUID | None = None) -> Question:
    return question(subject, Reference("dossier", str(dossier or "")), "dossier:exists")


@pytest.mark.parametrize("both_open", [False, True])
async def test_cases_are_those_of_each_dossier(filled: Database, both_open: bool) -> None:
    """Of open dossiers, whoever asks; in every other respect what is stored about each alone."""
    if both_open:
        async with filled.begin() as connection:
            await connection.execute(update(tables.dossier).values(state="open"))
    expected = [ALICE, BASILE] if both_open else [ALICE]
    for subject in SUBJECTS:
        _, cases = await fetch_open(filled, asked(subject), DOSSIERS)
        each = await fetch_cases(filled, [asked(subject, dossier) for dossier in expected])
        assert cases == dict(zip(expected, each, strict=True))


async def test_whom_nobody_knows_stays_unknown(filled: Database) -> None:
    """The case says so with no dossier too."""
    for subject in NOBODY_AT_ALL:
        alone, cases = await fetch_open(filled, asked(subject), DOSSIERS)
        assert alone.subject is None
        assert [case.subject for case in cases.values()] == [None]


async def test_no_dossier_at_all(filled: Database) -> None:
    """Nothing asked, nothing found; who asks is known all the same."""
    assert await fetch_open(filled, asked(professional(KARIM)), []) == (
        (await fetch_cases(filled, [asked(professional(KARIM))]))[0],
        {},
    )


async def test_a_great_many(filled: Database) -> None:
    """As many as one request may ask about."""
    many = [UUID(int=number) for number in range(499)]
    _, cases = await fetch_open(filled, asked(professional(KARIM)), [*many, ALICE])
    assert list(cases) == [ALICE]


async def test_the_relation_of_a_namesake_counts_for_nothing(filled: Database) -> None:
    """An organization whose number is a professional's, or the other way round, is another party."""
    namesake = structure(replace(world.CHU, id=KARIM.rpps))
    async with filled.begin() as connection:
        await put_relation(connection, ALICE, Relation(namesake, RelationKind.GRANTED))
    _, cases = await fetch_open(filled, asked(professional(KARIM)), [ALICE])
    assert cases[ALICE].relations == (Relation(professional(KARIM), RelationKind.BLOCKED),)
    assert cases[ALICE].question.at == AT
