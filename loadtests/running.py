"""`dmp-loadtest run`: load of a shape, then steps up to what is carried, then a report."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import click
import msgspec
from rich.console import Console

from loadtests import plan, profile
from loadtests.hiding import told_address, told_command
from loadtests.machine import database_bytes, machine, versions
from loadtests.plan import Measured, Plan
from loadtests.population import Population
from loadtests.preparing import Prepared, Wanted, prepared
from loadtests.processes import Sampler, sampled
from loadtests.reporting import Report, report_of
from loadtests.service import free_port, stop
from loadtests.shapes import SHAPES, WARM_UP_SECONDS
from loadtests.stepping import MOST_STEPS

CAPACITY, SLOW = "capacity", "slow"
_GRACE_SECONDS, _STOP_SECONDS = 180, 10
_WIDTH_OF_A_FILE = 140


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; None where the shape decides."""

    shape: str
    dossiers: int
    seed: int
    workers: int
    rate: float
    seconds: int
    step_seconds: int
    first_rate: float
    processes: int
    expect_workers: int
    p99: float | None
    most_visits: int
    slow: str
    slow_milliseconds: float
    only: tuple[str, ...]
    report: Path


_LIMIT_OF_UNDER_WAY = 2_000


@click.command(name="run")
@click.argument("shape", type=click.Choice([*SHAPES, CAPACITY]))
@click.option("--dossiers", default=10_000, show_default=True, type=click.IntRange(100), help="Of the population.")
@click.option("--seed", default=1, show_default=True, help="Of the population.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Of the service.")
@click.option("--rate", default=50.0, show_default=True, type=click.FloatRange(1), help="Visits a second at the top.")
@click.option("--seconds", type=click.IntRange(2, 86_400), help="Of the shape; each has its own length.")
@click.option(
    "--step-seconds",
    default=10,
    show_default=True,
    type=click.IntRange(0, 600),
    help="Of a step up, two at least; 0: none.",
)
@click.option("--first-rate", default=10.0, show_default=True, type=click.FloatRange(1), help="Of the steps up.")
@click.option("--processes", default=0, type=click.IntRange(0, 64), help="Workers of locust on this machine.")
@click.option("--expect-workers", default=0, type=click.IntRange(0, 100), help="Workers of locust on other machines.")
@click.option("--seeded", is_flag=True, help="The settings in the environment lead to a population that is there.")
@click.option("--address", help="Of a service that runs already, with its population.")
@click.option("--key", envvar="DMP_LOADTEST_KEY", help="Of a client of that service (or DMP_LOADTEST_KEY).")
@click.option("--fund-key", envvar="DMP_LOADTEST_FUND_KEY", help="Of the fund's client (or DMP_LOADTEST_FUND_KEY).")
@click.option("--postgres", is_flag=True, help="PostgreSQL: DMP_DATABASE_URL, else one is started.")
@click.option("--minio", is_flag=True, help="MinIO: DMP_VAULT_URL, else one is started.")
@click.option("--slow", default="database", show_default=True, type=click.Choice(["database", "store"]))
@click.option("--slow-milliseconds", default=50.0, show_default=True, type=click.FloatRange(0, 10_000))
@click.option("--p99", type=click.FloatRange(0), help="Milliseconds that the p99 of the shape must not exceed.")
@click.option("--only", multiple=True, type=click.Choice(list(profile.MIX)), help="A persona; else all in their mix.")
@click.option("--most-visits", default=10_000_000, show_default=True, type=click.IntRange(1), help="Then it ends.")
@click.option("--report", default="var/loadtest", show_default=True, type=click.Path(path_type=Path), help="Folder.")
def command(
    *,
    address: str | None,
    key: str | None,
    fund_key: str | None,
    seeded: bool,
    postgres: bool,
    minio: bool,
    seconds: int | None,
    **given: object,
) -> None:
    """Put load of a SHAPE on the service, check every answer, and say what it carries.

    Fails if an answer was wrong or came not at all, or a threshold was passed.
    """
    length = seconds or (SHAPES[str(given["shape"])].seconds if given["shape"] in SHAPES else 0)
    options = msgspec.convert(given | {"seconds": length}, Options)
    options.report.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(
        Population(options.dossiers, options.seed),
        options.workers,
        options.report,
        seeded,
        postgres,
        minio,
        options.slow if options.shape == SLOW else None,
        options.slow_milliseconds,
    )
    if address and options.shape == SLOW:
        raise click.UsageError(
            f"{SLOW} needs a service that is started here: what makes its {options.slow} late stands between them,"
            " and the service at --address would go past it"
        )
    if address and not key:
        raise click.UsageError("--address needs --key, or DMP_LOADTEST_KEY in the environment")
    if options.expect_workers and not address:
        raise click.UsageError("--expect-workers needs --address: a service that is started answers this machine alone")
    try:
        with _elsewhere(address, key or "", fund_key) if address else prepared(wanted) as service:
            report = _measured(options, service)
    except (RuntimeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _tell(report, options.report)
    sys.exit(not report.passed)


@contextmanager
def _elsewhere(address: str, key: str, fund_key: str | None) -> Iterator[Prepared]:
    """A service whose processes are not ours to look at."""
    yield Prepared(address.rstrip("/"), key, fund_key, {}, None, None, f"at {told_address(address)}")


def _measured(options: Options, service: Prepared) -> Report:
    sampler = Sampler(service.roots, apart=frozenset({"service", "locust"}))
    plans = list(_plans(options, service))
    found = dict(zip((each.shape for each in plans), _locust(options, service, plans, sampler), strict=False))
    return report_of(
        found.get(options.shape),
        found.get(None),
        shape_name=options.shape,
        p99_limit=options.p99,
        processes=sampler.samples,
        command=shlex.join(["dmp-loadtest", *told_command(sys.argv[1:])]),
        setting=_setting(options, service),
        versions=versions(service.database_url),
        database_bytes=database_bytes(service.database_url, service.home),
        figures=_figures(),
    )


def _plans(options: Options, service: Prepared) -> Iterator[Plan]:
    """What is asked for: the shape, the steps, or one after the other."""
    told = partial(
        Plan,
        address=service.address,
        key=service.key,
        fund_key=service.fund_key,
        dossiers=options.dossiers,
        seed=options.seed,
        warm_up_seconds=min(WARM_UP_SECONDS, options.seconds / 4),
        most_visits=options.most_visits,
        most_under_way=_LIMIT_OF_UNDER_WAY,
        p99_limit=50.0,
        personas=options.only,
    )
    measured, rate, seconds = (options.report / "measured").resolve(), options.first_rate, options.step_seconds or 10
    if options.shape != CAPACITY:
        click.echo(f"{options.shape}: up to {options.rate:g} visits a second for {options.seconds} seconds")
        yield told(shape=options.shape, rate=options.rate, seconds=options.seconds, measured=str(measured))
    if options.shape == CAPACITY or options.step_seconds:
        click.echo(f"steps of {seconds} seconds, from {rate:g} visits a second up")
        yield told(shape=None, rate=rate, seconds=seconds, measured=f"{measured}.steps")


def _locust(options: Options, service: Prepared, plans: Sequence[Plan], sampler: Sampler) -> list[Measured]:
    """What each part measured: one run, in its own process, since locust patches sockets and threads.

    A run that lost workers ends there, and what would have followed is not measured. Raises RuntimeError.
    """
    file = options.report / "plan.json"
    files = [Path(each.measured) for each in plans]
    for each in files:
        each.unlink(missing_ok=True)
    plan.write(file, plans)
    try:
        _run_locust(options, service, file.resolve(), sampler, sum(each.seconds for each in plans))
        found: list[Measured] = [plan.read(each, Measured) for each in files if each.exists()]
        if len(found) < len(plans) and not any(each.lost for each in found):
            raise RuntimeError(f"locust measured nothing: see {options.report / 'locust.log'}")
    finally:
        for each in (file, *files):
            each.unlink(missing_ok=True)
    return found


def _run_locust(options: Options, service: Prepared, file: Path, sampler: Sampler, seconds: float) -> None:
    command = [sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("locustfile.py"))]
    command += ["--headless", "--only-summary", "--loglevel=WARNING", f"--host={service.address}"]
    command += ["--logfile", str(options.report / "locust.log")]
    if options.processes:
        port = free_port()
        command += [f"--processes={options.processes}", "--master-bind-host=127.0.0.1"]
        command += [f"--master-bind-port={port}", f"--master-port={port}"]
    elif options.expect_workers:
        command += ["--master", f"--expect-workers={options.expect_workers}"]
        click.echo(
            f"waiting for {options.expect_workers} workers, once for the whole run: copy {file} and, on each machine,\n"
            f"  {plan.VARIABLE}=plan.json locust -f loadtests/locustfile.py --worker --master-host=THIS-MACHINE"
        )
    environment = os.environ | {plan.VARIABLE: str(file), "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(  # noqa: S603 - locust, with arguments of ours
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        sampler.roots = dict(sampler.roots) | {"locust": process.pid}
        with sampled(sampler):
            try:
                process.wait(_GRACE_SECONDS + seconds * MOST_STEPS)
            except subprocess.TimeoutExpired:
                stop(process, "locust", _STOP_SECONDS)
                raise RuntimeError("locust did not end in time") from None


def _setting(options: Options, service: Prepared) -> Mapping[str, str]:
    shape = SHAPES.get(options.shape)
    asking = f"{options.processes} workers of locust" if options.processes else "one process of locust"
    told = shape.told(options.slow, options.slow_milliseconds) if shape else f"{CAPACITY}: steps up to what is carried"
    return {
        "shape": told,
        "rate": f"{options.rate:g} visits a second at the top, begun by the clock",
        "personas": ", ".join(options.only) or "all, in the mix of the figures below",
        "population": f"{options.dossiers:,} dossiers from seed {options.seed}",
        "service": service.told,
        "machine": machine(),
        "asked by": f"{asking}, on the same machine" if not options.expect_workers else "workers of locust elsewhere",
    }


def _figures() -> Mapping[str, str]:
    tables = (profile.MIX, profile.VISITS, profile.ACCESS, profile.STORM, profile.POPULATION)
    return {name: f"{each.value:g} ({each.source})" for name, each in chain(*(table.items() for table in tables))}


def _tell(report: Report, folder: Path) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    report.write(folder)
    if report.shape is not None:
        console.print(report.table())
    for sentence in report.sentences():
        console.print(sentence, highlight=False, soft_wrap=True)
    console.print(f"written: {folder / 'report.html'}, {folder / 'report.json'}")
