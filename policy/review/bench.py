"""The cases as samples of situations: whether a changed row would change any of their answers takes microseconds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.vocabulary import Obligation
from policy.loader import load
from policy.review.answers import Answers, Outcome, bearing
from policy.review.matrices import Expected, Matrices, cases_folder, read_matrices
from policy.review.mutants import Meeting, Mutant
from policy.review.planes import Sample
from policy.ruleset import RuleSet
from policy.situation import Situation


class Bench:
    """Rules and their cases: for each role and action the situations of its cases, each once.

    `failures` counts the situations that are answered otherwise than some case expects. What cases catch can only be
    told where there is none: then the answers that they expect are those of the rules.
    """

    def __init__(self, rules: RuleSet, matrices: Matrices) -> None:
        self.rules = rules
        self.failures = 0
        self._answers: dict[Meeting, Answers] = {}
        self._outcomes: dict[Meeting, Outcome] = {}
        for meeting, expectations in _expectations(matrices).items():
            sample = Sample(*meeting, tuple(expectations))
            answers = Answers(sample, bearing(rules, *meeting), rules.register)
            self._answers[meeting] = answers
            self._outcomes[meeting] = answers.outcome
            self.failures += answers.outcome.apart(_outcome(expectations)).bit_count()

    @classmethod
    def of(cls, folder: Path) -> "Bench":
        """The rules of a policy folder with its cases. Raises PolicyFileError."""
        rules = load(folder)
        return cls(rules, read_matrices(cases_folder(folder), rules.register))

    def catches(self, mutant: Mutant) -> bool:
        """Whether some case would no longer have the answer that is expected."""
        return any(self._is_caught(mutant, meeting) for meeting in mutant.meetings if meeting in self._answers)

    def _is_caught(self, mutant: Mutant, meeting: Meeting) -> bool:
        answers = self._answers[meeting]
        rows = mutant.rows(answers.rows, meeting)
        return Answers(answers.situations, rows, self.rules.register).outcome != self._outcomes[meeting]


_Expectations = Mapping[Situation, set[Expected]]


def _expectations(matrices: Matrices) -> Mapping[Meeting, _Expectations]:
    """For each role and action, the situations of its cases with all that is expected of each."""
    found: dict[Meeting, dict[Situation, set[Expected]]] = defaultdict(dict)
    for situation, expected in _held(matrices):
        found[situation.role, situation.action].setdefault(situation, set()).add(expected)
    return found


def _held(matrices: Matrices) -> Iterator[tuple[Situation, Expected]]:
    for case, expected in matrices.expected.items():
        yield matrices.situations[case], expected
    for question in matrices.questions:
        yield question.situation, Expected(False, question.refused_by[0])


def _outcome(expectations: _Expectations) -> Outcome:
    """What is expected, as rules answer it."""
    decided: dict[tuple[bool, str], int] = defaultdict(int)
    obliged: dict[Obligation, int] = defaultdict(int)
    for place, every in enumerate(expectations.values()):
        for expected in every:
            decided[expected.allowed, expected.rule] |= 1 << place
            for obligation in expected.obligations:
                obliged[obligation] |= 1 << place
    return Outcome(decided, obliged)
