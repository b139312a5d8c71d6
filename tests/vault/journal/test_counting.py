"""Accesses in an emergency are counted with their entry, and nothing else is."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from models.database import Database
from models.facts import Reference
from models.tables import emergency
from tests.vault.journal.entries import DOSSIER, an_entry
from vault.journal.entry import Entry, Item, fold
from vault.journal.ledger import Ledger

DAY = date(2026, 11, 2)


async def counted(database: Database) -> list[tuple[date, str]]:
    async with database.connect() as connection:
        rows = await connection.execute(select(emergency.c.day, emergency.c.mode))
        return sorted((row.day, row.mode) for row in rows)


def listing(*allowed: bool) -> Entry:
    """A dossier listed in an emergency, with what its lines were given."""
    dossier = Reference("dossier", str(DOSSIER))
    items = tuple(Item("document:read", an_entry().resource, each, "break-glass") for each in allowed)
    return an_entry(action="document:list", resource=dossier, mode="break_glass", items=items)


async def test_each_permitted_access_in_an_emergency_counts_once(database: Database, ledger: Ledger) -> None:
    """By its mode; a listing counts once, whatever it shows, and what was asked together is one access."""
    together = fold([an_entry(mode="centre_15", request_id=f"r-{number}") for number in range(3)])
    await ledger.record_all([an_entry(mode="break_glass"), listing(True, False, True), *together])
    assert await counted(database) == [(DAY, "break_glass"), (DAY, "break_glass"), (DAY, "centre_15")]


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(),
        an_entry(mode="break_glass", allowed=False),
        an_entry(mode="break_glass", action="dossier:export"),
        an_entry(mode="siege"),
    ],
    ids=["in normal mode", "refused", "no access", "in no mode that there is"],
)
async def test_nothing_else_counts(database: Database, ledger: Ledger, entry: Entry) -> None:
    """Neither what is refused, nor other modes, nor other actions."""
    await ledger.record(entry)
    assert await counted(database) == []


async def test_one_permitted_item_makes_an_access(database: Database, ledger: Ledger) -> None:
    """A batch of different actions is named `evaluations`: its items say whether something was read."""
    batch = fold([an_entry(mode="break_glass"), an_entry(mode="break_glass", action="dossier:close", allowed=False)])
    assert [each.action for each in batch] == ["evaluations"]
    await ledger.record_all(batch)
    assert await counted(database) == [(DAY, "break_glass")]


async def test_the_day_is_that_of_paris(database: Database, ledger: Ledger) -> None:
    """Half past ten in the evening of UTC is the next day there, in summer."""
    await ledger.record(an_entry(mode="break_glass", at=datetime(2026, 6, 30, 22, 30, tzinfo=UTC)))
    assert await counted(database) == [(date(2026, 7, 1), "break_glass")]


async def test_many_at_once_are_all_counted(database: Database, ledger: Ledger) -> None:
    """Those of one commit are written by one statement, under ids of their own."""
    await asyncio.gather(*(ledger.record(an_entry(mode="centre_15", request_id=f"r-{each}")) for each in range(50)))
    assert await counted(database) == [(DAY, "centre_15")] * 50


async def test_an_access_that_is_not_written_down_is_not_counted(database: Database, ledger: Ledger) -> None:
    """A transaction that is undone leaves neither the entry nor the count."""

    async def change_and_fail() -> None:
        async with database.begin() as connection:
            await ledger.append(connection, [an_entry(mode="break_glass")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    assert await counted(database) == []
