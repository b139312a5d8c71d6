"""What is written about a dossier: its life, and its holder's choices."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import Table, insert, select, update

from models import tables
from models.database import Database
from models.errors import ConstraintError
from models.facts import Dossier, Message, Reference, Relation
from models.queries import dossiers as written
from models.queries import fetch_case
from models.queries.documents import add_document, set_contest
from models.queries.messages import StoredMessage, add_message
from models.queries.whereabouts import find_dossiers
from models.vocabulary import DossierState, RelationKind
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LATER, NOBODY, document, professional, question


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world as described there."""
    await world.settle(database)
    return database


async def _dossier(database: Database, identity: UUID) -> Dossier | None:
    asked = question(professional(JULIE), Reference("dossier", str(identity)))
    return (await fetch_case(database, asked)).dossier


async def test_opening(database: Database) -> None:
    """A dossier opens once, with nothing given and nothing refused."""
    async with database.begin() as connection:
        born = date(2015, 2, 28)
        assert await written.open_dossier(connection, NOBODY, at=AT, born=born, protected=True, ins_sealed=b"sealed")
    assert await _dossier(database, NOBODY) == Dossier(NOBODY, DossierState.OPEN, born=born, protected=True)
    async with database.begin() as connection:
        assert not await written.open_dossier(connection, NOBODY, at=LATER)
        kept = (await connection.execute(select(tables.dossier).where(tables.dossier.c.id == NOBODY))).one()
    assert (kept.opened_at, kept.ins_sealed, kept.state_since) == (AT, b"sealed", AT)


@pytest.mark.parametrize("state", [DossierState.OPEN, DossierState.CLOSED, DossierState.SUSPENDED])
async def test_opening_again(filled: Database, state: DossierState) -> None:
    """What is open, closed or suspended is not opened, and stays as it is."""
    async with filled.begin() as connection:
        await written.set_state(connection, ALICE, state, LATER)
        assert not await written.open_dossier(connection, ALICE, at=LATER)
    assert await _dossier(filled, ALICE) == replace(world.DOSSIER, state=state)


async def test_opening_where_there_was_none(filled: Database) -> None:
    """A dossier known to be in no state is opened as if new."""
    async with filled.begin() as connection:
        await written.set_state(connection, ALICE, DossierState.NONE, LATER)
        assert await written.open_dossier(connection, ALICE, at=LATER, born=date(1985, 5, 12))
    assert await _dossier(filled, ALICE) == Dossier(ALICE, DossierState.OPEN, born=date(1985, 5, 12))


async def test_states(filled: Database) -> None:
    """A change says whether it was one, and since when it holds."""
    async with filled.begin() as connection:
        assert await written.set_state(connection, ALICE, DossierState.CLOSED, LATER)
        assert not await written.set_state(connection, ALICE, DossierState.CLOSED, LATER + timedelta(1))
        assert not await written.set_state(connection, NOBODY, DossierState.CLOSED, LATER)
        since = await connection.scalar(select(tables.dossier.c.state_since).where(tables.dossier.c.id == ALICE))
    assert since == LATER
    assert (await _dossier(filled, ALICE)) == replace(world.DOSSIER, state=DossierState.CLOSED)
    assert (await _dossier(filled, BASILE)) == world.OTHER_DOSSIER


async def test_switches(filled: Database) -> None:
    """Each is set as given, and touches nothing else."""
    async with filled.begin() as connection:
        await written.set_emergency(
            connection, ALICE, refuses_break_glass=False, refuses_centre_15=True, masked_in_emergency=False
        )
        await written.set_care_team_consent(connection, ALICE, given=True)
    assert await _dossier(filled, ALICE) == replace(
        world.DOSSIER,
        refuses_break_glass=False,
        refuses_centre_15=True,
        masked_in_emergency=False,
        care_team_consent=True,
    )
    assert await _dossier(filled, BASILE) == world.OTHER_DOSSIER


async def test_erasing(filled: Database) -> None:
    """Nothing of the dossier remains but what the journal keeps; other dossiers lose nothing."""
    entry = {"sequence": 1, "leaf": b"", "previous": b"", "commitment": b"", "at": AT}
    told = {"id": ALICE, "obligation": "notify_patient", "action": "document:read", "mode": "normal"}
    beside: dict[Table, dict[str, object]] = {
        tables.notification: {**told, "sequence": 1, "at": AT, "due_at": AT},
        tables.scrub_finding: {"document": ALICE, "what": "missing", "found_at": AT},
        tables.idempotency: {"client": "x", "key": "y", "request": b"", "answer": "", "answered_at": AT},
        tables.journal_entry: entry,
    }
    async with filled.begin() as connection:
        await written.put_relation(connection, BASILE, Relation(professional(KARIM), RelationKind.GRANTED))
        for dossier, number in ((ALICE, 1), (BASILE, 2)):
            await add_document(connection, dossier, document(number))
            message = Message(UUID(int=0x3E55 + number), JULIE.rpps, KARIM.rpps)
            await add_message(connection, StoredMessage(dossier, message, AT, None, b""))
            await set_contest(connection, dossier, document(number).id, b"sealed")
            for table, row in beside.items():
                await connection.execute(insert(table), {"dossier": dossier, **row})
        assert await written.erase_dossier(connection, ALICE)
        assert not await written.erase_dossier(connection, ALICE)
        left = {
            name
            for name, table in tables.metadata.tables.items()
            if "dossier" in table.c
            for row in (await connection.execute(select(table.c.dossier).where(table.c.dossier == ALICE))).all()
            if row
        }
        tied = (await connection.execute(select(tables.tied))).all()
    assert left == {"journal_entry"}
    assert [(KARIM.rpps, BASILE)] == tied
    documents, messages = ([UUID(int=first + number) for number in (1, 2)] for first in (0xD0C0, 0x3E55))
    assert {documents[1]: BASILE, messages[1]: BASILE} == await find_dossiers(filled, [*documents, *messages])
    for name in ("notification", "scrub_finding", "idempotency", "contest", "message"):
        assert len(await filled.read(f"SELECT 1 FROM {name} WHERE dossier = $1::uuid", BASILE)) == 1
    assert await _dossier(filled, ALICE) is None
    assert await _dossier(filled, BASILE) == world.OTHER_DOSSIER


async def test_what_is_added_while_a_dossier_is_erased(filled: Database) -> None:
    """Whoever came first is finished first: what was added before goes too, and nothing is added after."""
    added = document(1)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, added)
        await written.put_relation(connection, ALICE, Relation(professional(KARIM), RelationKind.GRANTED))
        erasing = asyncio.create_task(_erase(filled))
        await asyncio.sleep(0)
    await erasing
    assert await filled.read("SELECT 1 FROM dossier WHERE id = $1::uuid", ALICE) == []
    assert await filled.read("SELECT 1 FROM tied WHERE dossier = $1::uuid", ALICE) == []
    assert await find_dossiers(filled, [added.id]) == {}
    with pytest.raises(ConstraintError):
        async with filled.begin() as connection:
            await add_document(connection, ALICE, document(2))


async def _erase(database: Database) -> None:
    async with database.begin() as connection:
        await written.erase_dossier(connection, ALICE)


async def test_a_word_that_nobody_knows_is_a_fault(filled: Database) -> None:
    """A row that someone else wrote with an unknown word opens nothing: there is no case."""
    async with filled.begin() as connection:
        await connection.execute(update(tables.dossier).values(state="ajar"))
    with pytest.raises(ValueError, match="ajar"):
        await _dossier(filled, ALICE)
