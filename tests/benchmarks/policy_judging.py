"""What a remembered decision costs beside a bare look-up."""

from collections.abc import Iterator

from models.vocabulary import Action
from policy.engine import Engine
from policy.situation import Situation
from policy.words import Fact, Role
from tests.benchmarks.frame import Work, benchmark

_MANY = range(10_000)


@benchmark("a remembered decision, 10,000 times", subject="policy.engine.Engine.judge", reference="a dict's get")
def remembering() -> Iterator[tuple[Work, Work]]:
    """The same situation each time, as a dossier that is read over and over gives."""
    engine = Engine.load()
    facts = (Fact.NORMAL, Fact.STRONG_AUTHENTICATION, Fact.TREATING_PHYSICIAN)
    situation = Situation.of(Role.PHYSICIAN, Action.DOCUMENT_LIST, facts)
    known = {situation.code: engine.judge(situation)}
    yield (
        lambda: [engine.judge(situation) for _ in _MANY],
        lambda: [known.get(situation.code) for _ in _MANY],
    )
