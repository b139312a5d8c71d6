"""Questions that come at once share a look-up, and none is answered from before it was asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from api.services.lookups import Lookups
from models.database import Database, open_database, upgrade
from models.database.protocol import Dialect
from models.errors import DatabaseUnavailableError
from models.facts import Question, Reference

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def a_question(number: int) -> Question:
    """About a dossier that is not there: what counts is whose answer comes back."""
    return Question(Reference("professional", str(number)), "document:list", Reference("dossier", str(number)), NOW)


class Gate:
    """A database whose reads wait until they are let through, one by one."""

    dialect: Dialect = "sqlite"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.begun: list[asyncio.Future[None]] = []

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        passing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun.append(passing)
        await passing
        return await self._database.read(statement, *values)

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.begin()

    begin_hot = begin

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._database.connect()

    async def close(self) -> None:
        await self._database.close()


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    """An empty database behind a gate."""
    url = f"sqlite:///{tmp_path}/dmp.sqlite3"
    await asyncio.to_thread(upgrade, url)
    opened = Gate(await open_database(url))
    yield opened
    await opened.close()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def asked(lookups: Lookups, *numbers: int) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(lookups.case(a_question(number))) for number in numbers]
    await settle()
    return tasks


async def test_those_who_come_during_a_reading_share_the_next_one(gate: Gate) -> None:
    """Five questions, two readings: each gets the case of its own question."""
    lookups = Lookups(gate)
    first = await asked(lookups, 0)
    others = await asked(lookups, 1, 2, 3, 4)
    reading_alone = len(gate.begun)
    gate.begun[0].set_result(None)
    await settle()
    gate.begun[1].set_result(None)
    cases = await asyncio.gather(*first, *others)
    assert (reading_alone, len(gate.begun), [case.question for case in cases]) == (
        1,
        2,
        [a_question(number) for number in range(5)],
    )


async def test_a_question_is_not_answered_by_a_reading_begun_before_it(gate: Gate) -> None:
    """What was revoked before it was asked counts, so each question waits for a reading that begins after it."""
    lookups = Lookups(gate)
    await asked(lookups, 0)
    (late,) = await asked(lookups, 1)
    gate.begun[0].set_result(None)
    await settle()
    done_by_the_first = late.done()
    gate.begun[1].set_result(None)
    await late
    assert not done_by_the_first


async def test_a_reading_that_fails_fails_for_all_who_shared_it(gate: Gate) -> None:
    """Nobody waits for ever, and the next question is read anew."""
    lookups = Lookups(gate)
    first = await asked(lookups, 0)
    others = await asked(lookups, 1, 2)
    gate.begun[0].set_exception(DatabaseUnavailableError("gone"))
    await settle()
    gate.begun[1].set_exception(DatabaseUnavailableError("gone"))
    outcomes = await asyncio.gather(*first, *others, return_exceptions=True)
    (again,) = await asked(lookups, 3)
    gate.begun[2].set_result(None)
    assert ([type(each) for each in outcomes], (await again).question) == (
        [DatabaseUnavailableError] * 3,
        a_question(3),
    )


async def test_a_caller_who_leaves_holds_nobody_up(gate: Gate) -> None:
    """The others of a reading get their cases when the one that began it, or one that shares it, is cancelled."""
    lookups = Lookups(gate)
    (leaving,) = await asked(lookups, 0)
    (also_leaving, staying) = await asked(lookups, 1, 2)
    leaving.cancel()
    also_leaving.cancel()
    await settle()
    gate.begun[1].set_result(None)
    assert (await staying).question == a_question(2)


async def test_a_reading_that_is_cancelled_cancels_those_who_wait(gate: Gate) -> None:
    """At the end of the service nothing is left waiting."""
    lookups = Lookups(gate)
    await asked(lookups, 0)
    (waiting,) = await asked(lookups, 1)
    gate.begun[0].set_result(None)
    await settle()
    gate.begun[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
