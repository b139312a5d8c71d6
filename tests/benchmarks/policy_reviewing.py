"""What it costs to answer a situation among all of them, beside Casbin's first look at one."""

from collections.abc import Iterator
from random import Random

from policy.engine import Engine
from policy.review.answers import whole
from policy.review.planes import MEETINGS, situations_of
from tests.benchmarks.frame import Work, benchmark
from tests.policy.review.bulk import draw_situation

_BY_CASBIN = 100
_ALL = sum(situations_of(role, action) for role, action in MEETINGS)


@benchmark(
    "one situation, reviewed among all",
    subject="policy.review.answers over the whole space",
    reference="Casbin, asked for the first time",
    pieces=(_ALL, _BY_CASBIN),
)
def reviewing() -> Iterator[tuple[Work, Work]]:
    """Answer, deciding rule and obligations of every situation that there is; Casbin is asked about drawn ones."""
    engine = Engine.load()
    random = Random(1)
    situations = [draw_situation(random) for _ in range(_BY_CASBIN)]
    ask_casbin = engine._ask_casbin  # noqa: SLF001 - judge would remember the answers
    yield (
        lambda: [whole(engine.rules, role, action)[1].outcome for role, action in MEETINGS],
        lambda: [ask_casbin(situation) for situation in situations],
    )
