"""A database over a real Citus cluster: made, made again, with a worker killed. Where Citus is not installed: told."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from loadtests.population.deployment import Deployment, NoDeploymentError
from models.database import Database, Read, Shards, open_database, upgrade
from models.database.placement import Placement, placement_of
from models.database.postgresql import PostgresqlDatabase
from models.errors import DatabaseError, DatabaseUnavailableError
from models.facts import Case, Message, Question, Reference
from models.identifiers import Ins
from models.queries import fetch_apart, fetch_cases
from models.queries.documents import add_document
from models.queries.dossiers import open_dossier, set_state
from models.queries.existence import open_statement
from models.queries.feeding import answers_statement, sheets_statement
from models.queries.messages import StoredMessage, add_message
from models.queries.search import DOSSIERS_OF_PARTY, first_statement
from models.queries.sheets import hold_sheets
from models.queries.statements import facts_statement, names_of
from models.queries.whereabouts import buckets_statement
from models.vocabulary import DossierState
from models.whereabouts import bucket_of
from tests.api.whole import PHYSICIAN, TREATING, Whole, whole
from tests.conftest import NOT_RUN
from tests.models import world
from tests.servers.citus import CitusServer, Node, citus
from tests.servers.errors import UnavailableError
from vault.journal.audit import verify_log
from vault.journal.sequencer import integrate_all
from vault.local_keys import LocalKeyring

AT = datetime(2026, 10, 1, tzinfo=UTC)
EVERYTHING = frozenset({"professional", "organization", "staff", "dossier", "documents", "message"})
DOSSIERS = [UUID(int=number << 96) for number in range(1, 17)]
PATIENCE = 30.0
EACH = 3


@pytest.fixture(scope="module")
def cluster(pytestconfig: pytest.Config) -> Iterator[CitusServer]:
    """A coordinator and two workers."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(citus())
        except UnavailableError as error:
            pytestconfig.stash[NOT_RUN].append(f"nothing was tried on a cluster: {error}")
            pytest.skip(str(error))
        yield made


@pytest.fixture(scope="module")
def distributed(cluster: CitusServer) -> str:
    """Name of a database over the cluster, to be copied; nobody writes to it."""
    name = "distributed"
    upgrade(cluster.create(name), distributed=True)
    return name


def test_a_file_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    path = tmp_path / "none.sqlite"
    with pytest.raises(DatabaseError, match="an SQLite file is not distributed"):
        upgrade(f"sqlite:///{path}", distributed=True)
    assert not path.exists()


def test_a_server_without_citus_is_refused(cluster: CitusServer) -> None:
    """And one that knows no other."""
    name = "alone"
    cluster.coordinator.server.create(name)
    with pytest.raises(DatabaseError, match="not one of a Citus cluster"):
        upgrade(cluster.url(name), distributed=True)
    cluster.coordinator.server.execute("CREATE EXTENSION citus", name)
    with pytest.raises(DatabaseError, match="the coordinator does not know itself"):
        upgrade(cluster.url(name), distributed=True)
    cluster.coordinator.server.drop(name)


async def test_a_database_in_use_is_distributed(cluster: CitusServer) -> None:
    """With what is in it; again changes nothing, and so does an upgrade that does not say so."""
    url = cluster.create("in_use")
    await asyncio.to_thread(upgrade, url)
    await _opened(url)
    for distributed in (True, True, False):
        await asyncio.to_thread(upgrade, url, distributed=distributed)
    database = await open_database(url)
    try:
        assert len({place.port for place in (await _placement(database)).by_dossier.values()}) == len(cluster.workers)
        assert await _found(database) == DOSSIERS
        async with database.begin() as connection:
            assert set(await hold_sheets(connection, DOSSIERS)) == set(DOSSIERS)
    finally:
        await database.close()


