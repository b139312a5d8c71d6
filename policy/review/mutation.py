"""Every small change of a row must be noticed: by a case, or by a law.

A change that alters no answer in any situation is none, which is proved over the whole space: it counts neither as
caught nor as missed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from policy.review.bench import Bench
from policy.review.cases import answer
from policy.review.coverage import percentage, unmeasured
from policy.review.everywhere import Difference, WholeSpace
from policy.review.laws import laws_folder, read_laws
from policy.review.mutants import Kind, Mutant, mutants
from policy.review.telling import tell


class Fate(StrEnum):
    """What became of a changed row."""

    BY_CASE = "caught by a case"
    BY_LAW = "caught by a law only"
    SURVIVED = "survived"
    EQUIVALENT = "changes no answer"


@dataclass(frozen=True)
class Survivor:
    """A change that neither a case nor a law notices, with the smallest situation in which it changes an answer."""

    mutant: Mutant
    difference: Difference


@dataclass(frozen=True)
class MutationReport:
    """The fate of every mutant; nothing is measured while cases fail."""

    failures: int
    fates: Counter[tuple[Kind, Fate]]
    survivors: tuple[Survivor, ...]

    @property
    def passed(self) -> bool:
        return not self.failures and not self.survivors

    def lines(self) -> Iterator[str]:
        if self.failures:
            yield unmeasured(self.failures)
            return
        for survivor in self.survivors:
            row, difference = survivor.mutant.row, survivor.difference
            yield f"survivor: {row.id} {survivor.mutant.change} (rules/{row.file.name}:{row.line})"
            yield f"    {' '.join(difference.situation.words())}"
            yield f"    {tell(difference.situation)}"
            yield f"    the answer is {answer(difference.before)}; it would be {answer(difference.after)}"
        yield f"{'':<24}{'mutants':>10}" + "".join(f"{fate:>23}" for fate in Fate)
        for kind in Kind:
            if of_kind := self._count([kind], Fate):
                counts = (self._count([kind], [fate]) for fate in Fate)
                yield f"{kind:<24}{of_kind:>10,}" + "".join(f"{count:>23,}" for count in counts)
        counts = (self._count(Kind, [fate]) for fate in Fate)
        yield f"{'all':<24}{self._count(Kind, Fate):>10,}" + "".join(f"{count:>23,}" for count in counts)
        yield f"score: {self.caught:,} of {self.caught + len(self.survivors):,} changes caught, {self.score}"

    @property
    def caught(self) -> int:
        """How many are noticed by a case or a law."""
        return self._count(Kind, [Fate.BY_CASE, Fate.BY_LAW])

    @property
    def score(self) -> str:
        """Which part of those that change an answer."""
        return percentage(self.caught, self.caught + len(self.survivors))

    def _count(self, kinds: Iterable[Kind], fates: Iterable[Fate]) -> int:
        wanted = tuple(fates)
        return sum(self.fates[kind, fate] for kind in kinds for fate in wanted)

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "failing_cases": self.failures,
            "mutants": self._count(Kind, Fate),
            "caught_by_cases": self._count(Kind, [Fate.BY_CASE]),
            "caught_by_laws_only": self._count(Kind, [Fate.BY_LAW]),
            "equivalent": self._count(Kind, [Fate.EQUIVALENT]),
            "score": self.score,
            "survivors": [
                {
                    "row": survivor.mutant.row.id,
                    "file": survivor.mutant.row.file.name,
                    "line": survivor.mutant.row.line,
                    "change": survivor.mutant.change,
                    "smallest": list(survivor.difference.situation.words()),
                    "told": tell(survivor.difference.situation),
                    "answer": answer(survivor.difference.before),
                    "would_be": answer(survivor.difference.after),
                }
                for survivor in self.survivors
            ],
        }


def mutate(folder: Path) -> MutationReport:
    """The rules of a policy folder, changed in every small way. Raises PolicyFileError."""
    bench = Bench.of(folder)
    laws = read_laws(laws_folder(folder), bench.rules.register)
    return judge(bench, WholeSpace(bench.rules, laws), mutants(bench.rules))


def judge(bench: Bench, everywhere: WholeSpace, changes: Iterable[Mutant]) -> MutationReport:
    """The fate of changes of the rules."""
    if bench.failures:
        return MutationReport(bench.failures, Counter(), ())
    fates: Counter[tuple[Kind, Fate]] = Counter()
    survivors = []
    for mutant in changes:
        fate = _fate(mutant, bench, everywhere)
        fates[mutant.kind, fate] += 1
        if fate is Fate.SURVIVED:
            survivors.append(Survivor(mutant, everywhere.smallest(mutant)))
    return MutationReport(0, fates, tuple(survivors))


def _fate(mutant: Mutant, bench: Bench, everywhere: WholeSpace) -> Fate:
    """What is cheap to know is asked first; what a case notices changes an answer."""
    if bench.catches(mutant):
        return Fate.BY_CASE
    if not everywhere.is_changed_by(mutant):
        return Fate.EQUIVALENT
    return Fate.BY_LAW if everywhere.broken_by(mutant) else Fate.SURVIVED
