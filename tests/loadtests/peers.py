"""What tests of the peers ask: a small population, and one question of each kind about one dossier."""

from dataclasses import replace

from loadtests.peers.questions import Question, Sample, Subject
from loadtests.population import INSURER, Population

POPULATION = Population(400, seed=7)
SAMPLE = Sample.of(POPULATION, 300)

DOSSIER = next(each for each in SAMPLE.dossiers if each.treating_physician and each.nurses and len(each.documents) > 2)
_FIRST, _SECOND = DOSSIER.documents[:2]
PHYSICIAN = Subject("professional", str(DOSSIER.treating_physician))
SINGLE = Question("treating physician", PHYSICIAN, DOSSIER, (_FIRST,), (True,))
BATCH = Question("care team", PHYSICIAN, DOSSIER, (_FIRST, replace(_SECOND, masked=True)), (True, False))
FROM_AN_INSURER = Question(
    "insurer", Subject("organization", INSURER, "complementary_insurer"), DOSSIER, (_FIRST,), (False,)
)
