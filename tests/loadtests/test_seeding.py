"""A seeded PostgreSQL holds what the population says, as if it had been imported; whoever is killed goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from api.cli import importing, setting_up
from api.settings import Settings
from loadtests.cli import main
from loadtests.population import Dossier, Population
from loadtests.population.deployment import Deployment
from loadtests.population.loading import RefusedError
from loadtests.preparing import Wanted, prepared
from loadtests.seeding import seed_database
from models.identifiers import Ins
from tests.loadtests.homes import answers, populate
from tests.servers.postgresql import PostgresqlServer

SMALL = Population(700, seed=7)
PART = 200
SEEDED_COLUMNS = (
    "id, state, born, protected, care_team_consent, refuses_break_glass, refuses_centre_15, masked_in_emergency, "
    "ties, documents, reimbursed_since"
)
DIRECTORY = ("organization", "professional", "exercise", "staff")
PATIENCE = 60


class Home:
    """A service's database, with nothing in it at first, and the folder of its keys."""

    def __init__(self, folder: Path, url: str) -> None:
        self.environment = {"DMP_HOME": str(folder), "DMP_DATABASE_URL": url}
        self.settings = Settings.from_environment(self.environment)
        self.deployment = Deployment.from_environment(self.environment)

    def seed(self, population: Population = SMALL, part: int = PART) -> list[str]:
        """What was said."""
        said: list[str] = []
        asyncio.run(seed_database(self.deployment, population, workers=1, part=part, say=said.append))
        return said

    def rows(self, query: str) -> list[Any]:
        async def fetched() -> list[Any]:
            connection = await asyncpg.connect(self.settings.database_url)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(fetched())

    def contents(self) -> Mapping[str, Any]:
        """All that a population is; entries of a bucket have no order."""
        held = {table: set(self.rows(f"SELECT * FROM {table}")) for table in (*DIRECTORY, "tied")}
        held["dossier"] = set(self.rows(f"SELECT {SEEDED_COLUMNS} FROM dossier"))
        held["whereabouts"] = {
            (bucket, frozenset(entries[at : at + 32] for at in range(0, len(entries), 32)))
            for bucket, entries in self.rows("SELECT * FROM whereabouts")
        }
        return held

    def shape(self) -> Mapping[str, Any]:
        """Constraints, indexes and settings of every table of the service."""
        query = (
            "SELECT c.relname, c.reloptions, array(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " WHERE i.indrelid = c.oid ORDER BY 1) FROM pg_class c WHERE relkind = 'r' AND relnamespace ="
            " 'public'::regnamespace AND relname NOT LIKE 'loadtest%'"
        )
        return {name: (options or [], indexes) for name, options, indexes in self.rows(query)}


@pytest.fixture(scope="module")
def new_home(
    postgresql_server: PostgresqlServer, migrated_postgresql_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Home]]:
    """Databases as `dmp init` leaves them, with the same keys: the same people have the same pseudonyms in all."""
    folder, made = tmp_path_factory.mktemp("home"), ["initialised"]
    first = Home(folder, postgresql_server.create(made[0], migrated_postgresql_template))
    setting_up.initialise(first.settings)

    def new(name: str) -> Home:
        made.append(name)
        return Home(folder, postgresql_server.create(name, made[0]))

    yield new
    for name in reversed(made):
        postgresql_server.drop(name)


@pytest.fixture(scope="module")
def seeded(new_home: Callable[[str], Home]) -> Home:
    """With the small population, loaded in four parts."""
    home = new_home("seeded")
    home.seed()
    return home


def told_by(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """The environment leads there, and nowhere else."""
    for name in [name for name in os.environ if name.startswith("DMP_")]:
        monkeypatch.delenv(name)
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)


def test_what_is_seeded_is_what_would_be_imported(seeded: Home, new_home: Callable[[str], Home]) -> None:
    """Every row of every table, byte for byte."""
    imported = new_home("imported")
    populate(imported.settings, SMALL)
    assert seeded.contents() == imported.contents()


def test_tables_are_what_they_were(seeded: Home, new_home: Callable[[str], Home]) -> None:
    """Keys, indexes and settings came back, under their names."""
    assert seeded.shape() == new_home("untouched").shape()


