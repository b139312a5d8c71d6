"""What a changed row changes in any situation at all, and which laws it breaks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.decisions import Decision
from policy.review.answers import Answers, asked, bearing
from policy.review.diagrams import Diagram
from policy.review.laws import Law
from policy.review.mutants import Meeting, Mutant
from policy.review.planes import Plane, Sample, Situations
from policy.ruleset import Row, RuleSet
from policy.situation import Situation


@dataclass(frozen=True)
class Difference:
    """The situation with the fewest facts in which the answer changes, with both answers."""

    situation: Situation
    before: Decision
    after: Decision


class WholeSpace:
    """Rules and laws, in every situation."""

    def __init__(self, rules: RuleSet, laws: Iterable[Law] = ()) -> None:
        self._rules = rules
        self._laws = tuple(laws)
        self._bearing: dict[Meeting, tuple[Row, ...]] = {}

    def is_changed_by(self, mutant: Mutant) -> bool:
        """Whether any answer anywhere changes."""
        return any(True for _ in self._changes(mutant))

    def broken_by(self, mutant: Mutant) -> Law | None:
        """A law that holds where the rules are as they are, and no longer with the change."""
        for meeting in ((plane.role, plane.action) for plane, _ in self._changes(mutant)):
            laws = [law for law in self._laws if law.bears_on(*meeting)]
            rows = self._rows(meeting)
            facts = asked((*rows, mutant.row))
            plane = Plane(*meeting, facts.union(*(law.asks(facts) for law in laws)))
            before, after = self._answers(plane, rows), self._answers(plane, mutant.rows(rows, meeting))
            for law in laws:
                if law.broken(after) & ~law.broken(before):
                    return law
        return None

    def smallest(self, mutant: Mutant) -> Difference:
        """The smallest situation in which an answer changes. There is one."""
        found = []
        for plane, column in self._changes(mutant):
            diagram = Diagram(plane)
            found.append(diagram.smallest(diagram.of(column)))
        situation = min(found, key=lambda each: len(each.facts))
        meeting = situation.role, situation.action
        rows = self._rows(meeting)
        sample = Sample(*meeting, [situation])
        before, after = (self._answers(sample, some).decision(0) for some in (rows, mutant.rows(rows, meeting)))
        return Difference(situation, before, after)

    def _changes(self, mutant: Mutant) -> Iterator[tuple[Plane, int]]:
        """Where answers change, one role and one action after the other."""
        for meeting in mutant.meetings:
            rows = self._rows(meeting)
            plane = Plane(*meeting, asked((*rows, mutant.row)))
            before, after = self._answers(plane, rows), self._answers(plane, mutant.rows(rows, meeting))
            if column := before.outcome.apart(after.outcome):
                yield plane, column

    def _answers(self, situations: Situations, rows: Iterable[Row]) -> Answers:
        return Answers(situations, rows, self._rules.register)

    def _rows(self, meeting: Meeting) -> tuple[Row, ...]:
        if meeting not in self._bearing:
            self._bearing[meeting] = bearing(self._rules, *meeting)
        return self._bearing[meeting]
