"""From the tables to the answer: cases drawn at random are stored, looked up together, and judged as the oracle does.

`DMP_ORACLE_SEED` repeats a run: every run prints its seed.
"""

import os
import sys
from random import Random, SystemRandom

import pytest

from models.database import Database
from models.queries import fetch_cases
from tests.models.drawn import renamed, store
from tests.policy.comparison import judges
from tests.policy.drawing import draw_case

AT_ONCE = 250


@pytest.mark.parametrize("count", [500, pytest.param(20_000, marks=pytest.mark.long)])
async def test_what_was_stored_is_decided_as_the_oracle_does(
    database: Database, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answer, rules and obligations are the same of every case; on a cluster, of whatever node it is read."""
    seed = int(os.environ.get("DMP_ORACLE_SEED", SystemRandom().getrandbits(32)))
    random = Random(seed)
    drawn = [draw_case(random) for _ in range(count)]
    cases = renamed(drawn)
    await store(database, drawn, cases)
    asked = [each.question for each in cases]
    read = [case for at in range(0, count, AT_ONCE) for case in await fetch_cases(database, asked[at : at + AT_ONCE])]
    _, policy, oracle = judges()
    expected = [oracle(case) for case in cases]
    allowed = sum(each.allowed for each in expected)
    with capsys.disabled():
        sys.stdout.write(f"\n{database.dialect} and oracle: {count} cases, {allowed} allowed, DMP_ORACLE_SEED={seed}\n")
    assert [(one, two) for one, two, told in zip(cases, read, expected, strict=True) if policy(two) != told] == []
    assert allowed > count // 10
