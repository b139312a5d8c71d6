"""The policy and the oracle side by side, in portions that several processes can take."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import repeat
from math import ceil
from multiprocessing import get_context
from os import cpu_count
from random import Random

from models.decisions import Decision
from models.facts import Case
from policy.engine import Engine
from policy.situation import Situation
from tests.policy import oracle
from tests.policy.disagreement import Disagreement, Judge, plainest
from tests.policy.drawing import draw_case
from tests.policy.oracle_facts import read_matrix
from tests.policy.review.bulk import disagreed

PORTION = 10_000
ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """One portion: how many cases were allowed, the first disagreements, and situations answered otherwise in bulk."""

    allowed: int
    disagreements: tuple[Disagreement, ...]
    in_bulk: tuple[Situation, ...]


@cache
def judges() -> tuple[Engine, Judge, Judge]:
    """The policy as it is packaged, in an engine, as a judge, and the oracle."""
    engine = Engine.load()

    def policy(case: Case) -> Decision:
        return engine.judge(engine.situation_of(case))

    return engine, policy, partial(oracle.judge, matrix=read_matrix())


def compare(seed: int, cases: int) -> Iterator[Compared]:
    """The portions of one seed, whose cases are the same however many processes there are."""
    portions = range(ceil(cases / PORTION))
    with ProcessPoolExecutor(cpu_count(), get_context("spawn")) as processes:
        yield from processes.map(compare_portion, repeat(seed), portions)


def compare_portion(seed: int, portion: int) -> Compared:
    """Draw and judge the cases of one portion, until there are enough disagreements to tell."""
    engine, policy, by_oracle = judges()
    random = Random(f"{seed}/{portion}")
    allowed, disputed, met = 0, [], set()
    for _ in range(PORTION):
        case = draw_case(random)
        expected = by_oracle(case)
        met.add(engine.situation_of(case))
        allowed += expected.allowed
        if policy(case) != expected:
            disputed.append(case)
            if len(disputed) == ENOUGH:
                break
    plain = tuple(plainest(case, policy, by_oracle) for case in disputed)
    return Compared(allowed, plain, tuple(disagreed(engine, met)))
