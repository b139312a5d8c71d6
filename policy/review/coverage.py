"""Which rows, and which literals of their conditions, some case depends on.

A case depends on a row or a literal when without it the case would no longer have the answer that is expected: yes or
no, the deciding rule and the obligations. A literal without which no answer changes in any situation is implied by the
rest of the rules: no case can depend on it, and it counts for nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from policy.review.bench import Bench
from policy.review.everywhere import WholeSpace
from policy.review.mutants import Mutant, bearings, dropped, removed
from policy.ruleset import Row


class Weight(StrEnum):
    """Whether some case depends on a row or a literal."""

    COVERED = "covered"
    MISSED = "NOT COVERED"
    IMPLIED = "implied"


@dataclass(frozen=True)
class Covered:
    """A row and its literals, each with its weight in the cases."""

    row: Row
    weight: Weight
    literals: tuple[tuple[str, Weight], ...]


@dataclass(frozen=True)
class CoverageReport:
    """Every row; nothing is measured while cases fail."""

    failures: int
    rows: tuple[Covered, ...]

    @property
    def passed(self) -> bool:
        return not self.failures and all(covered == total for covered, total in self._totals.values())

    def lines(self) -> Iterator[str]:
        if self.failures:
            yield unmeasured(self.failures)
            return
        for each in self.rows:
            literals = ", ".join(f"{literal} {weight}" for literal, weight in each.literals)
            yield f"{each.row.id:<42}{each.weight:<13}{literals}".rstrip()
        for what, (covered, total) in self._totals.items():
            yield f"{what}: cases depend on {covered} of {total}, {percentage(covered, total)}"

    @property
    def _totals(self) -> dict[str, tuple[int, int]]:
        """How many rows and literals are covered, of how many on which a case can depend."""
        weights: dict[str, list[Weight]] = {
            "rows": [each.weight for each in self.rows],
            "literals": [weight for each in self.rows for _, weight in each.literals if weight is not Weight.IMPLIED],
        }
        return {what: (some.count(Weight.COVERED), len(some)) for what, some in weights.items()}

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "failing": self.failures,
            **{what: {"covered": covered, "total": total} for what, (covered, total) in self._totals.items()},
            "by_row": [
                {
                    "row": each.row.id,
                    "file": each.row.file.name,
                    "line": each.row.line,
                    "weight": each.weight.name.lower(),
                    "literals": {literal: weight.name.lower() for literal, weight in each.literals},
                }
                for each in self.rows
            ],
        }


def measure(folder: Path) -> CoverageReport:
    """The rules of a policy folder, by its cases. Raises PolicyFileError."""
    return cover(Bench.of(folder))


def cover(bench: Bench) -> CoverageReport:
    """Every row and literal of the rules, by the cases."""
    if bench.failures:
        return CoverageReport(bench.failures, ())
    everywhere = WholeSpace(bench.rules)

    def weight(mutant: Mutant) -> Weight:
        if bench.catches(mutant):
            return Weight.COVERED
        return Weight.MISSED if everywhere.is_changed_by(mutant) else Weight.IMPLIED

    return CoverageReport(
        0,
        tuple(
            Covered(
                bearing.row,
                weight(removed(bearing)),
                tuple((literal, weight(mutant)) for literal, mutant in dropped(bearing)),
            )
            for bearing in bearings(bench.rules)
        ),
    )


def unmeasured(failures: int) -> str:
    """Why nothing is measured."""
    return f"{failures:,} situations are answered otherwise than cases expect: see `dmp policy cases` first"


def percentage(part: int, whole: int) -> str:
    """Rounded down, so that 100 % is said of all only."""
    return f"{1000 * part // whole / 10:.1f} %" if part < whole else "100 %"
