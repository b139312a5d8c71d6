"""loadtests/README.md shows commands that there are; each is typed here, small, but for those that need a peer."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli.main import dmp
from loadtests.cli import main
from loadtests.reporting import JSON, read
from loadtests.service import dmp as told_by_dmp
from loadtests.service import running_service
from tests.guides import Desk
from tests.loadtests.reports import a_report
from tests.servers.postgresql import PostgresqlServer

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "loadtests/README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^ {4}((?:dmp|make).*?)(?: +#.*)?$", GUIDE, re.MULTILINE)
RUNS = [command for command in SHOWN if command.startswith("dmp-loadtest run")]
PROGRAMS = {"dmp": dmp, "dmp-loadtest": main}
SMALL = {
    "--documents": "3",
    "--dossiers": "10000",
    "--first-rate": "5",
    "--rate": "20",
    "--seconds": "2",
    "--step-seconds": "1",
    "--workers": "1",
}
"""What an option is given here instead."""

REPORTS = ("before.json", "after.json", "before/report.json", "after/report.json")


def small(command: str, *more: str) -> str:
    """The command with little of everything."""
    words = shlex.split(command)
    given = zip(["", *words], words, strict=False)
    return shlex.join([*(SMALL.get(option, word) for option, word in given), *more])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer) -> Iterator[Desk]:
    """An operator's shell, with a database in which nothing is, and reports."""
    folder, name = tmp_path_factory.mktemp("desk"), "readme_of_loadtests"
    a_report().write(folder)
    for report in REPORTS:
        (folder / report).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / JSON, folder / report)
    yield Desk.at(folder, folder / "home", DMP_DATABASE_URL=postgresql_server.create(name), PYTHONPATH=str(ROOT))
    postgresql_server.drop(name)


@pytest.fixture(scope="module")
def seeded(desk: Desk) -> Desk:
    """As the guide seeds it."""
    (seeding,) = (command for command in SHOWN if command.startswith("dmp-loadtest seed "))
    assert desk.type("dmp init").startswith("ready: ")
    assert "10,000 dossiers" in desk.type(small(seeding))
    return desk


@pytest.mark.parametrize("command", [command for command in SHOWN if not command.startswith("make")])
def test_each_is_a_command(command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its options are options, and take what they are given."""
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("DMP_LOADTEST_KEY", "of a client")
    program, *words = shlex.split(re.sub(r"\.\.\.|~/\S+", "before.json", command))
    found: click.Command = PROGRAMS[program]
    while isinstance(found, click.Group):
        context = found.make_context(program, words[:1])
        _, subcommand, _ = found.resolve_command(context, words)
        assert subcommand is not None
        found, words = subcommand, words[1:]
    assert found.make_context(program, words).args == []


def test_make_knows_its_target() -> None:
    """And takes the options that it is given."""
    recipe = re.search(
        r"^loadtest:.*\n\t@\$\(BIN\)/(.*) \$\(LOAD\)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    assert recipe is not None
    assert small(recipe[1]).startswith("dmp-loadtest run peak")


def test_reports_are_compared(desk: Desk) -> None:
    """Two that are alike: nothing has regressed."""
    compared = [command for command in SHOWN if command.startswith("dmp-loadtest compare")]
    assert [desk.type(f"{command}; echo $?").splitlines()[-1] for command in compared] == ["0", "0"]


def test_what_is_seeded_takes_documents(seeded: Desk) -> None:
    """Through a service that runs on what the guide seeded."""
    (depositing,) = (command for command in SHOWN if command.startswith("dmp-loadtest seed-documents"))
    key = told_by_dmp(seeded.variables, "client", "add", "guide", "--scope=documents", "--scope=dossiers")
    with running_service(seeded.variables, seeded.folder / "serve.log", 1) as (address, _):
        told = seeded.type(small(depositing, f"--host={address}", f"--key={key}"))
    assert told == "3 answers 201\n"


@pytest.mark.long
@pytest.mark.parametrize("command", RUNS)
def test_each_run_is_reported(seeded: Desk, command: str) -> None:
    """Small; no answer is wrong, however slow this machine is."""
    steps = () if "capacity" in command else ("--step-seconds=0",)
    told = seeded.type(small(command, "--seconds=4", "--report=report", *steps))
    assert "written: report/report.html" in told, told
    report = read(seeded.folder / "report" / JSON)
    assert [each.wrong for each in (report.shape, report.steps) if each] == [0], told
