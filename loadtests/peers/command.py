"""`dmp-loadtest peers`: the table, and what it was measured with."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import click
import msgspec
from rich.console import Console

from loadtests.machine import machine, versions
from loadtests.peers.cerbos import cerbos
from loadtests.peers.client import WrongAnswerError
from loadtests.peers.comparing import Comparison, Outcome, Terms
from loadtests.peers.opa import handed, loaded
from loadtests.peers.openfga import openfga
from loadtests.peers.ours import home, ours
from loadtests.peers.peer import Peer
from loadtests.peers.postgresql import database, on_core
from loadtests.peers.processes import Cores, NotStartedError, pinned
from loadtests.peers.questions import Sample
from loadtests.peers.table import as_json, table, verdicts
from loadtests.population import Population

_DATABASE = "DMP_DATABASE_URL"
_PROGRAM = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_WIDTH_OF_A_FILE = 220

Start = Callable[[], AbstractContextManager[Peer]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the operator shows: a program that is not shown is not compared."""

    dmp: Path
    opa: Path | None
    cerbos: Path | None
    openfga: Path | None
    postgres: str | None
    seeded: bool
    dossiers: int
    seed: int
    loaded: int
    seconds: float
    rate: float


@click.command("peers")
@click.option("--opa", type=_PROGRAM, help="The program of Open Policy Agent.")
@click.option("--cerbos", type=_PROGRAM, help="Of Cerbos.")
@click.option("--openfga", type=_PROGRAM, help="Of OpenFGA.")
@click.option("--dmp", type=_PROGRAM, default=Path(sys.executable).with_name("dmp"), help="Of another release of ours.")
@click.option("--postgres", metavar="URL", help="Databases may be made there; without it a checkout starts its own.")
@click.option("--seeded", is_flag=True, help="The settings in the environment lead to a population that is there.")
@click.option("--dossiers", default=10_000, show_default=True, type=click.IntRange(100), help="Of the population.")
@click.option("--seed", default=1, show_default=True, help="Of the population.")
@click.option("--loaded", default=10_000, show_default=True, type=click.IntRange(100), help="Dossiers that peers have.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1, 600), help="For each figure.")
@click.option("--rate", default=500.0, show_default=True, type=click.FloatRange(50, 100_000), help="Of arrivals.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Where all figures go.")
def command(file: Path | None, **given: object) -> None:
    """Ask OPA, Cerbos and OpenFGA what ours is asked, check that all agree, and time them side by side.

    Fails if an answer was wrong.
    """
    shown = Shown(**given)  # type: ignore[arg-type]  # click has checked each
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    try:
        outcomes, failures = compared(
            shown, Terms(shown.seconds, shown.rate), lambda text: console.print(text, highlight=False)
        )
    except (NotStartedError, WrongAnswerError, LookupError) as error:
        raise click.ClickException(str(error)) from None
    except (asyncpg.PostgresError, OSError) as error:
        raise click.ClickException(f"PostgreSQL: {error}") from None
    console.print(table(outcomes))
    for line in (*map(str, verdicts(outcomes)), *failures):
        console.print(line, highlight=False)
    if file:
        asked = {name: getattr(shown, name) for name in ("seeded", "dossiers", "seed", "loaded", "seconds", "rate")}
        told = as_json(outcomes, {"machine": machine(), "versions": versions(None), **asked})
        file.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    sys.exit(bool(failures))


def compared(shown: Shown, terms: Terms, say: Callable[[str], None]) -> tuple[list[Outcome], list[str]]:
    """Ours and every peer that is shown, each alone on its core, and what went wrong with a peer.

    Raises WrongAnswerError if an answer of ours is wrong, and NotStartedError.
    """
    cores, failures = Cores.of_this_machine(), list[str]()
    population = Population(shown.dossiers, shown.seed)
    comparison = Comparison(Sample.of(population, shown.loaded), terms, shown.seed, say)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dmp-peers-")))
        server = _postgresql(shown, stack)
        stack.enter_context(pinned(cores.others))
        if not stack.enter_context(on_core(server, cores.others)):
            say("NOT PINNED: PostgreSQL runs where this process may not put it on a core")
        with _environment(shown, server, population, folder) as environment:
            outcomes = list(_ours(shown, environment, comparison, cores, folder))
        for start in _peers(shown, comparison.sample, server, cores, folder, say):
            try:
                with start() as peer:
                    outcomes.append(comparison.of(peer))
            except WrongAnswerError as error:
                failures.append(f"WRONG: {error}")
                say(failures[-1])
    return outcomes, failures


def _postgresql(shown: Shown, stack: ExitStack) -> str:
    """The server that is shown, else that of the population, else one for a while."""
    seeded = os.environ.get(_DATABASE) if shown.seeded else None
    if given := shown.postgres or seeded:
        return given
    try:
        from tests.servers.postgresql import postgresql  # noqa: PLC0415 - only a checkout has servers of its own
    except ImportError:
        raise NotStartedError("--postgres names no server, and only a checkout starts one") from None
    return stack.enter_context(postgresql()).url()


@contextmanager
def _environment(shown: Shown, server: str, population: Population, folder: Path) -> Iterator[Mapping[str, str]]:
    """Of our service and its commands."""
    if shown.seeded:
        yield os.environ
        return
    with database(server, f"dmp-peers-{os.getpid()}") as url:
        yield home(shown.dmp, folder, url, population)


def _ours(
    shown: Shown, environment: Mapping[str, str], comparison: Comparison, cores: Cores, folder: Path
) -> Iterator[Outcome]:
    with ours(shown.dmp, environment, cores, folder) as service:
        yield comparison.of(service)
        yield comparison.of(service.journaled())


def _peers(
    shown: Shown, sample: Sample, server: str, cores: Cores, folder: Path, say: Callable[[str], None]
) -> Iterator[Start]:
    """How each is started, one after the other: a database is there while its peer needs it."""
    for name in ("cerbos", "opa", "openfga"):
        if getattr(shown, name) is None:
            say(f"NOT COMPARED: --{name} shows no program")
    if shown.cerbos:
        yield partial(cerbos, shown.cerbos, cores, folder)
    if shown.opa:
        yield partial(handed, shown.opa, cores, folder)
        yield partial(loaded, shown.opa, cores, folder, sample)
    if shown.openfga:
        for cached in (False, True):
            with database(server, f"openfga-peers-{os.getpid()}") as url:
                yield partial(openfga, shown.openfga, cores, folder, url, sample, cached=cached)
