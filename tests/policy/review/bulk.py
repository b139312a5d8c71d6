"""Casbin and the bulk evaluation side by side, on situations drawn at random, in portions for several processes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from math import ceil
from multiprocessing import get_context
from os import cpu_count
from random import Random
from typing import TypeVar

from models.decisions import Decision
from policy.engine import Engine
from policy.loader import PACKAGED
from policy.review.answers import Answers, bearing, whole
from policy.review.matrices import cases_folder, read_matrices
from policy.review.planes import MEETINGS, Sample
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.space import dimensions
from policy.words import Fact

PORTION = 10_000
FEW = 13 * 4 * 7
"""13 modes, 4 states of the dossier, 7 sets of ties."""

T = TypeVar("T")


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


def compare_the_cases() -> tuple[int, list[Situation]]:
    """How many situations the packaged matrices have, and the disagreements on them."""
    engine = _engine()
    situations = set(read_matrices(cases_folder(PACKAGED), engine.register).situations.values())
    return len(situations), disagreed(engine, situations)


def compare_the_few() -> tuple[int, list[Situation]]:
    """How many situations those roles and actions have that have few, and the disagreements on them."""
    engine = _engine()
    planes = [whole(engine.rules, *meeting)[0] for meeting in MEETINGS]
    few = [plane for plane in planes if plane.size <= FEW]
    situations = [plane.situation(number) for plane in few for number in range(plane.size)]
    return len(situations), disagreed(engine, situations)


def elsewhere(work: Callable[[], T]) -> T:
    """What a function of this module gives, in a process of its own: there it is not slowed by being measured."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work).result()


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