async def test_a_worker_is_killed(cluster: CitusServer, distributed: str) -> None:
    """Its dossiers are unavailable, and no others; they are there again, with what was written, once it is."""
    url = await asyncio.to_thread(cluster.create, "killed", distributed)
    await _opened(url)
    database = await open_database(url)
    placement, lost = await _placement(database), cluster.workers[0]
    there = [each for each in DOSSIERS if placement.place_of(each).port != lost.server.port]
    try:
        await asyncio.to_thread(lost.kill)
        for each in DOSSIERS:
            if each in there:
                assert await _state(database, each) == "open"
            else:
                with pytest.raises(DatabaseUnavailableError):
                    await _state(database, each)
        assert await _unavailable(database, [Reference("dossier", str(each)) for each in DOSSIERS]) == [
            each not in there for each in DOSSIERS
        ]
        buckets = [placement.place_of(bucket_of(each)).port == lost.server.port for each in DOSSIERS]
        assert await _unavailable(database, [Reference("document", str(each)) for each in DOSSIERS]) == buckets
        with pytest.raises(DatabaseUnavailableError):
            await _open(database, [UUID(int=each.int + 1) for each in DOSSIERS])
        lost.start()  # by this thread: a server goes with the thread that started it
        deadline = time.monotonic() + PATIENCE
        while await _reachable(database) != DOSSIERS:
            assert time.monotonic() < deadline
    finally:
        await database.close()


async def test_what_a_node_has_not_finished_is_not_hidden(cluster: CitusServer, distributed: str) -> None:
    """A change that the coordinator told of, and that a node lost before it was done there: unavailable until it is."""
    url = await asyncio.to_thread(cluster.create, "unfinished", distributed)
    await _opened(url)
    database, node = await open_database(url), cluster.workers[0]
    places = (await _placement(database)).place_of
    here = [places(each).port == node.server.port for each in DOSSIERS]
    there = [Reference("dossier", str(each)) for each in DOSSIERS]
    one = DOSSIERS[here.index(True)]
    try:
        assert await _states(database) == ["open"] * len(DOSSIERS)
        node.server.execute(
            f"BEGIN; UPDATE {places(one).tables['dossier']} SET state = 'closed' WHERE id = '{one}';"  # our own names
            " PREPARE TRANSACTION 'unfinished'",
            "unfinished",
        )
        await asyncio.to_thread(node.kill)
        node.start()  # by this thread: a server goes with the thread that started it
        assert await _unavailable(database, there) == here
        node.server.execute("COMMIT PREPARED 'unfinished'", "unfinished")
        assert await _unavailable(database, there) == [False] * len(there)
        assert await _states(database) == ["closed" if each == one else "open" for each in DOSSIERS]
    finally:
        await database.close()


async def test_a_look_up_is_asked_where_it_is(cluster: CitusServer, distributed: str) -> None:
    """Of each node at once, by one statement, which looks nothing but keys up, in that node's own shards."""
    database = await open_database(cluster.url(distributed))
    try:
        placement = await _placement(database)
        facts = partial(facts_statement, EVERYTHING)
        for statement, width, items, places in (
            (facts, len(names_of(EVERYTHING)), DOSSIERS, placement.by_dossier),
            (buckets_statement, 1, list(range(64)), placement.by_bucket),
        ):
            plans = await _plans(database, statement, width, items)
            assert len(plans) == len(cluster.workers)
            here = {place.tables[table] for place in places.values() for table in place.tables}
            for plan in plans:
                assert {node["Relation Name"] for node in plan} <= here | {"pg_dist_placement", "pg_dist_local_group"}
                assert "Seq Scan" not in {node["Node Type"] for node in plan if node["Relation Name"] in here}
            alone = await _plans(database, statement, width, items[:1])
            assert [len(names) for names in _shards_of(alone, placement, "dossier", "whereabouts")] == [1]
    finally:
        await database.close()


