"""Servers run where they are put, and leave nothing behind."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from click.testing import CliRunner

from loadtests.peers.command import command
from loadtests.peers.postgresql import database, on_core
from loadtests.peers.processes import Cores, NotStartedError, pinned, running, told_by
from loadtests.processes import listening
from tests.servers.postgresql import PostgresqlServer

PROGRAM = Path(sys.executable)
SLEEPING = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_a_server_has_its_core_and_the_client_keeps_its_own(tmp_path: Path) -> None:
    """It is there from its first instruction: what it starts is there too."""
    cores, before = Cores.of_this_machine(), os.sched_getaffinity(0)
    with (
        pinned(cores.others),
        running(
            SLEEPING, core=cores.server, log=tmp_path / "sleeping.log", answers=lambda: True, environment={}
        ) as process,
    ):
        found = (os.sched_getaffinity(process), os.sched_getaffinity(0))
    assert (found, os.sched_getaffinity(0)) == (({cores.server}, {cores.others}), before)


def test_a_server_ends_with_its_block(tmp_path: Path) -> None:
    """Nobody has to look for it."""
    with running(
        SLEEPING, core=min(os.sched_getaffinity(0)), log=tmp_path / "s.log", answers=lambda: True, environment={}
    ) as process:
        pass
    assert not psutil.pid_exists(process)


@pytest.mark.parametrize(
    "program, told",
    [
        ([sys.executable, "-c", "raise SystemExit('no licence')"], "no licence"),
        ([__file__], "cannot be run: Permission denied"),
    ],
    ids=["ends", "is no program"],
)
def test_a_server_that_does_not_come_up_says_why(tmp_path: Path, program: list[str], told: str) -> None:
    """In its own last words, or the system's."""
    with (
        pytest.raises(NotStartedError, match=told),
        running(
            program,
            core=min(os.sched_getaffinity(0)),
            log=tmp_path / "server.log",
            answers=lambda: False,
            environment={},
        ),
    ):
        pass


def test_what_a_program_says_is_told() -> None:
    """Or why it fails, or cannot be run."""
    failures = []
    for program, arguments in ((PROGRAM, ("-c", "raise SystemExit('no')")), (Path(__file__), ())):
        with pytest.raises(NotStartedError) as caught:
            told_by(program, *arguments)
        failures.append(str(caught.value))
    assert (told_by(PROGRAM, "-c", "print(1)"), failures[0].endswith("failed: no"), "cannot be run" in failures[1]) == (
        "1",
        True,
        True,
    )


async def databases(server: PostgresqlServer) -> set[str]:
    connection = await asyncpg.connect(server.url())
    try:
        return {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    finally:
        await connection.close()


def test_a_database_is_there_for_a_while(postgresql_server: PostgresqlServer) -> None:
    """And dropped, whoever is still connected."""
    with database(postgresql_server.url(), "peers-of-a-test") as url:
        during = asyncio.run(databases(postgresql_server))
    after = asyncio.run(databases(postgresql_server))
    assert (url.endswith("/peers-of-a-test"), "peers-of-a-test" in during, "peers-of-a-test" in after) == (
        True,
        True,
        False,
    )


def test_postgresql_is_put_on_a_core_and_back(postgresql_server: PostgresqlServer) -> None:
    """With all its processes, those to come included."""
    postmaster = listening(postgresql_server.port)
    assert postmaster is not None
    before, core = os.sched_getaffinity(postmaster), min(os.sched_getaffinity(0))
    with on_core(postgresql_server.url(), core) as done:
        during = os.sched_getaffinity(postmaster)
    assert (done, during, os.sched_getaffinity(postmaster)) == (True, {core}, before)


def test_bad_input_is_told_in_a_sentence(tmp_path: Path) -> None:
    """No program at that path, a server that nobody can reach."""
    missing = CliRunner().invoke(command, ["--opa", str(tmp_path / "opa")])
    unreachable = CliRunner().invoke(command, ["--dossiers=300", "--postgres=postgresql://a:b@127.0.0.1:1/c"])
    assert (missing.exit_code, "does not exist" in missing.output, unreachable.exit_code, unreachable.output[:17]) == (
        2,
        True,
        1,
        "Error: PostgreSQL",
    )
