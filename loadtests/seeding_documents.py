"""`dmp-loadtest seed-documents`: contents deposited in a running service, as a hospital's software would.

They are new documents, beside those of the seeded population. The n-th is always the same, for the same dossier, with
the same idempotency key: whoever is killed calls it again, and nothing is there twice.
"""

import asyncio
from collections import Counter
from math import exp, log
from random import Random
from statistics import NormalDist
from time import monotonic

import click
import httpx
import numpy as np

from loadtests.forms import CONTENT_TYPE, PDF, Deposit, form
from loadtests.population import HOSPITAL, Population
from loadtests.population.draws import Draws
from loadtests.population.numbering import MOST_DOSSIERS
from loadtests.profile import CONTENTS

_TYPE = "11488-4"
_TIMEOUT_SECONDS = 60.0
_TOLD_EVERY = 15.0
_MEGABYTE = 1e6


@click.command()
@click.option("--documents", type=click.IntRange(1, 1_000_000_000), required=True, help="How many.")
@click.option("--dossiers", type=click.IntRange(1, MOST_DOSSIERS), required=True, help="Of the seeded population.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Of the same.")
@click.option("--host", default="http://127.0.0.1:8000", show_default=True, help="The service.")
@click.option(
    "--key", envvar="DMP_LOADTEST_KEY", required=True, help="Of a client with the scopes documents, dossiers."
)
@click.option("--at-once", default=8, show_default=True, type=click.IntRange(1, 256), help="Deposits under way.")
def command(documents: int, dossiers: int, seed: int, host: str, key: str, at_once: int) -> None:
    """Deposit contents of realistic sizes, each drawn from seed and number. Called again, it deposits what lacks."""
    outcome = asyncio.run(_deposit_all(Population(dossiers, seed), documents, host, key, at_once))
    for status, count in sorted(outcome.items()):
        click.echo(f"{count:,} answers {status}")
    if set(outcome) != {httpx.codes.CREATED}:
        raise click.ClickException("not everything was deposited; call it again")


def size_of(seed: int, which: int) -> int:
    """Bytes of the content of this number: lognormal, within bounds."""
    share = float(Draws(seed).shares("content", np.array([which]))[0])
    deviations = NormalDist().inv_cdf(max(share, 2.0**-53))
    size = exp(log(CONTENTS["median"].value) + CONTENTS["sigma"].value * deviations)
    return round(min(max(size, CONTENTS["least"].value), CONTENTS["most"].value))


def content_of(seed: int, which: int) -> bytes:
    """The content of this number: nothing that compresses."""
    return PDF + Random(f"{seed}/{which}").randbytes(size_of(seed, which) - len(PDF))


async def _deposit_all(population: Population, documents: int, host: str, key: str, at_once: int) -> Counter[int]:
    outcome: Counter[int] = Counter()
    waiting = iter(range(documents))
    began = told = monotonic()
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=host, headers=headers, timeout=_TIMEOUT_SECONDS) as client:

        async def work() -> None:
            nonlocal told
            for which in waiting:
                outcome[await _deposit(client, population, which)] += 1
                if monotonic() - told > _TOLD_EVERY:
                    told = monotonic()
                    rate = outcome.total() / (told - began)
                    left = (documents - outcome.total()) / rate / 60
                    click.echo(f"{outcome.total():,} of {documents:,}, {rate:,.0f} a second, {left:,.1f} minutes left")

        await asyncio.gather(*(work() for _ in range(at_once)))
    return outcome


async def _deposit(client: httpx.AsyncClient, population: Population, which: int) -> int:
    """The status of the answer that ended it."""
    [number] = Draws(population.seed).below("deposited", np.array([which]), population.dossiers).tolist()
    known = await client.post("/v1/identities", json={"ins": population.dossier(number).ins})
    if known.is_error:
        return known.status_code
    answer = await client.post(
        f"/v1/dossiers/{known.json()['person']}/documents",
        content=form([Deposit(_TYPE, content_of(population.seed, which))]),
        headers={
            "Content-Type": CONTENT_TYPE,
            "DMP-Subject": f"organization/{HOSPITAL}",
            "Idempotency-Key": f"seed-{population.seed}-{which}",
        },
    )
    return answer.status_code
