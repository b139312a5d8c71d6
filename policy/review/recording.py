"""The rows that would make the expected answers those that the rules give now, for a reviewer to read and copy by hand.

Nothing is written: what is expected is decided by who reads the law, and never by the rules that it is to check.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from models.decisions import NOT_PERMITTED
from models.vocabulary import Action, Obligation
from policy.review.cases import CasesReport, Failure, product_of
from policy.review.cast import HISTORIES, ON_DOCUMENTS, Case
from policy.review.cells import products
from policy.review.matrices import OBLIGING, OPENING, REFUSING, Entry, Matrices, axes_of

_HEADERS = {**OPENING, **REFUSING, **OBLIGING}
_REFUSALS, _OBLIGATIONS = "refusals.csv", "obligations.csv"


@dataclass(frozen=True)
class Change:
    """Rows for one file: instead of the row of a line, or, without one, above all others."""

    file: str
    line: int | None
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """All changes; no row can tell the cases that are `unwritable`: their answer depends on what was read before."""

    changes: tuple[Change, ...]
    unwritable: tuple[str, ...]
    mistold: int

    @property
    def passed(self) -> bool:
        return not self.changes and not self.unwritable and not self.mistold

    def lines(self) -> Iterator[str]:
        for change in self.changes:
            what = "above all other rows" if change.line is None else f"instead of line {change.line}"
            yield f"# {change.file}, {what}:"
            yield from change.rows or ("# (nothing)",)
        for story in self.unwritable:
            yield f"# cannot be written, the answer depends on what was read before: {story}"
        if self.mistold:
            yield "# questions.csv and examples.csv: `dmp policy cases` shows which rules they name otherwise"
        if self.passed:
            yield "# nothing to write: every case has the answer that is expected"

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "changes": [
                {"file": change.file, "line": change.line, "rows": list(change.rows)} for change in self.changes
            ],
            "unwritable": list(self.unwritable),
            "told_otherwise": self.mistold,
        }


def record(report: CasesReport) -> Recording:
    """What the failures of a report would have the reviewer write."""
    recorder = _Recorder(report.matrices)
    failed = {failure.case: failure for failure in report.failures}
    unwritable = []
    for case, failure in failed.items():
        if all(_turns_alike(failure, failed.get(other)) for other in recorder.alike(case)):
            recorder.note(failure)
        else:
            unwritable.append(report.matrices.cast.story(case))
    return Recording(tuple(recorder.changes()), tuple(unwritable), len(report.mistold))


def _turns_alike(one: Failure, other: Failure | None) -> bool:
    """Whether the answer is the same in two cases, obligations aside."""
    if other is None:
        return (one.expected.allowed, one.expected.rule) == (one.decision.allowed, one.decision.rule)
    return (one.decision.allowed, one.decision.rule) == (other.decision.allowed, other.decision.rule)


class _Recorder:
    def __init__(self, matrices: Matrices) -> None:
        self._matrices = matrices
        self._added: dict[tuple[str, str], list[Case]] = defaultdict(list)
        self._taken: dict[Entry, set[Case]] = defaultdict(set)

    def alike(self, case: Case) -> list[Case]:
        """The cases that differ from this one in what was read before."""
        others = (case._replace(history=history) for history in HISTORIES if history != case.history)
        return [other for other in others if other in self._matrices.expected]

    def note(self, failure: Failure) -> None:
        """What one failure adds to files and takes from rows."""
        case, expected, decision = failure.case, failure.expected, failure.decision
        if (expected.allowed, expected.rule) != (decision.allowed, decision.rule):
            self._take(case, self._matrices.opened)
            if decision.allowed:
                self._take(case, self._matrices.refused)
                self._added[_file_of(case.action), decision.rule].append(case)
            elif decision.rule != NOT_PERMITTED or any(entry.names(case) for entry in self._matrices.refused):
                self._added[_REFUSALS, decision.rule].append(case)
        if decision.allowed:
            self._owe(case, decision.obligations)

    def _owe(self, case: Case, obligations: tuple[Obligation, ...]) -> None:
        owed = [entry for entry in self._matrices.owed if entry.names(case)]
        self._take(case, (entry for entry in owed if entry.says not in obligations))
        written = {entry.says for entry in owed}
        for obligation in obligations:
            if obligation not in written:
                self._added[_OBLIGATIONS, obligation].append(case)

    def _take(self, case: Case, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.names(case):
                self._taken[entry].add(case)

    def changes(self) -> Iterator[Change]:
        for file in _HEADERS:
            taken = [entry for entry in self._taken if entry.place[0].name == file]
            for entry in sorted(taken, key=lambda entry: entry.place[1]):
                named = (case for case in self._matrices.cast.cases if entry.names(case))
                left = [case for case in named if case not in self._taken[entry]]
                yield Change(file, entry.place[1], tuple(self._rows(file, entry.says, left)))
            added = [(says, cases) for (name, says), cases in self._added.items() if name == file]
            if added:
                rows = (row for says, cases in added for row in self._rows(file, says, cases))
                yield Change(file, None, tuple(rows))

    def _rows(self, file: str, says: str, cases: Iterable[Case]) -> Iterator[str]:
        """The cases as few rows of a file; only obligations tell what was read before."""
        matrices = self._matrices
        every = frozenset(HISTORIES)
        found = (product_of(matrices, case) for case in cases)
        if file != _OBLIGATIONS:
            found = (product._replace(histories=every) for product in found)
        for product in products(found):
            axes = axes_of(file, matrices.axes, matrices.cast)
            documents = matrices.cast.documents_of(next(iter(product.actions)))
            cells = {
                "circumstances": axes["circumstances"].write(product.circumstances),
                "personas": axes["personas"].write(product.personas),
                "documents": axes["documents"].within(documents).write(product.documents),
                "actions": axes["actions"].write(product.actions),
                "history": axes["history"].write(product.histories),
            }
            yield ",".join(cells.get(title, says) for title in _HEADERS[file])


def _file_of(action: Action) -> str:
    """Where it is written who may do this."""
    on_dossiers, on_documents, deposits = OPENING
    if action is Action.DOCUMENT_DEPOSIT:
        return deposits
    return on_documents if action in ON_DOCUMENTS else on_dossiers
