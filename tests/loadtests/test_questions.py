"""What the personas expect is what the rules answer."""

from collections.abc import Callable
from random import Random

import pytest

from api.cli import importing, setting_up
from api.schemas.authzen import EvaluationRequest
from api.services.questions import question_of
from api.settings import Settings
from api.strict_json import convert
from loadtests import questions
from loadtests.drawing import Source
from loadtests.population import Population
from loadtests.questions import Asked
from models.database import open_database
from models.queries import fetch_cases
from policy.engine import Engine
from tests.loadtests import NOW

POPULATION = Population(400, seed=7)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A service's home with the population in it."""
    home = tmp_path_factory.mktemp("home")
    made = Settings.from_environment({"DMP_HOME": str(home)})
    setting_up.initialise(made)
    POPULATION.write(home / "population.ndjson")
    importing.import_file(made, home / "population.ndjson")
    return made


@pytest.mark.parametrize("persona", questions.READERS)
async def test_the_rules_answer_as_the_persona_expects(settings: Settings, persona: Callable[[Source], Asked]) -> None:
    """A hundred questions of each persona, judged on the imported facts."""
    source = Source(POPULATION, Random(1), ahead=100)
    asked = [persona(source) for _ in range(100)]
    engine = Engine.load()
    database = await open_database(settings.database_url)
    requests = [question_of(convert(each.body(), EvaluationRequest), NOW) for each in asked]
    cases = await fetch_cases(database, requests)
    await database.close()
    answers = [engine.judge(engine.situation_of(case)).allowed for case in cases]
    assert answers == [each.expected for each in asked]


def test_a_batch_is_about_one_dossier() -> None:
    """The documents of a batch are all of the dossier of the physician who asks."""
    asked = questions.of_one_dossier(Source(POPULATION, Random(1)), 50)
    holders = {
        dossier.number
        for dossier in map(POPULATION.dossier, range(POPULATION.dossiers))
        if {each.document.id for each in asked} & {document.id for document in dossier.documents}
    }
    assert (len(asked), len(holders), len({each.subject for each in asked})) == (50, 1, 1)
