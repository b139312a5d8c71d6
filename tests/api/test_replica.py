"""Searches that a replica may answer: how far behind is said, a decision never is, and nothing fails without it."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from api.replicating import replica_of, replicating
from api.settings import Settings, SettingsError
from models.database import Replica, Standing
from tests.api.service import bearer
from tests.api.whole import HOSPITAL, INS, KEY, PHARMACY, PHARMACY_KEY, PHYSICIAN, Json, Whole, whole
from tests.servers.processes import free_port
from tests.servers.standby import Standby

STALE = "DMP-Stale-Seconds"
LONG = 3600.0
BLOCKED = {"kind": "relation", "dossier_ins": INS, "professional": PHYSICIAN, "relation": "blocked"}


@pytest.fixture
async def dmp(migrated_postgresql_url: str, standby_server: Standby, tmp_path: Path) -> AsyncIterator[Whole]:
    """The whole service, with a replica that may be an hour behind and has all that was written so far."""
    async with whole(
        migrated_postgresql_url, tmp_path, replica_url=on(standby_server, migrated_postgresql_url), replica_seconds=LONG
    ) as made:
        await catch_up(made)
        yield made
    standby_server.go_on()


def on(standby: Standby, url: str) -> str:
    """The URL of the same database there."""
    return standby.server.url(urlsplit(url).path[1:])


def replica_in(dmp: Whole) -> Replica:
    replica: Replica = dmp.app.state["replica"]
    return replica


async def catch_up(dmp: Whole) -> None:
    """Look at the replica until it has all of what is committed by now."""
    begin, replica = time.monotonic(), replica_in(dmp)
    async with asyncio.timeout(30):
        while replica.stale_seconds is None or time.monotonic() - replica.stale_seconds < begin:
            await replica.look()
            await asyncio.sleep(0.01)


async def ask(dmp: Whole, path: str, question: Mapping[str, object], key: str = KEY) -> tuple[Json, bool]:
    """What is answered, and whether it says how far behind it may be."""
    answer = await dmp.http.post(f"/access/v1/{path}", json=question, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    stale = answer.headers.get(STALE)
    assert stale is None or 0 < float(stale) <= LONG
    return answer.json(), stale is not None


def about(dmp: Whole, action: str = "document:list") -> dict[str, object]:
    return {
        "subject": {"type": "professional", "id": PHYSICIAN},
        "action": {"name": action},
        "resource": {"type": "dossier", "id": dmp.id_of()},
        "context": {"authentication": "cps"},
    }


async def dossiers(dmp: Whole, key: str = KEY) -> tuple[list[str], bool]:
    """Which are open to the physician, and whether that may be behind."""
    answer, stale = await ask(dmp, "search/resource", about(dmp) | {"resource": {"type": "dossier"}}, key)
    return [each["id"] for each in answer["results"]], stale


async def professionals(dmp: Whole) -> tuple[list[str], bool]:
    """To whom the dossier is open, and whether that may be behind."""
    answer, stale = await ask(dmp, "search/subject", about(dmp) | {"subject": {"type": "professional"}})
    return [each["id"] for each in answer["results"]], stale


async def check(dmp: Whole) -> Json:
    """What readiness says of the replica; the service must be ready."""
    answer = await dmp.http.get("/health/ready")
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()["checks"]["replica"]
    return told


async def test_what_crosses_dossiers_comes_from_the_replica_and_says_so(dmp: Whole) -> None:
    """The rest comes from the primary: decisions, and searches that ask about one dossier."""
    assert await dossiers(dmp) == ([dmp.id_of()], True)
    assert await professionals(dmp) == ([PHYSICIAN], True)
    documents = {"type": "document", "properties": {"dossier": dmp.id_of()}}
    asked = about(dmp)
    others = [
        await ask(dmp, "evaluation", asked),
        await ask(dmp, "evaluations", {"evaluations": [asked, asked]}),
        await ask(dmp, "search/resource", asked | {"resource": documents, "action": {"name": "document:read"}}),
        await ask(dmp, "search/action", {name: asked[name] for name in ("subject", "resource", "context")}),
    ]
    assert [stale for _, stale in others] == [False] * 4


async def test_a_block_is_in_force_at_once_and_found_by_the_bound(dmp: Whole, standby_server: Standby) -> None:
    """What the replica has not replayed denies every decision; a search shows it once it has, and says what it is."""
    standby_server.hold()
    await dmp.learn(BLOCKED)
    assert (await ask(dmp, "evaluation", about(dmp)))[0]["decision"] is False
    assert await dossiers(dmp) == ([dmp.id_of()], True)
    assert await professionals(dmp) == ([PHYSICIAN], True)
    standby_server.go_on()
    await catch_up(dmp)
    assert await dossiers(dmp) == ([], True)
    assert await professionals(dmp) == ([], True)


async def test_beyond_the_bound_the_primary_answers(
    migrated_postgresql_url: str, standby_server: Standby, tmp_path: Path
) -> None:
    """As if there were no replica; and the replica again when it has caught up. Each change is told once."""
    address = on(standby_server, migrated_postgresql_url)
    async with whole(migrated_postgresql_url, tmp_path, replica_url=address, replica_seconds=1.0) as dmp:
        await catch_up(dmp)
        standby_server.hold()
        await dmp.learn(BLOCKED)
        with capture_logs() as said:
            async with asyncio.timeout(30):
                while (found := await dossiers(dmp))[1]:
                    assert found[0] == [dmp.id_of()]
                    await replica_in(dmp).look()
            assert (found, await professionals(dmp)) == (([], False), ([], False))
            assert await check(dmp) == {"on": True, "standing": "behind", "ok": True}
            standby_server.go_on()
            async with asyncio.timeout(30):
                while await dossiers(dmp) != ([], True):
                    await replica_in(dmp).look()
        told = [each["standing"] for each in said if each["event"] == "replica_standing"]
        assert (told[0], told[-1]) == ("behind", "current")
        assert all(before != after for before, after in pairwise(told))


async def test_what_a_replica_refuses_the_primary_may_permit(dmp: Whole, standby_server: Standby) -> None:
    """Who may ask is a decision: a client that may since a moment ago is answered."""
    standby_server.hold()
    organizations = [HOSPITAL, PHARMACY]
    await dmp.learn(
        {"kind": "professional", "rpps": PHYSICIAN, "profession": "physician", "organizations": organizations}
    )
    assert await dossiers(dmp, PHARMACY_KEY) == ([dmp.id_of()], False)
    assert await dossiers(dmp) == ([dmp.id_of()], True)


async def test_a_page_begun_on_the_one_goes_on_on_the_other(dmp: Whole, standby_server: Standby) -> None:
    """A token says where to go on, in both alike; one that is none is refused by both."""
    await dmp.learn(
        {"kind": "professional", "rpps": "10001234573", "profession": "nurse", "organizations": []},
        {"kind": "relation", "dossier_ins": INS, "professional": "10001234573", "relation": "care_team"},
        {"kind": "dossier", "ins": INS, "state": "open", "born": "1960-05-12", "care_team_consent": True},
    )
    await catch_up(dmp)
    everybody, _ = await professionals(dmp)
    search = about(dmp) | {"subject": {"type": "professional"}, "page": {"limit": 1}}
    first, stale = await ask(dmp, "search/subject", search)
    assert stale
    replica_in(dmp).standing = Standing.BEHIND
    token = first["page"]["next_token"]
    second, stale = await ask(dmp, "search/subject", search | {"page": {"limit": 1, "token": token}})
    assert not stale
    assert [each["id"] for each in first["results"] + second["results"]] == everybody


async def test_searches_go_on_without_the_replica(
    migrated_postgresql_url: str, standbys: Callable[[], Standby], tmp_path: Path
) -> None:
    """It is lost between two searches: the primary answers, readiness and the figures say so, and the log once."""
    standby = standbys()
    address = on(standby, migrated_postgresql_url)
    async with whole(migrated_postgresql_url, tmp_path, replica_url=address, replica_seconds=LONG) as dmp:
        await catch_up(dmp)
        assert await dossiers(dmp) == ([dmp.id_of()], True)
        assert (await check(dmp)).keys() == {"on", "standing", "stale_seconds", "ok"}
        standby.lose()
        with capture_logs() as said:
            for _ in range(3):
                assert await dossiers(dmp) == ([dmp.id_of()], False)
                await replica_in(dmp).look()
        assert await check(dmp) == {"on": True, "standing": "unreachable", "ok": True}
        (line,) = (each for each in said if each["event"] == "replica_standing")
        assert (line["standing"], line["log_level"]) == ("unreachable", "warning")
        assert standby.server.password not in json.dumps(said)


async def test_it_is_looked_at_as_long_as_the_service_lives(dmp: Whole) -> None:
    """A gauge says how far it is behind, and that is infinitely far when it is of no use."""
    seen: asyncio.Queue[float] = asyncio.Queue()
    async with asyncio.timeout(30):
        async with replicating(replica_in(dmp), 0.1, seen.put_nowait)(dmp.app):
            assert 0 <= await seen.get() < LONG
    settings = Settings(dmp.home, "postgresql:", "", "", replica_url=f"postgresql://u:p@127.0.0.1:{free_port()}/dmp")
    with capture_logs() as said:
        async with (
            asyncio.timeout(30),
            replica_of(settings, dmp.database) as replica,
            replicating(replica, 0.1, seen.put_nowait)(dmp.app),
        ):
            while await seen.get() < math.inf:
                pass
    assert [each["standing"] for each in said] == ["unreachable"]


async def test_the_figures_and_readiness_say_that_there_is_none(migrated_sqlite_url: str, tmp_path: Path) -> None:
    """Nothing is looked at, and searches are the primary's."""
    async with whole(migrated_sqlite_url, tmp_path) as dmp:
        assert await check(dmp) == {"on": False, "ok": True}
        assert await dossiers(dmp) == ([dmp.id_of()], False)
        assert "\ndmp_replica_stale_seconds 0.0\n" in (await dmp.http.get("/metrics")).text
        async with replicating(None, 5, lambda _: None)(dmp.app):
            pass
        settings = Settings(tmp_path, "", "", "", replica_url="postgresql://u:secret@h/dmp")
        with pytest.raises(SettingsError, match=r"^DMP_REPLICA_URL: ") as refused:
            await replica_of(settings, dmp.database).__aenter__()
        assert "secret" not in str(refused.value)
