"""Somebody who adds up and subtracts what is published, exactly, and knows that nothing is counted below zero."""

from collections.abc import Hashable, Mapping
from fractions import Fraction

Terms = Mapping[Hashable, int]
_Row = dict[Hashable, Fraction]
_VALUE = "="
"""The right side of an equation, among the names of its left."""


class Arithmetician:
    """Writes down equations between counts, and finds out what they say of each."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._names: dict[Hashable, None] = {}

    def equal(self, terms: Terms, value: int) -> None:
        """These counts, each so many times, are together so much."""
        self._names |= dict.fromkeys(terms)
        self._rows.append({name: Fraction(times) for name, times in terms.items() if times} | {_VALUE: Fraction(value)})

    def at_most(self, terms: Terms, value: int) -> None:
        """The same, or less."""
        self.equal({**terms, ("slack", len(self._rows)): 1}, value)

    def determined(self) -> dict[Hashable, Fraction]:
        """What elimination alone tells: each count that an equation of its own is left of."""
        rows: list[tuple[Hashable, _Row]] = []
        for equation in self._rows:
            left = dict(equation)
            _eliminate(left, rows)
            pivot = next((name for name in left if name != _VALUE), None)
            if pivot is not None:
                row = {name: factor / left[pivot] for name, factor in left.items()}
                for _, other in rows:
                    _eliminate(other, [(pivot, row)])
                rows.append((pivot, row))
        return {pivot: row.get(_VALUE, Fraction(0)) for pivot, row in rows if len(row.keys() - {_VALUE}) == 1}

    def bounds(self, name: Hashable) -> tuple[Fraction, Fraction | None]:
        """The least and the most that a count can be; None if it can be anything above."""
        least = self._most({name: -1})
        if least is None:
            raise AssertionError("counts are not below zero")
        return -least, self._most({name: 1})

    def _most(self, objective: Terms) -> Fraction | None:
        """The simplex method, by Bland's rule, which always ends; first on the sum of what is missing."""
        names = [name for name in self._names if name != _VALUE]
        rows = []
        for number, row in enumerate(self._rows):
            sign = -1 if row.get(_VALUE, 0) < 0 else 1
            rows.append({name: sign * factor for name, factor in row.items()} | {("missing", number): Fraction(1)})
        basis: list[Hashable] = [("missing", number) for number in range(len(rows))]
        short = _climb(rows, basis, {name: Fraction(-1) for name in basis}, [*names, *basis])
        if short != 0:
            raise AssertionError("the equations contradict each other")
        return _climb(rows, basis, {name: Fraction(times) for name, times in objective.items()}, names)


def _climb(rows: list[_Row], basis: list[Hashable], objective: _Row, names: list[Hashable]) -> Fraction | None:
    while True:
        gains: _Row = dict(objective)
        for name, row in zip(basis, rows, strict=True):
            if times := objective.get(name):
                for other, factor in row.items():
                    gains[other] = gains.get(other, Fraction(0)) - times * factor
        entering = next((name for name in names if gains.get(name, 0) > 0), None)
        if entering is None:
            return -gains.get(_VALUE, Fraction(0))
        ratios = [
            (row.get(_VALUE, Fraction(0)) / row[entering], _order(names, basis[place]), place)
            for place, row in enumerate(rows)
            if row.get(entering, 0) > 0
        ]
        if not ratios:
            return None
        *_, leaving = min(ratios)
        pivot = rows[leaving]
        rows[leaving] = pivot = {name: factor / pivot[entering] for name, factor in pivot.items()}
        for place, row in enumerate(rows):
            if place != leaving:
                _eliminate(row, [(entering, pivot)])
        basis[leaving] = entering


def _order(names: list[Hashable], name: Hashable) -> int:
    return names.index(name) if name in names else -1


def _eliminate(row: _Row, by: list[tuple[Hashable, _Row]]) -> None:
    for pivot, other in by:
        if times := row.get(pivot):
            for name, factor in other.items():
                left = row.get(name, Fraction(0)) - times * factor
                if left or name == _VALUE:
                    row[name] = left
                else:
                    row.pop(name, None)
