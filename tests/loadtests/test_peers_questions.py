"""What everybody is asked has answers that are plain, and are ours."""

import json
from collections import Counter
from random import Random

import pytest

from api.settings import Settings
from loadtests.peers.ours import Ours
from loadtests.peers.peer import Asked
from loadtests.peers.questions import KINDS, MOST_DOCUMENTS, Sample, ties
from loadtests.population import Population
from tests.loadtests.homes import answers
from tests.loadtests.peers import DOSSIER, POPULATION, SAMPLE

OURS = Ours("", 1, 1, "key")


def body_of(asked: Asked) -> dict[str, object]:
    found: dict[str, object] = json.loads(asked.request.partition(b"\r\n\r\n")[2])
    return found


async def test_ours_answers_as_the_questions_expect(settings: Settings) -> None:
    """Those about one document and those about many, judged on the imported facts."""
    questions = SAMPLE.singles(140, Random(1))
    bodies = [body_of(OURS.single(question)) for question in questions]
    for batch in SAMPLE.batches(50)[:5]:
        shared = body_of(OURS.batch(batch))
        items = shared.pop("evaluations")
        assert isinstance(items, list)
        bodies += [shared | item for item in items]
        questions.append(batch)
    assert await answers(settings, bodies) == [expected for question in questions for expected in question.expected]


def test_each_kind_is_asked_as_often_as_the_others() -> None:
    """So that no peer gains by being quick at one of them."""
    asked = Counter(question.about for question in SAMPLE.singles(70, Random(1)))
    assert (len(asked), set(asked.values())) == (len(KINDS), {10})


def test_the_same_seed_asks_the_same() -> None:
    """A run can be repeated."""
    assert SAMPLE.singles(50, Random(3)) == SAMPLE.singles(50, Random(3))


def test_a_kind_that_cannot_be_asked_is_named() -> None:
    """A sample too small for it ends the run with a sentence, before anything is started."""
    alone = Sample([DOSSIER], [])
    with pytest.raises(LookupError, match="none of 1 dossiers serves to ask"):
        alone.singles(10, Random(1))


def test_batches_are_about_the_dossiers_with_the_most_documents() -> None:
    """The largest of the population that somebody may read, each asked about once."""
    sizes = [len(question.documents) for question in SAMPLE.batches(MOST_DOCUMENTS)]
    largest = sorted((len(POPULATION.dossier(number).documents) for number in range(400)), reverse=True)
    assert (len(sizes), max(sizes)) == (20, min(MOST_DOCUMENTS, largest[0]))


def test_a_batch_is_cut_to_its_size() -> None:
    """As many documents as were asked for, with an answer for each."""
    assert {(len(each.documents) <= 10, len(each.documents) == len(each.expected)) for each in SAMPLE.batches(10)} == {
        (True, True)
    }


def test_thick_dossiers_are_among_those_that_peers_are_given() -> None:
    """Also where they come after the first ones, and then once."""
    sample = Sample.of(Population(400, seed=7), 100)
    numbers = Counter(dossier.number for dossier in sample.dossiers)
    assert ({dossier.number for dossier in sample.thick} <= set(numbers), max(numbers.values())) == (True, 1)


def test_who_is_to_be_blocked_may_read_before() -> None:
    """Treating physicians, each of another dossier."""
    questions = SAMPLE.revocations(20)
    assert (
        {question.expected for question in questions},
        len({question.dossier.number for question in questions}),
    ) == ({(True,)}, 20)


def test_ties_are_those_of_the_population() -> None:
    """What peers are handed, or have loaded, and a block that comes on top."""
    assert ties(DOSSIER) == {
        "treating_physicians": [DOSSIER.treating_physician],
        "care_team": list(DOSSIER.nurses),
        "care_team_consent": DOSSIER.consents,
        "blocked": [DOSSIER.blocked] if DOSSIER.blocked else [],
    }
