"""A decision costs so many times what a bare endpoint and a bare query cost, and no more.

Both are measured in the same run, by turns, so that the verdict does not depend on the machine. The bounds are about
twice what was measured: what passes them has become slow for a reason, which a noisy machine is not.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import asyncpg
import pytest

from tests.benchmarks.frame import measure
from tests.benchmarks.http_client import Exchange
from tests.benchmarks.http_deciding import BATCHED, CONNECTIONS, SINGLE, bare, client, post, service
from tests.servers.postgresql import postgresql

REQUESTS = {SINGLE: 320, BATCHED: 32}
BOUNDS = {SINGLE: 6.0, BATCHED: 16.0}
ROUNDS = 5


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[int, str, int, str]]:
    """The service on PostgreSQL and a client's key, an endpoint that decides nothing, and the database."""
    with ExitStack() as stack:
        url = stack.enter_context(postgresql()).create("guard")
        yield (*stack.enter_context(service(url)), stack.enter_context(bare()), url)


@pytest.fixture(scope="module")
def query(running: tuple[int, str, int, str]) -> Iterator[Callable[[int], None]]:
    """Looks so many dossiers up by their key, one after the other, on one connection."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(running[3]))
        [key] = [row["id"] for row in runner.run(connection.fetch("select id from dossier limit 1"))]

        async def look_up(times: int) -> None:
            for _ in range(times):
                await connection.fetchrow("select state from dossier where id = $1", key)

        yield lambda times: runner.run(look_up(times))
        runner.run(connection.close())


@pytest.mark.parametrize("path", [SINGLE, BATCHED])
def test_a_decision_costs_no_more_than_it_did(
    running: tuple[int, str, int, str], query: Callable[[int], None], path: str
) -> None:
    """Dry runs, so that no disk is measured: a request beside a bare one and a bare query."""
    port, key, other, _ = running
    posts = [post(path, number, dry_run=True) for number in range(REQUESTS[path])]
    with ExitStack() as stack:
        decide = stack.enter_context(client(Exchange(port, path, key, CONNECTIONS, posts)))
        answer = stack.enter_context(
            client(Exchange(other, path, key, CONNECTIONS, [(body, [True]) for body, _ in posts]))
        )

        def reference() -> None:
            answer()
            query(len(posts))

        ratio = measure(decide, reference, rounds=ROUNDS).ratio
    assert ratio < BOUNDS[path]
