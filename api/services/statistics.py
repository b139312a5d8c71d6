"""The figures (RULES §7): counts of events by month, and of what there is; none that could be somebody.

Only what is over is told, and what is withheld of it does not depend on what is asked for: no two answers differ by a
few persons. Months have three tables, openings by opener and by department and emergency accesses by mode. Pharmacies
are told by calendar year: they are paid one euro for each opening (seed 001), and in any shorter period more of them
would stay under the threshold and have theirs withheld.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import MalformedRequestError
from api.services.disclosure import Party, Row, rounded, told, told_parties, withheld
from models.database import Database
from models.queries.statistics import (
    Held,
    Opened,
    OpenedBy,
    count_emergencies,
    count_held,
    count_openings,
    count_openings_by,
    first_opening,
)
from models.reference.departments import DEPARTMENTS
from models.vocabulary import Mode, OrganizationKind, SubjectType

PERSON = SubjectType.PERSON.value
PHARMACY = OrganizationKind.PHARMACY.value
OPENERS = (
    OrganizationKind.INSURANCE_FUND.value,
    OrganizationKind.HEALTH_FACILITY.value,
    SubjectType.PROFESSIONAL.value,
    PHARMACY,
    PERSON,
)
"""Whoever may open a dossier (RULES §4.2), in the order in which they are withheld beside a small count.

What other figures hang on comes last: the pharmacies of a year on what its months tell of theirs, and a month's
departments on what it tells of patients.
"""

OTHER = "other"
"""Openers of another kind: rules may change."""

UNKNOWN = "unknown"
"""The department of those who work in none that is known. Withheld first."""

MODES = (Mode.BREAK_GLASS.value, Mode.CENTRE_15.value)

STEP = 100
"""What there is changes from day to day: it is told in whole steps."""

_SETTLED = timedelta(days=1)
"""What was begun before midnight is written by then."""

_MOST_MONTHS = 600
_MONTHS_IN_A_YEAR = 12
_PARIS = ZoneInfo("Europe/Paris")

_Item = TypeVar("_Item")


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

    def begins(self) -> date:
        return date(self.year, self.month, 1)


@dataclass(frozen=True, slots=True)
class Openings:
    """Dossiers opened in a month, by opener; and by department but for those that patients opened, who have none."""

    by_opener: Row
    by_department: Row


@dataclass(frozen=True, slots=True)
class Dossiers:
    """Dossiers that there are, those with documents, in steps of STEP; how many documents each of the latter has."""

    created: int | None
    fed: int | None
    documents_each: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """By month and by year, in order."""

    dossiers: Dossiers
    openings: Mapping[Month, Openings]
    emergencies: Mapping[Month, Row]
    pharmacies: Mapping[int, Mapping[str, int]]


class StatisticsService:
    """The figures' use case."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._now = clock
        self._counting = asyncio.Lock()
        self._held: tuple[date, Held] | None = None

    async def figures(self, first: Month | None, last: Month | None) -> Figures:
        """From one month to another, both included; by default the twelve that are over. Raises MalformedRequestError.

        Months that are not over are left out, whatever is asked for. A year is told with its last month.
        """
        last = self._last() if last is None else min(last, self._last())
        months = _months(last.moved(1 - _MONTHS_IN_A_YEAR) if first is None else first, last)
        if len(months) > _MOST_MONTHS:
            msg = f"The parameters from and to are at most {_MOST_MONTHS} months apart."
            raise MalformedRequestError(msg)
        held = await self._held_today()
        if not months:
            return Figures(held, {}, {}, {})
        # Whole years: what is told of a year's pharmacies depends on all of its months.
        begin, end = Month(months[0].year, 1).begins(), last.moved(1).begins()
        async with self._database.connect() as connection:
            opened = openings_told(await count_openings(connection, begin, end), _months(Month(begin.year, 1), last))
            by_pharmacy = await count_openings_by(connection, PHARMACY, begin, end)
            emergencies = await self._emergencies(connection, months)
        years = [month.year for month in months if month.month == _MONTHS_IN_A_YEAR]
        return Figures(
            held,
            {month: opened[month] for month in months},
            emergencies,
            {year: pharmacies_told(year, by_pharmacy, opened) for year in years},
        )

    async def since_the_beginning(self) -> Figures:
        """From the first opening."""
        async with self._database.connect() as connection:
            day = await first_opening(connection)
        return await self.figures(None if day is None else Month(day.year, day.month), None)

    async def _emergencies(self, connection: AsyncConnection, months: Sequence[Month]) -> dict[Month, Row]:
        counted = await count_emergencies(connection, months[0].begins(), months[-1].moved(1).begins())
        cells = {month: dict.fromkeys(MODES, 0) for month in months}
        for each in counted:
            cells[Month(each.year, each.month)][each.mode] += each.accesses
        return {month: told(its, MODES) for month, its in cells.items()}

    async def _held_today(self) -> Dossiers:
        """Counted once a day: all documents are gone through."""
        async with self._counting:
            today = self._now().date()
            if self._held is None or self._held[0] != today:
                async with self._database.connect() as connection:
                    self._held = today, await count_held(connection)
            return dossiers_told(self._held[1])

    def _last(self) -> Month:
        """The last month that is over."""
        today = self._now().astimezone(_PARIS) - _SETTLED
        return Month(today.year, today.month).moved(-1)


