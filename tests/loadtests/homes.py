"""Services' homes with a population in them, and what the rules answer there."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.cli import importing
from api.schemas.authzen import EvaluationRequest
from api.services.questions import question_of
from api.settings import Settings
from api.strict_json import convert
from loadtests.population import Population
from models.database import open_database
from models.queries import fetch_cases
from policy.engine import Engine
from tests.loadtests import NOW


def populate(settings: Settings, population: Population) -> None:
    """As `dmp import` does."""
    file = settings.home / "population.ndjson"
    population.write(file)
    importing.import_file(settings, file)


async def answers(settings: Settings, bodies: Iterable[Mapping[str, Any]]) -> list[bool]:
    """Whether the rules permit what is asked, judged on what was imported or seeded."""
    engine, database = Engine.load(), await open_database(settings.database_url)
    cases = await fetch_cases(database, [question_of(convert(each, EvaluationRequest), NOW) for each in bodies])
    await database.close()
    return [engine.judge(engine.situation_of(case)).allowed for case in cases]
