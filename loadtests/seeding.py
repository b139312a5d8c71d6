"""`dmp-loadtest seed`: a population loaded into PostgreSQL; whoever is killed goes on where he was."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from time import monotonic

import asyncpg
import click

from loadtests.population import Population, loading
from loadtests.population.deployment import Deployment, NoDeploymentError
from loadtests.population.numbering import MOST_DOSSIERS
from loadtests.population.parts import Parts, Step

PART = 100_000
"""So many dossiers are there together, or not at all."""

_FEWEST = 10_000
_TOLD_EVERY = 15.0
_MEGABYTE, _GIGABYTE = 1e6, 1e9

Say = Callable[[str], None]


@click.command()
@click.option("--dossiers", type=click.IntRange(_FEWEST, MOST_DOSSIERS), required=True, help="How many.")
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0, 2**63 - 1), help="What they are drawn from."
)
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
    except (asyncpg.PostgresError, OSError, BrokenProcessPool) as error:
        raise click.ClickException(f"what is written stays, call it again to go on: {error}") from None


async def seed_database(
    deployment: Deployment, population: Population, *, workers: int, part: int = PART, say: Say = click.echo
) -> None:
    """Load what is not there yet. Raises RefusedError, NoDeploymentError."""
    secret = await deployment.pseudonym_secret()
    connection = await asyncpg.connect(deployment.database_url)
    try:
        begun = await loading.begin(connection, population, part)
        if begun.finished:
            say(f"{population.dossiers:,} dossiers from seed {population.seed} are there already")
            return
        start = monotonic()
        await _load(deployment, connection, Parts(population, begun.size, secret), workers, say)
        say(f"{population.dossiers:,} dossiers are there after {monotonic() - start:,.0f} s")
    finally:
        await connection.close()


async def _load(deployment: Deployment, connection: asyncpg.Connection, parts: Parts, workers: int, say: Say) -> None:
    missing = {step: await loading.missing(connection, step, parts.count(step)) for step in Step}
    await _check_room(connection, min(len(missing[Step.DOSSIERS]) * parts.size, parts.population.dossiers), say)
    with _processes(workers) as pool:
        loop = asyncio.get_running_loop()
        for step in Step:
            writing = [loop.run_in_executor(pool, _write, deployment, parts, step, part) for part in missing[step]]
            await _told(writing, *parts.amount(step), parts.count(step), say)
            for table in loading.completed(step):
                began = monotonic()
                await loading.index(connection, table)
                say(f"{table} is vacuumed and has its indexes after {monotonic() - began:,.0f} s")
    await loading.finish(connection)
    for name, size, indexes in await loading.sizes(connection):
        each = (size + indexes) / parts.population.dossiers
        say(f"{name}: {size / _MEGABYTE:,.0f} MB, indexes {indexes / _MEGABYTE:,.0f} MB: {each:,.0f} bytes a dossier")


async def _check_room(connection: asyncpg.Connection, dossiers: int, say: Say) -> None:
    needed, free = await loading.room(connection, dossiers)
    known = "how much is free is not known here" if free is None else f"{free / _GIGABYTE:,.1f} GB are free"
    say(f"needs about {needed / _GIGABYTE:,.1f} GB of disk, the write-ahead log included; {known}")
    if free is not None and free < needed:
        raise loading.RefusedError(f"the disk has no room: about {int(dossiers * free / needed):,} dossiers would fit")


async def _told(parts: list["asyncio.Future[None]"], amount: int, what: str, count: int, say: Say) -> None:
    """Wait for parts; say now and then how far they are, how fast they come and when they will be there."""
    began = told = monotonic()
    for done, written in enumerate(asyncio.as_completed(parts), 1):
        await written
        now = monotonic()
        if now - told >= _TOLD_EVERY or done == len(parts):
            told = now
            before, rate = count - len(parts), amount / count * done / (now - began)
            left = amount / count * (len(parts) - done) / rate
            there = amount * (before + done) // count
            say(f"{there:,} of {amount:,} {what}, {rate:,.0f} a second, {left / 60:,.1f} minutes left")


@contextmanager
def _processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """However the process that began this one ends: a part that nobody waits for is not finished."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _write(deployment: Deployment, parts: Parts, step: Step, part: int) -> None:
    asyncio.run(_connected(deployment, lambda connection: parts.write(connection, step, part)))


async def _connected(deployment: Deployment, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    connection = await asyncpg.connect(deployment.database_url)
    try:
        await work(connection)
    finally:
        await connection.close()
