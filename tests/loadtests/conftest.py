"""What tests of the load share."""

import pytest

from api.cli import setting_up
from api.settings import Settings
from tests.loadtests.homes import populate
from tests.loadtests.peers import POPULATION


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A service's home with the population in it, which nobody changes."""
    made = Settings.from_environment({"DMP_HOME": str(tmp_path_factory.mktemp("home"))})
    setting_up.initialise(made)
    populate(made, POPULATION)
    return made
