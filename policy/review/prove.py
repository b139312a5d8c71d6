"""Whether the laws hold: every situation is gone through, none is sampled."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.decisions import Decision
from models.vocabulary import Action
from policy.loader import load
from policy.review.answers import Answers, answer, asked, bearing
from policy.review.diagrams import Diagram
from policy.review.laws import Law, laws_folder, read_laws
from policy.review.planes import MEETINGS, Plane, situations_of
from policy.review.telling import tell
from policy.ruleset import Row, RuleSet
from policy.situation import Situation
from policy.words import Role


@dataclass(frozen=True)
class Breach:
    """A law that does not hold: in how many situations, the smallest of them, its decision and the rows behind it."""

    law: Law
    count: int
    situation: Situation
    decision: Decision
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Proof:
    """What was gone through, and the laws that do not hold (`policy.review.report.Report`)."""

    revision: str
    laws: int
    situations: int
    classes: int
    breaches: tuple[Breach, ...]

    @property
    def passed(self) -> bool:
        return not self.breaches

    def lines(self) -> Iterator[str]:
        for breach in self.breaches:
            yield from _told(breach)
        holding = self.laws - len(self.breaches)
        yield f"{holding} of {self.laws} laws hold in all of {self.situations:,} situations"
        yield f"(visited as {self.classes:,} classes of situations that no rule and no law tells apart)"

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "revision": self.revision,
            "laws": self.laws,
            "situations": self.situations,
            "classes": self.classes,
            "broken": [
                {
                    "law": breach.law.id,
                    "sentence": breach.law.sentence,
                    "file": breach.law.file.name,
                    "line": breach.law.line,
                    "situations": breach.count,
                    "smallest": list(breach.situation.words()),
                    "told": tell(breach.situation),
                    "allowed": breach.decision.allowed,
                    "rule": breach.decision.rule,
                    "obligations": list(breach.decision.obligations),
                    "rows": [{"row": row.id, "file": row.file.name, "line": row.line} for row in breach.rows],
                }
                for breach in self.breaches
            ],
        }


def prove(folder: Path) -> Proof:
    """Hold the rules of a policy folder against its laws. Raises PolicyFileError."""
    rules = load(folder)
    return hold(rules, read_laws(laws_folder(folder), rules.register))


def hold(rules: RuleSet, laws: Iterable[Law]) -> Proof:
    """Hold rules against laws, in every situation of which any says something: of the packaged ones, in all."""
    laws = tuple(laws)
    found: dict[str, Breach] = {}
    situations = classes = 0
    for role, action in MEETINGS:
        here = [law for law in laws if law.bears_on(role, action)]
        if not here:
            continue
        plane, broken = _broken(rules, here, role, action)
        situations += situations_of(role, action)
        classes += plane.size
        for law, column in broken:
            breach = _breach(rules, law, plane, column)
            before = found.get(law.id)
            found[law.id] = breach if before is None else _together(before, breach)
    return Proof(rules.revision, len(laws), situations, classes, tuple(found.values()))


def _broken(
    rules: RuleSet, laws: Sequence[Law], role: Role, action: Action | None
) -> tuple[Plane, list[tuple[Law, int]]]:
    """The laws that are broken, among those that bear on a role and an action, and where in their plane."""
    rows = bearing(rules, role, action)
    facts = asked(rows)
    plane = Plane(role, action, facts.union(*(law.asks(facts) for law in laws)))
    answers = Answers(plane, rows, rules.register)
    return plane, [(law, column) for law in laws if (column := law.broken(answers))]


def _breach(rules: RuleSet, law: Law, plane: Plane, column: int) -> Breach:
    diagram = Diagram(plane)
    smallest = diagram.smallest(diagram.of(column))
    return Breach(law, column.bit_count() * plane.weight, smallest, *answer(rules, smallest))


def _together(one: Breach, other: Breach) -> Breach:
    """The same law broken by two roles or actions: their situations add up, the smaller example is shown."""
    small = min(one, other, key=lambda breach: len(breach.situation.facts))
    return Breach(one.law, one.count + other.count, small.situation, small.decision, small.rows)


def _told(breach: Breach) -> Iterator[str]:
    law, decision = breach.law, breach.decision
    yield f"broken: {law.id} (laws/{law.file.name}:{law.line})"
    yield f"    {law.sentence}"
    yield f"    {breach.count:,} situations break it; the smallest:"
    yield f"    {' '.join(breach.situation.words())}"
    yield f"    {tell(breach.situation)}"
    owed = f": {' '.join(decision.obligations)}" if decision.obligations else ""
    yield f"    the answer is {'yes' if decision.allowed else 'no'} by {decision.rule}{owed}"
    for row in breach.rows:
        yield f"    rules/{row.file.name}:{row.line}: {row.text}"
    yield ""
