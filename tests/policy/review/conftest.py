"""Cases, read once: the packaged ones, and the little ones with the packaged rules."""

import pytest

from policy.loader import PACKAGED
from policy.review.bench import Bench
from policy.review.matrices import Matrices, read_matrices
from policy.ruleset import RuleSet
from tests.policy.review.little import little_cases


@pytest.fixture(scope="session")
def matrices(rules: RuleSet) -> Matrices:
    """The packaged cases."""
    return read_matrices(PACKAGED / "cases", rules.register)


@pytest.fixture(scope="session")
def little(rules: RuleSet, tmp_path_factory: pytest.TempPathFactory) -> Matrices:
    """The little cases."""
    return read_matrices(little_cases(tmp_path_factory.mktemp("little")), rules.register)


@pytest.fixture(scope="session")
def bench(rules: RuleSet, little: Matrices) -> Bench:
    """The packaged rules with the little cases."""
    return Bench(rules, little)
