"""`dmp-loadtest seed`: a population loaded into PostgreSQL, as fast as it takes it, and gone on with where it was killed."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from time import monotonic

import asyncpg
import click

from loadtests.population import Population
from loadtests.population import loading
from loadtests.population.deployment import Deployment, NoDeploymentError
from loadtests.population.numbering import MOST_DOSSIERS
from loadtests.population.parts import Parts, Step

PART = 100_000
"""Dossiers that are there together, or not at all."""

_FEWEST = 10_000
_TOLD_EVERY = 15.0
_MEGABYTE, _GIGABYTE = 1e6, 1e9


@click.command()
@click.option("--dossiers", type=click.IntRange(_FEWEST, MOST_DOSSIERS), required=True, help="How many.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="What they are drawn from.")
@click.option("--workers", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1, 64))
def command(dossiers: int, seed: int, workers: int) -> None:
    """Load synthetic France into the PostgreSQL that DMP_DATABASE_URL names and `dmp init` made (DMP_HOME: its keys).

    Killed at any instant it goes on when it is called again. A database that holds anything else is refused.
    """
    try:
        deployment = Deployment.from_environment(os.environ)
        asyncio.run(seed_database(deployment, Population(dossiers, seed), workers=workers))
    except (NoDeploymentError, loading.RefusedError) as error:
        raise click.ClickException(str(error)) from None


async def seed_database(
    deployment: Deployment,
    population: Population,
    *,
    workers: int,
    part: int = PART,
    say: Callable[[str], None] = click.echo,
) -> None:
    """Load what is not there yet. Raises RefusedError, NoDeploymentError."""
    secret = await deployment.pseudonym_secret()
    connection = await asyncpg.connect(deployment.database_url)
    try:
        begun = await loading.begin(connection, population, part)
        if begun.finished:
            say(f"{population.dossiers:,} dossiers from seed {population.seed} are there already")
            return
        await _load(deployment, connection, Parts(population, begun.size, secret), workers, say)
    finally:
        await connection.close()


async def _load(
    deployment: Deployment, connection: asyncpg.Connection, parts: Parts, workers: int, say: Callable[[str], None]
) -> None:
    start = monotonic()
    left = await loading.missing(connection, Step.DOSSIERS, parts.count(Step.DOSSIERS))
    await _check_room(connection, min(len(left) * parts.size, parts.population.dossiers), say)
    with _pool(deployment, parts, workers) as pool:
        for step in Step:
            missing = await loading.missing(connection, step, parts.count(step))
            progress = _Progress(step, len(missing), say)
            for written in asyncio.as_completed([_in(pool, step, each) for each in missing]):
                await written
                progress.another()
            for table in loading.indexed(step):
                began = monotonic()
                await loading.index(connection, table)
                say(f"{table}: vacuumed and indexed in {monotonic() - began:,.0f} s")
    await loading.finish(connection)
    for table, (size, indexes) in (await loading.sizes(connection)).items():
        a_dossier = (size + indexes) / parts.population.dossiers
        say(
            f"{table}: {size / _MEGABYTE:,.0f} MB, indexes {indexes / _MEGABYTE:,.0f} MB, {a_dossier:,.0f} bytes a dossier"
        )
    say(f"{parts.population.dossiers:,} dossiers in {monotonic() - start:,.0f} s")


async def _check_room(connection: asyncpg.Connection, dossiers: int, say: Callable[[str], None]) -> None:
    needed, free = await loading.room(connection, dossiers)
    say(
        f"needs about {needed / _GIGABYTE:,.1f} GB; free: {'not known' if free is None else f'{free / _GIGABYTE:,.1f} GB'}"
    )
    if free is not None and free < needed:
        raise loading.RefusedError(f"the disk has no room: about {int(dossiers * free / needed):,} dossiers would fit")


@dataclass
class _Progress:
    """Tells now and then how far a step is, how fast it goes and when it will be done."""

    step: Step
    total: int
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._began = self._told = monotonic()
        self._done = 0

    def another(self) -> None:
        self._done += 1
        now = monotonic()
        if now - self._told < _TOLD_EVERY and self._done < self.total:
            return
        self._told = now
        seconds = (now - self._began) / self._done
        left = seconds * (self.total - self._done)
        self.say(
            f"{self.step}: part {self._done:,} of {self.total:,}, {seconds:,.2f} s each, {left / 60:,.1f} min left"
        )


# Processes that write parts


@contextmanager
def _pool(deployment: Deployment, parts: Parts, workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (deployment.database_url, parts))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _in(pool: ProcessPoolExecutor, step: Step, part: int) -> "asyncio.Future[None]":
    return asyncio.get_running_loop().run_in_executor(pool, _write, step, part)


_work: dict[str, object] = {}


def _start(database_url: str, parts: Parts) -> None:
    """What a process needs to know once; it ends with the one that started it, however that ends."""
    _work["url"], _work["parts"] = database_url, parts
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _write(step: Step, part: int) -> None:
    asyncio.run(_write_part(step, part))


async def _write_part(step: Step, part: int) -> None:
    connection = await asyncpg.connect(_work["url"])
    try:
        await _work["parts"].write(connection, step, part)
    finally:
        await connection.close()