@pytest.mark.parametrize(
    "statement, values",
    [
        (open_statement(1, reader=True), [DOSSIERS[0], "10001234565"]),
        (sheets_statement(1), [DOSSIERS[0]]),
        (answers_statement(1), [DOSSIERS[0], "client", "key"]),
        (first_statement(DOSSIERS_OF_PARTY, 1), [UUID(int=0), 10, "10001234565"]),
        ("SELECT state FROM dossier WHERE id = $1::uuid", [DOSSIERS[0]]),
    ],
    ids=["button", "sheets", "answers", "search", "state"],
)
async def test_what_the_coordinator_is_asked_goes_to_one_shard(
    cluster: CitusServer, distributed: str, statement: str, values: Sequence[object]
) -> None:
    """Whatever names one dossier, or one party, and nothing is fetched before."""
    database = await open_database(cluster.url(distributed))
    try:
        told = "\n".join(row[0] for row in await database.read(f"EXPLAIN {statement}", *values))
        assert told.count("Task Count: 1\n") == 1
        assert "Distributed Subplan" not in told
    finally:
        await database.close()


async def test_cases_are_those_of_one_server(cluster: CitusServer, distributed: str, migrated_sqlite_url: str) -> None:
    """Whoever asks of whatever, of many dossiers together, by claimed dossiers or by those that are looked for."""
    document, message = world.document(1), Message(UUID(int=0x3E55), world.JULIE.rpps, world.KARIM.rpps)
    subjects = [
        *map(world.professional, (world.JULIE, world.KARIM)),
        world.structure(world.CHU),
        Reference("staff", world.SECRETARY.id),
        Reference("person", str(world.BASILE)),
        Reference("professional", "nobody"),
    ]
    dossiers = [Reference("dossier", str(each)) for each in (world.ALICE, world.BASILE, world.NOBODY, *DOSSIERS)]
    others = [Reference("document", str(document.id)), Reference("message", str(message.id)), Reference("other", "")]
    questions = [world.question(*each) for each in product(subjects, (*dossiers, *others, Reference("dossier", "")))]

    async def told(database: Database) -> Sequence[Case]:
        try:
            await world.settle(database)
            await _open(database, DOSSIERS)
            async with database.begin() as connection:
                await add_document(connection, world.ALICE, document)
                await add_message(connection, StoredMessage(world.ALICE, message, AT, None, b""))
            together = await fetch_cases(database, questions)
            assert together == [await fetch_one(database, each) for each in questions]
            return together
        finally:
            await database.close()

    async def fetch_one(database: Database, question: Question) -> object:
        (case,) = await fetch_apart(database, [question])
        return case

    expected = await told(await open_database(migrated_sqlite_url))
    url = await asyncio.to_thread(cluster.create, "cases", distributed)
    assert await told(await open_database(url)) == expected


async def test_a_cluster_is_not_seeded(cluster: CitusServer, distributed: str, tmp_path: Path) -> None:
    """Its tables' keys would be taken off, and its disks are not the coordinator's: told before anything is done."""
    LocalKeyring.create(tmp_path / "keys")
    with pytest.raises(NoDeploymentError, match="the database is a cluster"):
        await Deployment(cluster.url(distributed), f"file://{tmp_path / 'keys'}").pseudonym_secret()


async def test_a_shard_that_was_moved_is_not_read_where_it_was(cluster: CitusServer, distributed: str) -> None:
    """Services that are running find it, and what was changed there; where it was left it is as it was."""
    database = await open_database(await asyncio.to_thread(cluster.create, "moved", distributed))
    one = DOSSIERS[0]
    try:
        await _open(database, DOSSIERS)
        assert await _states(database) == ["open"] * len(DOSSIERS)
        before = (await _placement(database)).place_of(one)
        (to,) = (each.server.port for each in cluster.workers if each.server.port != before.port)
        cluster.coordinator.server.execute(
            f"SELECT citus_move_shard_placement({before.shard}, '{before.host}', {before.port}, '{before.host}', {to},"
            " 'block_writes')",
            "moved",
        )
        async with database.begin() as connection:
            assert await set_state(connection, one, DossierState.CLOSED, AT)
        assert await _states(database) == ["closed", *["open"] * (len(DOSSIERS) - 1)]
        assert (await _placement(database)).place_of(one).port == to
        async with database.begin() as connection:
            assert set(await hold_sheets(connection, DOSSIERS)) == set(DOSSIERS)
    finally:
        await database.close()


