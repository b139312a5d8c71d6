"""What has been kept long enough, page by page; the same on both engines."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, update

from models import tables
from models.database import Database
from models.queries.dossiers import lock_dossier
from models.queries.retention import (
    Expiring,
    Since,
    delete_expired,
    find_trace,
    forget_strays,
    list_closed,
    list_expiring,
    list_traces,
    lock_traces,
)
from models.vocabulary import DossierState
from tests.models.world import AT

DAY = timedelta(days=1)
NIL = UUID(int=0)
A, B, C, D, E, F = (UUID(int=number << 120 | number) for number in range(1, 7))


async def keep(database: Database, identity: UUID, state: str, days: int) -> None:
    """A dossier, in this state since so many days before."""
    async with database.begin() as connection:
        row = {"id": identity, "state": state, "state_since": AT - days * DAY}
        await connection.execute(insert(tables.dossier), row)


async def trace(database: Database, dossier: UUID, *days: int, readable: bool = True) -> None:
    """A journal whose entries were written so many days before."""
    rows = [
        {"dossier": dossier, "sequence": number, "leaf": b"", "previous": b"", "commitment": b"", "at": AT - each * DAY}
        for number, each in enumerate(days, 1)
    ]
    chain = {"dossier": dossier, "sequence": len(days), "leaf": b"", "wrapped": b"key" if readable else None}
    async with database.begin() as connection:
        await connection.execute(insert(tables.journal_entry), rows)
        await connection.execute(insert(tables.journal_chain), chain)


async def test_closed_dossiers_are_listed_by_their_closing(database: Database) -> None:
    """Those closed until then, at that instant included; no other state counts."""
    for identity, state, days in ((C, "closed", 3), (A, "closed", 2), (B, "closed", 2), (D, "closed", 0)):
        await keep(database, identity, state, days)
    for identity, state in ((E, "suspended"), (F, "open")):
        await keep(database, identity, state, 9)
    assert [each.dossier for each in await list_closed(database, AT - 2 * DAY, None, 10)] == [C, A, B]
    assert await list_closed(database, AT - 4 * DAY, None, 10) == []
    pages, after = [], None
    while page := await list_closed(database, AT, after, 1):
        after = page[-1]
        pages += page
    assert pages == [Since(AT - days * DAY, identity) for identity, days in ((C, 3), (A, 2), (B, 2), (D, 0))]


async def test_a_dossier_is_locked_as_it_is(database: Database) -> None:
    """Its state, since when; nothing of one that there is not."""
    await keep(database, A, "closed", 3)
    async with database.begin() as connection:
        assert await lock_dossier(connection, A) == (DossierState.CLOSED, AT - 3 * DAY)
        assert await lock_dossier(connection, B) is None


async def document(database: Database, dossier: UUID, number: int, days: int, **told: str) -> None:
    """A document of reimbursements whose last care was so many days before."""
    row = {"dossier": dossier, "id": UUID(int=number), "series": UUID(int=number), "created_at": AT - days * DAY}
    row |= {"document_type": "REMB", "author_type": "organization", "author_id": "180035024", "status": "current"}
    async with database.begin() as connection:
        await connection.execute(insert(tables.document), row | told)


async def test_reimbursements_are_listed_by_their_last_care(database: Database) -> None:
    """Every version of them, page by page; nothing that is deleted, nothing of another type, nothing younger."""
    for dossier, number, days, told in (
        (B, 1, 3, {}),
        (A, 2, 3, {"status": "superseded"}),
        (A, 3, 9, {"status": "archived"}),
        (A, 4, 9, {"status": "deleted"}),
        (A, 5, 9, {"document_type": "11488-4"}),
        (A, 6, 1, {}),
    ):
        await document(database, dossier, number, days, **told)
    pages, after = [], None
    while page := await list_expiring(database, AT - 2 * DAY, after, 1):
        after = page[-1]
        pages += page
    expected = ((9, A, 3), (3, A, 2), (3, B, 1))
    assert pages == [Expiring(AT - days * DAY, dossier, UUID(int=number)) for days, dossier, number in expected]


async def test_expired_documents_are_deleted_once(database: Database) -> None:
    """Those of that dossier, with what was contested of them; a second time there is nothing left to delete."""
    for dossier, number in ((A, 1), (A, 2), (B, 3)):
        await document(database, dossier, number, 9)
    ids = [UUID(int=number) for number in (2, 1, 3, 4)]
    async with database.begin() as connection:
        await connection.execute(update(tables.document).values(contest_sealed=b"sealed"))
        assert await delete_expired(connection, A, ids) == [UUID(int=1), UUID(int=2)]
        assert await delete_expired(connection, A, ids) == []
    rows = await database.read("SELECT id, status, contest_sealed FROM document ORDER BY id")
    assert [(row[0].int, row[1], row[2]) for row in rows] == [
        (1, "deleted", None),
        (2, "deleted", None),
        (3, "current", b"sealed"),
    ]


async def test_traces_are_those_of_dossiers_that_are_gone(database: Database) -> None:
    """By their last entry; none of no dossier, none that cannot be read, none of a dossier that there is."""
    await keep(database, A, "open", 9)
    for dossier, days in ((NIL, (9,)), (A, (9,)), (B, (9, 5)), (C, (9, 1)), (E, (7,))):
        await trace(database, dossier, *days)
    await trace(database, D, 9, readable=False)
    assert await list_traces(database, AT - 5 * DAY, NIL, 10) == [Since(AT - 5 * DAY, B), Since(AT - 7 * DAY, E)]
    assert [each.dossier for each in await list_traces(database, AT, NIL, 2)] == [B, C]
    assert [each.dossier for each in await list_traces(database, AT, C, 2)] == [E]
    async with database.connect() as connection:
        found = {identity: await find_trace(connection, identity) for identity in (A, B, C, D, F)}
    assert found == {A: None, B: Since(AT - 5 * DAY, B), C: Since(AT - DAY, C), D: None, F: None}


async def test_locked_traces_wait(database: Database) -> None:
    """Whoever locks the same journals in any order waits his turn."""
    await trace(database, NIL, 1)
    await trace(database, A, 1)
    turns: list[int] = []

    async def lock(number: int, *chains: UUID) -> None:
        async with database.begin() as connection:
            await lock_traces(connection, chains)
            turns.append(number)
            await asyncio.sleep(0)
            turns.append(number)

    await asyncio.gather(*(lock(number, *((NIL, A) if number % 2 else (A, NIL))) for number in range(6)))
    assert turns[::2] == turns[1::2]


async def test_strays_are_what_stands_beside_no_dossier(database: Database) -> None:
    """And nothing of those that there are."""
    await keep(database, A, "open", 1)
    async with database.begin() as connection:
        for dossier in (A, B):
            await connection.execute(insert(tables.has_read), {"dossier": dossier, "professional": "10001234565"})
        told = {"id": B, "sequence": 1, "obligation": "notify_patient", "action": "x", "mode": "normal", "at": AT}
        await connection.execute(insert(tables.notification), {"dossier": B, **told})
        assert await forget_strays(connection) == 2
        assert await forget_strays(connection) == 0
    assert len(await database.read("SELECT 1 FROM has_read")) == 1
