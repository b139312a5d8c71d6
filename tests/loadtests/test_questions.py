"""What the personas expect is what the rules answer."""

from collections.abc import Callable
from random import Random

import pytest

from api.settings import Settings
from loadtests import questions
from loadtests.drawing import Source
from loadtests.questions import Asked
from tests.loadtests.homes import answers
from tests.loadtests.peers import POPULATION


@pytest.mark.parametrize("persona", questions.READERS)
async def test_the_rules_answer_as_the_persona_expects(settings: Settings, persona: Callable[[Source], Asked]) -> None:
    """A hundred questions of each persona, judged on the imported facts."""
    source = Source(POPULATION, Random(1), ahead=100)
    asked = [persona(source) for _ in range(100)]
    assert await answers(settings, [each.body() for each in asked]) == [each.expected for each in asked]


def test_a_batch_is_about_one_dossier() -> None:
    """The documents of a batch are all of the dossier of the physician who asks."""
    asked = questions.of_one_dossier(Source(POPULATION, Random(1)), 50)
    holders = {
        dossier.number
        for dossier in map(POPULATION.dossier, range(POPULATION.dossiers))
        if {each.document.id for each in asked} & {document.id for document in dossier.documents}
    }
    assert (len(asked), len(holders), len({each.subject for each in asked})) == (50, 1, 1)


async def test_the_list_of_patients_has_the_one_and_not_the_other(settings: Settings) -> None:
    """Whose treating physician he is, he reads; to another's dossier nothing ties him."""
    source = Source(POPULATION, Random(1), ahead=100)
    asked = []
    for _ in range(50):
        dossier, rpps = questions.with_treating_physician(source)
        for each, expected in ((dossier, True), (questions.without_tie(source, rpps), False)):
            asked += [Asked(("professional", rpps), document, expected=expected) for document in each.documents[:1]]
    assert await answers(settings, [each.body() for each in asked]) == [each.expected for each in asked]


async def test_who_admits_a_patient_reads_what_is_not_masked(settings: Settings) -> None:
    """A physician of a hospital of the care team, and the treating physician reads the report."""
    source = Source(POPULATION, Random(1), ahead=100)
    asked = []
    for _ in range(50):
        dossier, _, physician = questions.with_hospital(source, source.anywhere)
        asked += [
            Asked(("professional", reader), document, expected=reader != physician or not document.masked)
            for document in dossier.documents
            for reader in (physician, dossier.treating_physician or "")
        ]
    assert await answers(settings, [each.body() for each in asked]) == [each.expected for each in asked]
