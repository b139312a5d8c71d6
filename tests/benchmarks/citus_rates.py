"""What look-ups and decisions cost on a Citus cluster: `python -m tests.benchmarks.citus_rates [SECONDS]`.

A coordinator and two workers beside one server, and the service's own loader and judging in this process, by turns. All
share the machine, so a cluster can only lose here: what is told is what it costs, not what it carries. Needs Citus.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from uuid import UUID

import asyncpg

from api.identity import Caller, Client
from api.services.judging import Judgement, Judging
from models.database import upgrade
from models.facts import Question, Reference
from models.queries import fetch_cases
from models.vocabulary import Scope, SubjectType
from tests.api.whole import PHYSICIAN, Whole, whole
from tests.servers.citus import SHARDS, citus
from tests.servers.postgresql import postgresql

DOSSIERS, TURNS = 20_000, 5
_AT = datetime(2026, 10, 15, 12, tzinfo=UTC)
_RANDOM = Random(7)
_IDENTITIES = [UUID(int=_RANDOM.getrandbits(128)) for _ in range(DOSSIERS)]
_CLIENT = Client("all", frozenset(Scope), frozenset(SubjectType), None)
_CALLER = Caller(_CLIENT, "0" * 32)

Ask = Callable[[Sequence[Question]], Awaitable[object]]


def main(seconds: float) -> None:
    with postgresql() as server, citus() as cluster, tempfile.TemporaryDirectory() as folder:
        one, many = server.create("one"), cluster.create("many")
        upgrade(one)
        upgrade(many, distributed=True)
        asyncio.run(_compare(one, many, Path(folder), seconds))


async def _compare(one: str, many: str, folder: Path, seconds: float) -> None:
    for url in (one, many):
        await _fill(url)
    homes = [folder / "one", folder / "many"]
    for home in homes:
        home.mkdir()
    async with whole(one, homes[0]) as on_one, whole(many, homes[1]) as on_many:
        for what, at_once, way in (
            ("rows looked up", 16, _looking_up),
            ("what-if decisions", 32, _deciding),
            ("journaled decisions", 32, _journaling),
            ("what-if decisions, one at a time", 1, _deciding),
        ):
            rates = await _by_turns([way(on_one), way(on_many)], at_once, seconds)
            print(
                f"{what}, {at_once} at once: one server {rates[0]:,.0f} a second, "
                f"{SHARDS} shards on two workers {rates[1]:,.0f} ({rates[1] / rates[0]:.2f})",
                flush=True,
            )


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    rows = [(identity, "open", _AT, b"") for identity in _IDENTITIES]
    await connection.copy_records_to_table("dossier", records=rows, columns=["id", "state", "state_since", "documents"])
    await connection.close()


def _looking_up(service: Whole) -> Ask:
    return lambda questions: fetch_cases(service.database, questions)


def _deciding(service: Whole) -> Ask:
    judging: Judging = service.app.state["judging"]
    return lambda questions: judging.judge_apart([(_CLIENT, each) for each in questions])


def _journaling(service: Whole) -> Ask:
    judging: Judging = service.app.state["judging"]

    async def ask(questions: Sequence[Question]) -> None:
        judged = await judging.judge_apart([(_CLIENT, each) for each in questions])
        await judging.record_apart([(_CALLER, each) for each in judged if isinstance(each, Judgement)])

    return ask


async def _by_turns(asks: Sequence[Ask], at_once: int, seconds: float) -> list[float]:
    """The median rate of each, after a turn that does not count."""
    found: list[list[float]] = [[] for _ in asks]
    for turn in range(-1, TURNS):
        for rates, ask in zip(found, asks, strict=True):
            rate = await _rate(ask, at_once, seconds)
            if turn >= 0:
                rates.append(rate)
    return [median(rates) for rates in found]


async def _rate(ask: Ask, at_once: int, seconds: float) -> float:
    asked, begin = 0, time.perf_counter()
    while (passed := time.perf_counter() - begin) < seconds:
        await ask([_question(identity) for identity in _RANDOM.sample(_IDENTITIES, at_once)])
        asked += at_once
    return asked / passed


def _question(identity: UUID) -> Question:
    return Question(Reference("professional", PHYSICIAN), "document:list", Reference("dossier", str(identity)), _AT)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
