"""Identifiers with right control keys that belong to nobody, told apart for every person, professional and structure.

An INS has a commune from 991 to 999, which no department has. Those 9 communes and 999 orders are soon used up: the
dossiers that share both are spread over the 230,000 cells of year, department, month and sex as people are, by steps
that are longer than any cell is wide, so that no two of them are in one. An RPPS begins with 9, a FINESS goes on with
9 after its department.
"""

import numpy as np
from numpy.typing import NDArray

from loadtests.population.draws import Draws, Numbers, Shares, Table, weights_of
from loadtests.profile import AGES, DEPARTMENTS

Text = NDArray[np.bytes_]

NEWEST_YEAR = 2025
"""In which the youngest were born; ages are those reached in that year."""
OLDEST = 99

_ORDERS = 999
_FIRST_COMMUNE = 991
_SAME_PLACE = 9 * _ORDERS
_STEPS = 7_230
_STRIDE = 4_091  # has no divisor with the steps in common: neighbours are far apart
MOST_DOSSIERS = 65_000_000

YEARS = Table.of(weight / 5 for weight in AGES.values.values() for _ in range(5))
PLACES = weights_of(DEPARTMENTS.values)
DEPARTMENT_CODES = tuple(DEPARTMENTS.values)
_MONTHS, _SEXES = 12, 2

_TENS = 10 ** np.arange(10)
_COUNTED = np.array([[0, 2, 4, 6, 8, 1, 3, 5, 7, 9], range(10)])

# A key takes 2A for 19 and 2B for 18; a FINESS of ours begins there with 20, which is no department's.
_INS_KEYS = {"2A": 19, "2B": 18}
_CODE_TEXT = np.array([code.encode() for code in DEPARTMENT_CODES], dtype="S2")
_CODE_NUMBER = np.array([_INS_KEYS.get(code) or int(code) for code in DEPARTMENT_CODES], dtype=np.int64)
_FINESS_NUMBER = np.array([20 if code in _INS_KEYS else int(code) for code in DEPARTMENT_CODES], dtype=np.int64)


class Births:
    """When, where and as what the holders of these dossiers were born."""

    __slots__ = ("_numbers", "age", "day", "department", "month", "sex")

    def __init__(self, draws: Draws, numbers: Numbers) -> None:
        same, step = numbers % _SAME_PLACE, numbers // _SAME_PLACE
        along = draws.shares("birth", same) + (step * _STRIDE % _STEPS) / _STEPS
        along -= along >= 1
        self._numbers = numbers
        self.age = YEARS.which(along)
        along = YEARS.within(along, self.age)
        self.department = PLACES.which(along)
        along = PLACES.within(along, self.department) * _MONTHS
        self.month, along = _split(along, _MONTHS)
        self.sex, _ = _split(along * _SEXES, _SEXES)
        self.day = draws.below("day", numbers, 28)

    @property
    def year(self) -> Numbers:
        return NEWEST_YEAR - self.age

    def days(self) -> Numbers:
        """When, in days since 1970."""
        months = ((self.year - 1970) * _MONTHS + self.month).astype("datetime64[M]")
        return months.astype("datetime64[D]").astype(np.int64) + self.day

    def ins(self) -> Text:
        """15 characters each."""
        same = self._numbers % _SAME_PLACE
        before = (1 + self.sex) * 10_000 + self.year % 100 * 100 + 1 + self.month
        after = (_FIRST_COMMUNE + same // _ORDERS) * 1_000 + 1 + same % _ORDERS
        body = (before * 100 + _CODE_NUMBER[self.department]) * 1_000_000 + after
        parts = (digits(before, 5), _CODE_TEXT[self.department], digits(after, 6), digits(97 - body % 97, 2))
        return joined(*parts)


def rpps(bodies: Numbers) -> Numbers:
    """Of professionals by a number of their own, below a hundred million."""
    return _with_luhn_key(9_000_000_000 + bodies)


def finess(departments: Numbers, bodies: Numbers) -> Numbers:
    """Of structures by their department and a number of their own, below a hundred thousand."""
    return _with_luhn_key((_FINESS_NUMBER[departments] * 10 + 9) * 100_000 + bodies)


def digits(numbers: Numbers, length: int) -> Text:
    """Each in so many digits, with zeros before."""
    written = np.empty((len(numbers), length), dtype=np.uint8)
    left = numbers
    for place in range(length - 1, -1, -1):
        shorter = left // 10
        written[:, place] = left - shorter * 10 + ord("0")
        left = shorter
    return written.view(f"S{length}")[:, 0]


def joined(*parts: Text) -> Text:
    """The texts of each row, one behind the other; each part has one length."""
    columns = [part.view(np.uint8).reshape(len(part), part.itemsize) for part in parts]
    whole = np.concatenate(columns, axis=1)
    return whole.view(f"S{whole.shape[1]}")[:, 0]


def _split(along: Shares, bound: int) -> tuple[Numbers, Shares]:
    """The whole part, and what is over."""
    whole = np.minimum(along.astype(np.int64), bound - 1)
    return whole, along - whole


def _with_luhn_key(bodies: Numbers) -> Numbers:
    """Every other digit counts twice, from the last of the body on, and two digits of that as their sum."""
    figures = bodies[..., None] // _TENS % 10
    total: Numbers = (_COUNTED[0, figures[..., ::2]] + _COUNTED[1, figures[..., 1::2]]).sum(axis=-1)
    return bodies * 10 + -total % 10