@pytest.mark.parametrize(
    "population, told",
    [
        (Population(701, seed=7), "--dossiers 701 --seed 7: this database has 700 dossiers from seed 7"),
        (Population(700, seed=8), "--dossiers 700 --seed 8: this database has 700 dossiers from seed 7"),
    ],
)
def test_load_of_another_population_is_refused(
    seeded: Home, population: Population, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a service is started or a client added: every answer would be taken for a wrong one."""
    told_by(monkeypatch, seeded)
    with pytest.raises(RuntimeError, match=told), prepared(Wanted(population, 1, tmp_path, seeded=True)):
        pass
    assert seeded.rows("SELECT name FROM client") == []


def test_load_on_what_is_not_seeded_is_refused(
    new_home: Callable[[str], Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At all, or not to its end."""
    home = new_home("never_seeded")
    told_by(monkeypatch, home)
    wanted = Wanted(SMALL, 1, tmp_path, seeded=True)
    with pytest.raises(RuntimeError, match="`dmp-loadtest seed` has not filled this database"), prepared(wanted):
        pass
    home.rows(
        "CREATE TABLE loadtest_seed AS SELECT 7::bigint AS seed, 700::bigint AS dossiers, 1 AS version, 200 AS size,"
        " null::timestamptz AS finished_at"
    )
    with pytest.raises(RuntimeError, match="is not seeded to its end"), prepared(wanted):
        pass


def test_the_clients_of_a_run_do_not_outlive_it(seeded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their keys would open a real database for ever."""
    told_by(monkeypatch, seeded)
    with prepared(Wanted(SMALL, 1, tmp_path, seeded=True)) as service:
        during = seeded.rows("SELECT name FROM client")
        asked = httpx.post(
            f"{service.address}/v1/identities",
            json={"ins": SMALL.dossier(0).ins},
            headers={"Authorization": f"Bearer {service.key}"},
        )
    assert (len(during), asked.status_code, seeded.rows("SELECT name FROM client")) == (2, 200, [])


def test_it_is_told_that_everything_is_there(seeded: Home) -> None:
    """A second call does nothing."""
    assert seeded.seed() == ["700 dossiers from seed 7 are there already"]


@pytest.mark.parametrize("population", [Population(700, seed=8), Population(800, seed=7)])
def test_another_population_is_refused(seeded: Home, population: Population) -> None:
    """One database holds one population."""
    with pytest.raises(RefusedError, match="this database has 700 dossiers from seed 7"):
        seeded.seed(population)


def test_a_database_that_holds_something_is_refused(new_home: Callable[[str], Home], tmp_path: Path) -> None:
    """A real one is never written over."""
    home = new_home("taken")
    facts = tmp_path / "facts"
    facts.write_text('{"kind":"organization","id":"750000002","type":"health_facility","name":"CHU"}\n')
    importing.import_file(home.settings, facts)
    with pytest.raises(RefusedError, match="there are rows in organization"):
        home.seed()


def test_two_do_not_seed_at_once(new_home: Callable[[str], Home]) -> None:
    """Whoever comes second is told so."""
    home = new_home("held")

    async def held() -> None:
        connection = await asyncpg.connect(home.settings.database_url)
        try:
            await connection.execute("SELECT pg_advisory_lock(x'646d70'::integer)")
            await seed_database(home.deployment, SMALL, workers=1, say=lambda _: None)
        finally:
            await connection.close()

    with pytest.raises(RefusedError, match="somebody else is seeding"):
        asyncio.run(held())


@pytest.mark.parametrize(
    "environment, told",
    [
        ({"DMP_DATABASE_URL": ""}, "DMP_DATABASE_URL must begin with postgresql:"),
        ({"DMP_DATABASE_URL": "postgresql://dmp@127.0.0.1:1/none"}, "Error: "),
    ],
)
def test_what_cannot_be_seeded_is_told_in_a_sentence(
    environment: Mapping[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is 1, and nobody reads a traceback."""
    for name, value in {**environment, "DMP_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    outcome = CliRunner().invoke(main, ["seed", "--dossiers", "10000"])
    assert (outcome.exit_code, told in outcome.output) == (1, True)


async def test_whoever_is_tied_reads_as_the_fields_say(seeded: Home) -> None:
    """Each party of some dossiers asks for each of its documents, in each mode in which he may."""
    expected = list(chain.from_iterable(expectations(SMALL.dossier(number)) for number in range(150)))
    told = await answers(seeded.settings, [body(*each[:3]) for each in expected])
    assert [each for each, answer in zip(expected, told, strict=True) if each[3] is not answer] == []


def expectations(dossier: Dossier) -> Iterator[tuple[str, Mapping[str, Any], UUID, bool]]:
    """Who asks, with what context, for which document, and whether he reads it: as `Dossier` tells it."""
    normal: Mapping[str, Any] = {"authentication": "cps"}
    glass = {**normal, "mode": "break_glass", "reason": "patient unconscious"}
    calls = {**normal, "mode": "centre_15"}
    team = [*dossier.nurses]
    team += [SMALL.hospital_physician(hospital, 5) for hospital in dossier.hospitals]
    team += [SMALL.hospital_nurse(hospital, 5) for hospital in dossier.hospitals]
    let_in = [dossier.specialist] if dossier.specialist else []
    let_in += [SMALL.pharmacist(dossier.pharmacy, 5)] if dossier.pharmacy else []
    for document in dossier.documents:
        shown = not document.masked
        in_emergency = shown or dossier.masked_in_emergency
        if dossier.treating_physician:
            yield dossier.treating_physician, normal, document.id, True
        if dossier.blocked:
            yield dossier.blocked, normal, document.id, False
            yield dossier.blocked, glass, document.id, False
        yield dossier.stranger, normal, document.id, False
        yield dossier.stranger, glass, document.id, in_emergency and not dossier.refuses_break_glass
        regulator = SMALL.regulator(dossier.number)
        yield regulator, normal, document.id, False
        yield regulator, calls, document.id, in_emergency and not dossier.refuses_centre_15
        yield from ((each, normal, document.id, shown and dossier.consents) for each in team)
        yield from ((each, normal, document.id, shown) for each in let_in)


async def test_persons_read_as_the_fields_say(seeded: Home) -> None:
    """The holder, a child's representative and an adult's caregiver."""
    secret = await seeded.deployment.pseudonym_secret()

    def person(number: int) -> Mapping[str, str]:
        return {"type": "person", "id": str(Ins.parse(SMALL.dossier(number).ins).pseudonym(secret))}

    expected = []
    for dossier in map(SMALL.dossier, range(SMALL.dossiers)):
        others = [each for each in (dossier.representative, dossier.caregiver) if each is not None]
        for document in dossier.documents[:10]:
            shown = not document.withheld
            expected.append((person(dossier.number), document.id, shown))
            shown = shown and not document.hidden_from_representatives
            expected += [(person(other), document.id, shown) for other in others]
    told = await answers(seeded.settings, [body(subject, {}, document) for subject, document, _ in expected])
    assert [each for each, answer in zip(expected, told, strict=True) if each[2] is not answer] == []


def body(subject: str | Mapping[str, str], context: Mapping[str, Any], document: UUID) -> Mapping[str, Any]:
    asking = {"type": "professional", "id": subject} if isinstance(subject, str) else subject
    resource = {"type": "document", "id": str(document)}
    return {"subject": asking, "action": {"name": "document:read"}, "resource": resource, "context": context}


KILLED = """
import asyncio, os
from loadtests.population import Dossier, Population
from loadtests.population.deployment import Deployment
from loadtests.seeding import seed_database
if __name__ == "__main__":
    deployment = Deployment.from_environment(os.environ)
    asyncio.run(seed_database(deployment, Population(700, 7), workers=1, part=10, say=print))
"""


def test_whoever_is_killed_goes_on(seeded: Home, new_home: Callable[[str], Home], tmp_path: Path) -> None:
    """Killed while parts are written, with what wrote them: nothing is there twice, nothing is lacking."""
    home, script = new_home("killed"), tmp_path / "seed.py"
    script.write_text(KILLED)
    environment = os.environ | home.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, script], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        await_rows(home, "SELECT part FROM loadtest_part WHERE step = 'dossiers'", 3)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    await_rows(home, "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')", 1)
    written = home.rows("SELECT count(*) FROM loadtest_part WHERE step = 'dossiers'")[0][0]
    said = home.seed()
    assert (written >= 3, said[-1].startswith("700 dossiers are there after")) == (True, True)
    assert home.contents() == seeded.contents()


def await_rows(home: Home, query: str, count: int) -> None:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        try:
            if len(home.rows(query)) >= count:
                return
        except asyncpg.UndefinedTableError:
            pass
    pytest.fail("what was waited for did not come")


@pytest.mark.long
def test_ten_thousand_dossiers_from_the_command(
    new_home: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest that the command takes, with its two processes: all dossiers and all documents are there."""
    home = new_home("ten_thousand")
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    outcome = CliRunner().invoke(main, ["seed", "--dossiers", "10000", "--workers", "2"])
    held = "SELECT count(*), sum(length(documents)) / 70 FROM dossier"
    placed = "SELECT sum(length(entries)) / 32 FROM whereabouts"
    documents = Population(10_000).block(np.arange(10_000)).documents.counts.sum()
    assert (outcome.exit_code, home.rows(held), home.rows(placed)) == (0, [(10_000, documents)], [(documents,)])