async def test_a_service_loses_a_worker(cluster: CitusServer, distributed: str, tmp_path: Path) -> None:
    """Its dossiers are not available meanwhile, others are; nobody hears a wrong answer, and nothing is half written.

    A document's id has its own place, so that one in so many deposits into another dossier has to be sent again.
    """
    url = await asyncio.to_thread(cluster.create, "service", distributed)
    lost = cluster.workers[0]
    # Nothing is logged: a traceback takes longer to draw than a request.
    with capture_logs():
        await _lose(lost, url, tmp_path)


async def _lose(lost: Node, url: str, home: Path) -> None:
    async with whole(url, home) as dmp:
        away, near = await _some_on_each(dmp, lost.server.port)
        await dmp.learn(*_facts_of(away + near))
        kept = {ins: [await _deposited(dmp, ins)] for ins in away + near}
        await asyncio.to_thread(lost.kill)
        answers = await asyncio.gather(*(_may_list(dmp, ins) for ins in away + near))
        assert answers == [(503, None)] * len(away) + [(200, True)] * len(near)
        for ins in away:
            assert (await _deposit(dmp, ins)).status_code == 503
        for ins in near:
            await _deposit_at_last(dmp, ins, kept)
        lost.start()  # by this thread: a server goes with the thread that started it
        deadline = time.monotonic() + PATIENCE
        while [await _may_list(dmp, ins) for ins in away + near] != [(200, True)] * len(away + near):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        for ins in away + near:
            await _deposit_at_last(dmp, ins, kept)
            listed = (await dmp.get("/documents", TREATING, ins)).json()["documents"]
            assert sorted(kept[ins]) == sorted(each["id"] for each in listed)
        await integrate_all(dmp.database)
        verdict = await verify_log(dmp.database, dmp.journal_keys, [])
        assert (verdict.broken, verdict.waiting) == (None, 0)


async def _some_on_each(dmp: Whole, port: int) -> tuple[list[str], list[str]]:
    """INS of dossiers on the worker at this port, and of others."""
    placement = await _placement(dmp.database)
    on: dict[bool, list[str]] = {True: [], False: []}
    for number in range(1_850_578_006_100, 1_850_578_006_200):
        ins = f"{number}{97 - number % 97:02}"
        on[placement.place_of(Ins.parse(ins).pseudonym(dmp.secret)).port == port].append(ins)
    return on[True][:EACH], on[False][:EACH]


def _facts_of(whose: Sequence[str]) -> list[dict[str, object]]:
    """Open dossiers, all with the same treating physician."""
    opened: list[dict[str, object]] = [
        {"kind": "dossier", "ins": ins, "state": "open", "born": "1960-05-12"} for ins in whose
    ]
    treated: list[dict[str, object]] = [
        {"kind": "relation", "dossier_ins": ins, "professional": PHYSICIAN, "relation": "treating_physician"}
        for ins in whose
    ]
    return [*opened, *treated]


async def _may_list(dmp: Whole, ins: str) -> tuple[int, bool | None]:
    """The status, and what is decided, of what the treating physician may always do."""
    question = {
        "subject": {"type": "professional", "id": PHYSICIAN},
        "action": {"name": "document:list"},
        "resource": {"type": "dossier", "id": dmp.id_of(ins)},
        "context": {"authentication": "cps"},
    }
    answer = await dmp.http.post("/access/v1/evaluation", json=question)
    return answer.status_code, answer.json()["decision"] if answer.status_code == 200 else None


async def _deposit(dmp: Whole, ins: str) -> httpx.Response:
    told = {
        "document_type": "11488-4",
        "title": "t",
        "content_type": "text/plain",
        "created_at": "2026-10-01T08:00:00Z",
    }
    parts: Mapping[str, tuple[str, bytes | str, str]] = {
        "metadata": ("metadata", json.dumps(told), "application/json"),
        "content": ("content", b"content", "application/octet-stream"),
    }
    return await dmp.http.post(dmp.path("/documents", ins), files=parts, headers=dmp.headers(TREATING))


