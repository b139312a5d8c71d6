"""The figures (RULES §7): counts by month, none so small that it could be somebody.

Only months that are over are counted, so that yesterday's answer and today's do not differ by one person. Neither the
department of an opener nor, in a form that can be counted, the mode of an access is stored: both are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.errors import MalformedRequestError
from models.database import Database
from models.queries.statistics import count_deposits, count_openings
from models.vocabulary import OrganizationKind, SubjectType

THRESHOLD = 11
"""Counts below are not shown."""

SMALLEST_SUM = 2 * THRESHOLD - 1
"""Of cells withheld together: one that is not small, and beside it anything from none to THRESHOLD - 1."""

OPENERS = (
    SubjectType.PERSON.value,
    SubjectType.PROFESSIONAL.value,
    OrganizationKind.HEALTH_FACILITY.value,
    OrganizationKind.PHARMACY.value,
    OrganizationKind.INSURANCE_FUND.value,
)
"""Whoever may open a dossier (RULES §4.2); anything else that is stored counts as `other`."""

OTHER = "other"
_MOST_MONTHS = 120
_MONTHS_IN_A_YEAR = 12
_FEWEST_WITHHELD = 2
_PARIS = ZoneInfo("Europe/Paris")


class Month(NamedTuple):
    """A calendar month, in Paris."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def moved(self, months: int) -> "Month":
        """So many months later, or earlier."""
        year, month = divmod(self.year * _MONTHS_IN_A_YEAR + self.month - 1 + months, _MONTHS_IN_A_YEAR)
        return Month(year, month + 1)

    def begins_at(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=_PARIS).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A month's counts as they may be shown: None is withheld."""

    total: int | None
    cells: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Figures:
    """By month, in order."""

    openings: Mapping[Month, Row]
    documents: Mapping[Month, int | None]


class StatisticsService:
    """The figures' use case."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._now = clock

    async def figures(self, first: Month | None, last: Month | None) -> Figures:
        """From one month to another, both included; by default the twelve that are over. Raises MalformedRequestError.

        Months that are not over are left out, whatever is asked for.
        """
        today = self._now().astimezone(_PARIS)
        over = Month(today.year, today.month).moved(-1)
        last = over if last is None else min(last, over)
        first = last.moved(1 - _MONTHS_IN_A_YEAR) if first is None else first
        months = _months(first, last)
        if not months:
            return Figures({}, {})
        bounds = [month.begins_at() for month in (*months, last.moved(1))]
        async with self._database.connect() as connection:
            opened = await count_openings(connection, [each.astimezone(_PARIS).date() for each in bounds])
            deposited = await count_deposits(connection, bounds)
        return Figures(
            {month: withheld(_by_opener(opened, number)) for number, month in enumerate(months)},
            {month: _shown(deposited.get(number, 0)) for number, month in enumerate(months)},
        )


def withheld(cells: Mapping[str, int]) -> Row:
    """A row without what must not be known, nor be computed from the rest.

    What is withheld of a row can be summed up from its total: so at least two cells are withheld together, by taking
    the smallest that would have been shown, until the sum leaves open how much of it is in the small ones. Where even
    that is not enough, the total goes too.
    """
    total = sum(cells.values())
    hidden = {name for name, count in cells.items() if count < THRESHOLD}
    by_size = sorted(cells.items() - {(name, cells[name]) for name in hidden}, key=lambda cell: (cell[1], cell[0]))
    for name, _ in by_size:
        if not hidden or _is_safe(cells, hidden):
            break
        hidden.add(name)
    is_told = total >= THRESHOLD and (not hidden or _is_safe(cells, hidden))
    return Row(total if is_told else None, {name: None if name in hidden else count for name, count in cells.items()})


def _is_safe(cells: Mapping[str, int], hidden: set[str]) -> bool:
    return len(hidden) >= _FEWEST_WITHHELD and sum(cells[name] for name in hidden) >= SMALLEST_SUM


def _shown(count: int) -> int | None:
    return None if count < THRESHOLD else count


def _by_opener(opened: Mapping[tuple[int, str], int], period: int) -> dict[str, int]:
    cells = dict.fromkeys((*OPENERS, OTHER), 0)
    for (number, opener), count in opened.items():
        if number == period:
            cells[opener if opener in cells else OTHER] += count
    return cells


def _months(first: Month, last: Month) -> Sequence[Month]:
    count = (last.year - first.year) * _MONTHS_IN_A_YEAR + last.month - first.month + 1
    if count > _MOST_MONTHS:
        msg = f"The parameters from and to are at most {_MOST_MONTHS} months apart."
        raise MalformedRequestError(msg)
    return [first.moved(number) for number in range(count)]
