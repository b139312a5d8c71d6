"""`dmp-loadtest peers`: the table, and what it was measured with."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
from rich.console import Console

from loadtests.peers.cerbos import cerbos
from loadtests.peers.client import WrongAnswerError
from loadtests.peers.comparing import Comparison, Outcome, Terms
from loadtests.peers.opa import handed, loaded
from loadtests.peers.openfga import openfga
from loadtests.peers.ours import home, ours
from loadtests.peers.postgresql import database, on_core
from loadtests.peers.processes import Cores, NotStartedError, pinned
from loadtests.peers.questions import Sample
from loadtests.peers.table import as_json, table, verdicts
from loadtests.population import Population

_PROGRAM = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_WIDTH_OF_A_FILE = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What the operator shows: a program that is not shown is not compared."""

    dmp: Path
    opa: Path | None
    cerbos: Path | None
    openfga: Path | None
    postgres: str
    seeded: bool


@click.command("peers")
@click.option("--opa", type=_PROGRAM, help="Open Policy Agent.")
@click.option("--cerbos", type=_PROGRAM)
@click.option("--openfga", type=_PROGRAM)
@click.option("--dmp", type=_PROGRAM, default=Path(sys.executable).with_name("dmp"), help="Another release of ours.")
@click.option("--postgres", required=True, metavar="URL", help="A server on which databases may be made and dropped.")
@click.option("--seeded", is_flag=True, help="Ours has the population already: DMP_HOME, DMP_DATABASE_URL say where.")
@click.option("--dossiers", default=10_000, show_default=True, type=click.IntRange(100), help="Of the population.")
@click.option("--seed", default=1, show_default=True)
@click.option("--loaded", default=10_000, show_default=True, type=click.IntRange(100), help="So many the peers have.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1, 600), help="For each figure.")
@click.option("--rate", default=500.0, show_default=True, type=click.FloatRange(1, 100_000), help="Fixed arrivals.")
@click.option("--json", "file", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="All figures.")
def command(  # noqa: PLR0913, PLR0917  # each is an option of the command
    opa: Path | None,
    cerbos: Path | None,
    openfga: Path | None,
    dmp: Path,
    postgres: str,
    dossiers: int,
    seed: int,
    loaded: int,
    seconds: float,
    rate: float,
    file: Path | None,
    *,
    seeded: bool,
) -> None:
    """Ask OPA, Cerbos and OpenFGA what ours is asked, check that all agree, and time them side by side."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    shown = Shown(dmp, opa, cerbos, openfga, postgres, seeded)
    population = Population(dossiers, seed)
    sample, terms = Sample.of(population, loaded), Terms(seconds=seconds, rate=rate)
    comparison = Comparison(sample, terms, seed, lambda text: console.print(text, highlight=False))
    for name in ("opa", "cerbos", "openfga"):
        if getattr(shown, name) is None:
            console.print(f"[bold]NOT COMPARED: --{name} shows no program[/bold]", highlight=False)
    try:
        outcomes = compared(shown, population, comparison)
    except (NotStartedError, WrongAnswerError, LookupError) as error:
        raise click.ClickException(str(error)) from None
    console.print(table(outcomes))
    for verdict in verdicts(outcomes):
        console.print(str(verdict), highlight=False)
    if file:
        setting = {"dossiers": dossiers, "seed": seed, "loaded": len(sample.dossiers), "terms": terms, **_machine()}
        file.write_bytes(msgspec.json.format(msgspec.json.encode(as_json(outcomes, setting)), indent=2) + b"\n")


def compared(shown: Shown, population: Population, comparison: Comparison) -> list[Outcome]:
    """Ours and every peer that is shown, one after the other, each alone on its core. Raises WrongAnswerError."""
    cores = Cores.of_this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dmp-peers-")))
        stack.enter_context(pinned(cores.others))
        if not stack.enter_context(on_core(shown.postgres, cores.others)):
            comparison.told("NOT PINNED: PostgreSQL runs where this process may not put it on a core")
        return [
            *_ours(shown, population, comparison, cores, folder),
            *_facts_of_the_caller(shown, comparison, cores, folder),
            *_facts_of_its_own(shown, comparison, cores, folder),
        ]


def _ours(
    shown: Shown, population: Population, comparison: Comparison, cores: Cores, folder: Path
) -> Iterator[Outcome]:
    with _environment(shown, population, folder) as environment, ours(shown.dmp, environment, cores, folder) as service:
        yield comparison.of(service)
        yield comparison.of(service.journaled())


@contextmanager
def _environment(shown: Shown, population: Population, folder: Path) -> Iterator[Mapping[str, str]]:
    if shown.seeded:
        yield os.environ
        return
    with database(shown.postgres, f"dmp-peers-{os.getpid()}") as url:
        yield home(shown.dmp, folder, url, population)


def _facts_of_the_caller(shown: Shown, comparison: Comparison, cores: Cores, folder: Path) -> Iterator[Outcome]:
    if shown.cerbos:
        with cerbos(shown.cerbos, cores, folder) as server:
            yield comparison.of(server)
    if shown.opa:
        with handed(shown.opa, cores, folder) as agent:
            yield comparison.of(agent)


def _facts_of_its_own(shown: Shown, comparison: Comparison, cores: Cores, folder: Path) -> Iterator[Outcome]:
    if shown.opa:
        with loaded(shown.opa, cores, folder, comparison.sample) as agent:
            yield comparison.of(agent)
    if shown.openfga:
        with database(shown.postgres, f"openfga-peers-{os.getpid()}") as url:
            for cached in (False, True):
                with openfga(shown.openfga, cores, folder, url, cached=cached) as server:
                    server.load(comparison.sample)
                    yield comparison.of(server)


def _machine() -> Mapping[str, object]:
    return {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}
