"""The expected answers, held against the rules as Casbin judges them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.decisions import Decision
from policy.engine import Engine
from policy.review.cast import AGAIN, Case
from policy.review.cells import Product, products
from policy.review.matrices import Example, Expected, Matrices

_FIELDS = ("circumstances", "personas", "documents", "actions", "history")


@dataclass(frozen=True)
class Failure:
    """A case that has another answer than the expected one."""

    case: Case
    expected: Expected
    decision: Decision


@dataclass(frozen=True)
class CasesReport:
    """Every case, with what the rules answer."""

    matrices: Matrices
    failures: tuple[Failure, ...]
    mistold: tuple[tuple[Example, Decision], ...]
    """Questions and examples that are not refused by just the rules that they name."""

    @property
    def passed(self) -> bool:
        return not self.failures and not self.mistold

    @cached_property
    def _counts(self) -> dict[str, int]:
        expected = self.matrices.expected.values()
        told = (*self.matrices.questions, *self.matrices.examples)
        return {
            "cases": len(expected),
            "situations": len(set(self.matrices.situations.values())),
            "open": sum(each.allowed for each in expected),
            "examples": len(told),
            "failures": len(self.failures),
            "mistold": len(self.mistold),
        }

    def lines(self) -> Iterator[str]:
        for (expected, answered), cases in self._alike.items():
            yield f"{len(cases):,} case{'' if len(cases) == 1 else 's'}: expected {expected}"
            yield f"    answered      {answered}"
            for product in products(product_of(self.matrices, case) for case in cases):
                for title, names in zip(_FIELDS, product, strict=True):
                    yield f"    {title:<13} {self.matrices.axes[title].write(names)}"
            yield f"    for example   {self.matrices.cast.story(cases[0])}"
        for example, decision in self.mistold:
            file, line = example.place
            yield f"{example.words} ({file.name}, line {line})"
            yield f"    expected      {' '.join(example.refused_by)}"
            yield f"    refused by    {' '.join(decision.refused_by) or 'nothing'}"
        counts = self._counts
        yield (
            f"{counts['cases']:,} cases in {counts['situations']:,} situations, {counts['open']:,} of them open: "
            f"{counts['failures'] or 'none'} answered otherwise than expected"
        )
        yield f"{counts['examples']} refusals with all their rules: {counts['mistold'] or 'none'} with others"

    @cached_property
    def _alike(self) -> Mapping[tuple[str, str], list[Case]]:
        """The cases that fail, those together that expect and are answered the same; what is newly open comes first."""
        found = defaultdict(list)
        for failure in sorted(self.failures, key=_opened_first):
            expected = f"{answer(failure.expected)} ({failure.expected.where})"
            found[expected, answer(failure.decision)].append(failure.case)
        return found

    def data(self) -> dict[str, Any]:
        return {
            **self._counts,
            "passed": self.passed,
            "failed": [
                {
                    "circumstance": failure.case.circumstance,
                    "persona": failure.case.persona,
                    "document": failure.case.document,
                    "action": failure.case.action,
                    "has_read": failure.case.history == AGAIN,
                    "situation": list(self.matrices.situations[failure.case].words()),
                    "expected": _answer(failure.expected) | {"written": failure.expected.where},
                    "answered": _answer(failure.decision),
                }
                for failure in self.failures
            ],
            "told_otherwise": [
                {
                    "situation": list(example.situation.words()),
                    "expected": list(example.refused_by),
                    "answered": list(decision.refused_by),
                }
                for example, decision in self.mistold
            ],
        }


def hold(matrices: Matrices, engine: Engine) -> CasesReport:
    """Every case of the matrices, judged."""
    judged = ((case, expected, engine.judge(matrices.situations[case])) for case, expected in matrices.expected.items())
    failures = tuple(Failure(*each) for each in judged if not each[1].is_met_by(each[2]))
    told = ((example, engine.judge(example.situation)) for example in (*matrices.questions, *matrices.examples))
    mistold = tuple((example, decision) for example, decision in told if example.refused_by != decision.refused_by)
    return CasesReport(matrices, failures, mistold)


def product_of(matrices: Matrices, case: Case) -> Product:
    """A case as cells tell it; for whom it is not told whether he has read before, a row tells both."""
    histories = {case.history} if len(matrices.cast.histories_of(case.persona)) > 1 else matrices.axes["history"].names
    return Product._make((*(frozenset({word}) for word in case[:4]), frozenset(histories)))


def answer(decision: Decision | Expected) -> str:
    """An answer in words."""
    obligations = f", which asks {' '.join(decision.obligations)}" if decision.obligations else ""
    return f"{'yes' if decision.allowed else 'no'} by {decision.rule}{obligations}"


def _answer(decision: Decision | Expected) -> dict[str, Any]:
    return {"allowed": decision.allowed, "rule": decision.rule, "obligations": list(decision.obligations)}


def _opened_first(failure: Failure) -> tuple[bool, bool]:
    return not failure.decision.allowed or failure.expected.allowed, not failure.expected.allowed
