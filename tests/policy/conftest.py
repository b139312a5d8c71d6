"""The packaged rules, loaded once."""

import pytest

from policy.engine import Engine
from policy.ruleset import RuleSet


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of the packaged rules."""
    return Engine.load()


@pytest.fixture(scope="session")
def rules(engine: Engine) -> RuleSet:
    """The packaged rules."""
    return engine.rules
