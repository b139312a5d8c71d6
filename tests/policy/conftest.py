"""The packaged rules, loaded once, and the whole space of situations under them."""

import pytest

from policy.engine import Engine
from policy.ruleset import RuleSet
from tests.policy.everywhere import Plane, planes


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of the packaged rules."""
    return Engine.load()


@pytest.fixture(scope="session")
def rules(engine: Engine) -> RuleSet:
    """The packaged rules."""
    return engine.rules


@pytest.fixture(scope="session")
def space(rules: RuleSet) -> tuple[Plane, ...]:
    """Every situation there is, under the packaged rules."""
    return planes(rules)
