"""Casbin and the bulk evaluation side by side, on situations drawn at random, in portions for several processes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from math import ceil
from multiprocessing import get_context
from os import cpu_count
from random import Random

from models.decisions import Decision
from policy.engine import Engine
from policy.review.answers import Answers, bearing
from policy.review.planes import MEETINGS, Sample
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.space import dimensions
from policy.words import Fact

PORTION = 10_000


def in_bulk(rules: RuleSet, situations: Iterable[Situation]) -> dict[Situation, Decision]:
    """The decisions on these situations, worked out without Casbin."""
    meetings = defaultdict(list)
    for situation in situations:
        meetings[situation.role, situation.action].append(situation)
    decisions = {}
    for (role, action), some in meetings.items():
        answers = Answers(Sample(role, action, some), bearing(rules, role, action), rules.register)
        decisions.update({situation: answers.decision(place) for place, situation in enumerate(some)})
    return decisions


def disagreed(engine: Engine, situations: Iterable[Situation]) -> list[Situation]:
    """The situations on which Casbin and the bulk evaluation do not say the same."""
    expected = in_bulk(engine.rules, situations)
    return [situation for situation, decision in expected.items() if engine.judge(situation) != decision]


def compare(seed: int, situations: int) -> Iterator[list[Situation]]:
    """The disagreements of each portion, the same for a seed however many processes there are."""
    with ProcessPoolExecutor(cpu_count(), get_context("spawn")) as processes:
        yield from processes.map(compare_portion, repeat(seed), range(ceil(situations / PORTION)))


def compare_portion(seed: int, portion: int) -> list[Situation]:
    """Draw the situations of one portion, and judge them both ways."""
    random = Random(f"{seed}/{portion}")
    return disagreed(_engine(), [draw_situation(random) for _ in range(PORTION)])


def draw_situation(random: Random) -> Situation:
    """Any role with any action, and of each dimension any alternative."""
    role, action = random.choice(MEETINGS)
    facts = frozenset[Fact]().union(*(random.choice(each.alternatives) for each in dimensions(role, action)))
    return Situation.of(role, action, facts)


@cache
def _engine() -> Engine:
    return Engine.load()