def openings_told(opened: Iterable[Opened], months: Sequence[Month]) -> dict[Month, Openings]:
    """Each of these months by opener and by department, as they may be told.

    The second row is told where the first tells of patients: then its total is known, and it tells nothing of theirs.
    """
    by_opener = {month: dict.fromkeys(OPENERS, 0) for month in months}
    by_department = {month: dict.fromkeys((UNKNOWN, *DEPARTMENTS), 0) for month in months}
    for each in opened:
        month = Month(each.year, each.month)
        opener = each.kind if each.kind in OPENERS else OTHER
        by_opener[month][opener] = by_opener[month].get(opener, 0) + each.dossiers
        if opener != PERSON:
            by_department[month][_department(each.department)] += each.dossiers
    rows = {month: told(cells, (OTHER, *OPENERS)) for month, cells in by_opener.items()}
    return {
        month: Openings(
            row,
            withheld(by_department[month])
            if row.cells[PERSON] is None
            else told(by_department[month], _departments(month)),
        )
        for month, row in rows.items()
    }


def pharmacies_told(year: int, opened: Iterable[OpenedBy], openings: Mapping[Month, Openings]) -> dict[str, int]:
    """The pharmacies of a year, as they may be told beside its months."""
    of_department: dict[str, int] = defaultdict(int)
    of_all = 0
    for each in (openings[Month(year, number + 1)] for number in range(_MONTHS_IN_A_YEAR)):
        by_pharmacies = each.by_opener.cells[PHARMACY] or 0
        of_all += by_pharmacies
        for name, count in each.by_department.cells.items():
            of_department[name] += min(count or 0, by_pharmacies)
    parties = [Party(each.opener, _department(each.department), each.dossiers) for each in opened if each.year == year]
    shown = told_parties(_turned(sorted(parties), year), of_all, of_department)
    return dict(sorted(shown.items()))


def dossiers_told(held: Held) -> Dossiers:
    """What there is, as it may be told."""
    fed = rounded(held.fed, STEP)
    return Dossiers(rounded(held.created, STEP), fed, None if fed is None else round(held.documents / held.fed, 1))


def _department(stored: str | None) -> str:
    return stored if stored is not None and stored in DEPARTMENTS else UNKNOWN


def _departments(month: Month) -> tuple[str, ...]:
    """The order in which departments are withheld: each month begins with another, so that none always goes first."""
    return (UNKNOWN, *_turned(tuple(DEPARTMENTS), month.year * _MONTHS_IN_A_YEAR + month.month))


def _turned(items: Sequence[_Item], by: int) -> Sequence[_Item]:
    by %= len(items) or 1
    return [*items[by:], *items[:by]]


def _months(first: Month, last: Month) -> Sequence[Month]:
    count = (last.year - first.year) * _MONTHS_IN_A_YEAR + last.month - first.month + 1
    return [first.moved(number) for number in range(count)]