async def _deposited(dmp: Whole, ins: str) -> str:
    answer = await _deposit(dmp, ins)
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["id"]
    return identity


async def _deposit_at_last(dmp: Whole, ins: str, kept: dict[str, list[str]]) -> None:
    """Sent again as a client does who was answered 503."""
    deadline = time.monotonic() + PATIENCE
    while (answer := await _deposit(dmp, ins)).status_code == 503:
        assert time.monotonic() < deadline
    assert answer.status_code == 201, answer.text
    kept[ins].append(answer.json()["id"])


async def _plans(
    database: Database, statement: Any, width: int, items: Sequence[UUID] | Sequence[int]
) -> list[list[dict[str, Any]]]:
    """What reads tables in the plan of each statement by which these are looked up."""
    plans: list[list[dict[str, Any]]] = []

    async def explained(read: Read, shards: Shards | None, some: Sequence[Any]) -> dict[Any, None]:
        values = [value for item in some for value in _row(item, width)]
        (row,) = await read(f"EXPLAIN (FORMAT JSON) {statement(len(some), shards)}", *values)
        plans.append([node for node in _walk(json.loads(row[0])[0]["Plan"]) if "Relation Name" in node])
        return dict.fromkeys(some)

    assert isinstance(database, PostgresqlDatabase)
    assert database.workers is not None
    places: dict[UUID | int, UUID | int] = {item: item for item in items}
    found = await database.workers.ask(list(places), places.__getitem__, explained)
    assert found == dict.fromkeys(items)
    return plans


def _row(item: UUID | int, width: int) -> list[object]:
    """The parameters of one look-up: a bucket, or nobody who asks of a dossier."""
    return [item] if width == 1 else [None, None, None, item, None]


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", []):
        yield from _walk(inner)


def _shards_of(plans: Sequence[list[dict[str, Any]]], placement: Placement, *tables: str) -> list[set[str]]:
    """The shards of these tables in each plan."""
    places = [*placement.by_dossier.values(), *placement.by_bucket.values()]
    names = {place.tables[table] for place in places for table in tables if table in place.tables}
    return [{node["Relation Name"] for node in plan} & names for plan in plans]


async def _states(database: Database) -> list[object]:
    """Of all dossiers, as decisions see them."""
    asked = [world.question(world.professional(world.JULIE), Reference("dossier", str(each))) for each in DOSSIERS]
    cases = await fetch_cases(database, asked)
    return [each.dossier.state.value for each in cases if each.dossier is not None]


async def _unavailable(database: Database, resources: Sequence[Reference]) -> list[bool]:
    """Of which of these there is no case to be had, when all are asked about together."""
    asked = [world.question(Reference("person", str(world.BASILE)), each) for each in resources]
    return [isinstance(each, DatabaseUnavailableError) for each in await fetch_apart(database, asked)]


async def _opened(url: str) -> None:
    database = await open_database(url)
    try:
        await _open(database, DOSSIERS)
    finally:
        await database.close()


async def _open(database: Database, dossiers: Sequence[UUID]) -> None:
    """All or none."""
    async with database.begin() as connection:
        for each in dossiers:
            await open_dossier(connection, each, at=AT)


async def _placement(database: Database) -> Placement:
    async with database.connect() as connection:
        placement = placement_of(connection)
    assert placement is not None
    return placement


async def _found(database: Database) -> list[UUID]:
    return [row[0] for row in await database.read("SELECT id FROM dossier ORDER BY id")]


async def _reachable(database: Database) -> list[UUID]:
    try:
        return await _found(database)
    except DatabaseUnavailableError:
        await asyncio.sleep(0.1)
        return []


async def _state(database: Database, identity: UUID) -> object:
    ((state,),) = await database.read("SELECT state FROM dossier WHERE id = $1::uuid", identity)
    return state
