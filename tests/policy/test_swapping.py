"""Engines take one another's place while threads judge."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event

import pytest

from models.decisions import Decision
from policy.engine import Engine
from policy.loader import load
from policy.ruleset import RuleSet
from policy.situation import Situation
from tests.policy.drawing import draw_case
from tests.policy.folders import copy_of_the_policy, rewrite

THREADS = 4
SEED = 20_261_126
CASES = [draw_case(Random(SEED + number)) for number in range(500)]

Verdict = tuple[Situation, Decision]


class InForce:
    """The engine in force; whoever judges takes it once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine


@pytest.fixture
def others(tmp_path: Path) -> RuleSet:
    """Rules that answer otherwise: who is granted, what a nurse may see."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(
        folder / "rules" / "70-care.csv", lambda text: text.replace("normal & granted,", "normal & granted & author,")
    )
    rewrite(folder / "habilitations.csv", lambda text: text.replace("nurse,report,allow", "nurse,report,deny"))
    return load(folder)


def verdicts(rules: RuleSet) -> list[Verdict]:
    """What an engine says while it is alone."""
    engine = Engine(rules)
    return [(situation := engine.situation_of(case), engine.judge(situation)) for case in CASES]


def judging(in_force: InForce, expected: dict[str, list[Verdict]], stop: Event, start: int) -> Counter[str]:
    """Judge without a pause until told to stop; how many verdicts each rule set gave, each exactly its own."""
    seen: Counter[str] = Counter()
    for number in cycle([*range(start, len(CASES)), *range(start)]):
        engine = in_force.engine
        situation = engine.situation_of(CASES[number])
        assert (situation, engine.judge(situation)) == expected[engine.revision][number]
        seen[engine.revision] += 1
        if stop.is_set():
            break
    return seen


@pytest.mark.parametrize("swaps", [4, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.no_cover
def test_every_verdict_is_of_one_rule_set(rules: RuleSet, others: RuleSet, swaps: int) -> None:
    """Though engines are made meanwhile, each begins with an empty memory, and Casbin is asked from all threads."""
    pair = (others, rules)
    expected = {each.revision: verdicts(each) for each in pair}
    assert expected[rules.revision] != expected[others.revision]
    in_force, stop = InForce(Engine(rules)), Event()
    with ThreadPoolExecutor(THREADS) as threads:
        running = [
            threads.submit(judging, in_force, expected, stop, start * len(CASES) // THREADS) for start in range(THREADS)
        ]
        try:
            for number in range(swaps):
                in_force.engine = Engine(pair[number % 2])
        finally:
            stop.set()
        seen = sum((each.result() for each in running), Counter[str]())
    assert min(seen[each.revision] for each in pair) > swaps
