"""Rows of the matrix that say the same, told together: what is printed is read by people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.vocabulary import Category
from policy.review.matrix.askers import Asker, Called, Words, called
from policy.review.matrix.cells import Answer, Cell, Row


@dataclass(frozen=True, slots=True)
class MergedCell:
    """A cell of several rows; `refusals` are all the rules that refuse in it, one or the other by row and type."""

    cell: Cell
    refusals: tuple[str, ...]

    @property
    def permissions(self) -> tuple[str, ...]:
        return self.cell.rules(allowed=True)


@dataclass(frozen=True, slots=True)
class MergedRow:
    """Several askers and their cells."""

    called: Called
    cells: Mapping[Category, MergedCell]

    @property
    def opens(self) -> bool:
        """Whether anything at all is open."""
        return any(each.permissions for each in self.cells.values())


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one tie."""

    tie: Words
    rows: tuple[MergedRow, ...]


def sections(rows: Iterable[Row]) -> tuple[Section, ...]:
    """The whole table, merged, by tie: first those to whom something is open."""
    by_tie: dict[tuple[bool, Words], list[MergedRow]] = {}
    for row in sorted(merged(rows), key=lambda row: not row.opens):
        by_tie.setdefault((row.opens, row.called.tie), []).append(row)
    return tuple(Section(tie, tuple(some)) for (_, tie), some in by_tie.items())


def merged(rows: Iterable[Row]) -> tuple[MergedRow, ...]:
    """Rows together that open the same types by the same rules and are closed by the same rules.

    Which of these closes a category that is closed as a whole may depend on the row: the cell names them all.
    """
    alike: dict[object, dict[Asker, Row]] = {}
    for row in rows:
        alike.setdefault(_likeness(row), {})[row.asker] = row
    return tuple(
        MergedRow(together, _cells([some[asker] for asker in together.askers]))
        for some in alike.values()
        for together in called(some)
    )


def _likeness(row: Row) -> object:
    opening = tuple((cell.assumed, () if cell.answer is Answer.NO else cell.rulings) for cell in row.cells.values())
    closing = frozenset(rule for cell in row.cells.values() for rule in cell.rules(allowed=False))
    return opening, closing


def _cells(some: list[Row]) -> dict[Category, MergedCell]:
    cells = {}
    for category, cell in some[0].cells.items():
        refusals = dict.fromkeys(rule for row in some for rule in row.cells[category].rules(allowed=False))
        cells[category] = MergedCell(cell, tuple(refusals))
    return cells
