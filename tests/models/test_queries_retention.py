"""What has been kept long enough, page by page; the same on both engines."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from models import tables
from models.database import Database
from models.errors import ConstraintError
from models.facts import Document
from models.queries.documents import add_document
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
from models.queries.sheets import hold_sheet, keep_sheet
from models.sheets import Filed, Sheet, Version, documents_in, pack_documents
from models.vocabulary import DocumentStatus, DossierState
from tests.models.world import AT, document

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


async def hold(database: Database, dossier: UUID, *documents: Document) -> None:
    """A dossier with these documents, each the first version of its series."""
    await keep(database, dossier, "open", 0)
    async with database.begin() as connection:
        packed = pack_documents([Filed(each, Version(each.id, 1)) for each in documents])
        await keep_sheet(connection, dossier, await hold_sheet(connection, dossier), Sheet(documents=packed))


def reimbursed(number: int, days: int, **facts: Any) -> Document:
    """A document of reimbursements whose last care was so many days before."""
    return document(number, **{"document_type": "REMB", "created_at": AT - days * DAY, **facts})


async def test_reimbursements_are_listed_by_the_oldest_care(database: Database) -> None:
    """Each dossier with every version that it has, page by page; nothing deleted, nothing of another type."""
    archived, superseded = DocumentStatus.ARCHIVED, DocumentStatus.SUPERSEDED
    old, older, young = reimbursed(1, 3), reimbursed(2, 9, status=archived), reimbursed(3, 1)
    deleted, other = reimbursed(4, 20, status=DocumentStatus.DELETED), document(5, created_at=AT - 20 * DAY)
    await hold(database, A, deleted, other, older, young)
    await hold(database, B, old, other)
    await hold(database, C, replace(old, status=superseded))
    await hold(database, D, deleted, other, young)
    await keep(database, E, "open", 9)
    pages, after = [], None
    while page := await list_expiring(database, AT - 2 * DAY, after, 1):
        after = page[-1]
        pages += page
    expected = [(A, [older, young]), (B, [old]), (C, [old])]
    assert pages == [
        Expiring(min(each.created_at for each in shown), dossier, {each.id: each.created_at for each in shown})
        for dossier, shown in expected
    ]
    assert await list_expiring(database, AT - 10 * DAY, None, 10) == []


async def test_expired_documents_are_deleted_once(database: Database) -> None:
    """Those of that dossier, with what was contested of them; a second time there is nothing left to delete."""
    one, two, young, elsewhere = reimbursed(1, 9), reimbursed(2, 9), reimbursed(3, 1), reimbursed(4, 9)
    await hold(database, A, one, two, young)
    await hold(database, B, elsewhere)
    contested = [(A, one), (A, young), (B, elsewhere)]
    async with database.begin() as connection:
        stated = [{"dossier": dossier, "document": each.id, "sealed": b"sealed"} for dossier, each in contested]
        await connection.execute(insert(tables.contest), stated)
    ids = [each.id for each in (two, one, elsewhere)]
    for expected in ([one.id, two.id], []):
        async with database.begin() as connection:
            assert await delete_expired(connection, A, ids) == expected
    assert await list_expiring(database, AT, None, 10) == [
        Expiring(elsewhere.created_at, B, {elsewhere.id: elsewhere.created_at}),
        Expiring(young.created_at, A, {young.id: young.created_at}),
    ]
    async with database.connect() as connection:
        sheet = await hold_sheet(connection, A)
    gone = [replace(each, status=DocumentStatus.DELETED) for each in (one, two)]
    assert documents_in(sheet.documents) == [*gone, young]
    rows = await database.read("SELECT dossier, document FROM contest ORDER BY dossier")
    assert [tuple(row) for row in rows] == [(A, young.id), (B, elsewhere.id)]


async def test_the_first_of_all_instants_expires(database: Database) -> None:
    """It is kept as its neighbour where the database would take it for another: minus infinity."""
    await keep(database, A, "open", 0)
    first = Document(UUID(int=1), "REMB", document(1).author, datetime.min.replace(tzinfo=UTC))
    async with database.begin() as connection:
        await add_document(connection, A, first)
    (found,) = await list_expiring(database, AT, None, 10)
    assert (found.at - first.created_at, found.dossier) == (timedelta(microseconds=1), A)


async def test_nothing_expires_in_a_dossier_that_is_gone(database: Database) -> None:
    """Whoever deletes holds it first."""
    with pytest.raises(ConstraintError):
        async with database.begin() as connection:
            await delete_expired(connection, A, [UUID(int=1)])


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
