"""The figures as one page that anybody opens without network: a plot against the target, and tables that say the same.

All of it is computed from what is told, never from what is withheld.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import accumulate
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined

from api.services.disclosure import THRESHOLD
from api.services.statistics import MODES, OPENERS, STEP, UNKNOWN, Figures, Month
from models.reference.departments import DEPARTMENTS

TARGET = 40_000_000
"""Dossiers to be open by 2023, as it was announced in 2018 (seed 001)."""

_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_OPENERS = {
    "insurance_fund": "Assurance maladie",
    "health_facility": "Établissements de santé",
    "professional": "Professionnels de santé",
    "person": "Patients",
    "pharmacy": "Pharmacies",
}
_MODES = {"break_glass": "Bris de glace", "centre_15": "Centre 15"}
_PARIS = ZoneInfo("Europe/Paris")
_LEFT, _RIGHT, _TOP, _BOTTOM = 90.0, 700.0, 20.0, 300.0
_MOST_LABELS = 6
_THIN, _FIRM, _DASH = "\u202f", "\u00a0", "–"


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the curve goes, in the units of the picture."""

    curve: str
    target: float
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its head and its cells."""

    head: str
    cells: Sequence[int | None]


def page(told: Figures, at: datetime) -> str:
    """The page, in French. Everything that comes from elsewhere is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "decimal": decimal}
    template = environment.from_string(files("api.cli").joinpath("statistics.html").read_text(encoding="utf-8"))
    months = list(told.openings)
    opened = [told.openings[month].by_opener.total for month in months]
    reached = list(accumulate(count or 0 for count in opened))
    return template.render(
        day=_day(at),
        dossiers=told.dossiers,
        step=STEP,
        threshold=THRESHOLD,
        target=TARGET,
        reached=reached[-1] if reached else 0,
        share=100 * reached[-1] / TARGET if reached else 0.0,
        withheld=opened.count(None),
        period=f"{_name(months[0])} à {_name(months[-1])}" if months else "",
        plot=plot(months, reached),
        openers=[_OPENERS[name] for name in OPENERS],
        months=_months(told, opened, reached),
        departments=_departments(told),
        unknown=_sum(told, UNKNOWN),
        modes=[_MODES[name] for name in MODES],
        emergencies=[
            Line(_name(month), (row.total, *(row.cells[name] for name in MODES)))
            for month, row in told.emergencies.items()
        ],
        pharmacies=[Line(str(year), (len(its), sum(its.values()))) for year, its in told.pharmacies.items()],
    )


def plot(months: Sequence[Month], reached: Sequence[int]) -> Plot:
    """The curve of what was reached by the end of each month, under a scale that the target fits in."""
    most = max(TARGET, *reached, 0) * 1.05
    wide = max(len(months) - 1, 1)

    def across(place: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * place / wide, 1)

    def up(count: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * count / most, 1)

    step = TARGET // 4 * -(-int(most) // (_MOST_LABELS * TARGET // 4))
    every = -(-len(months) // _MOST_LABELS) or 1
    return Plot(
        " ".join(f"{across(place)},{up(count)}" for place, count in enumerate(reached)),
        up(TARGET),
        [(up(tick), f"{number(tick // 1_000_000)} M" if tick else "0") for tick in range(0, int(most), step)],
        [(across(place), str(months[place])) for place in range(0, len(months), every)],
    )


def number(count: int | None) -> str:
    """As French typography groups digits; what is withheld is a dash."""
    return _DASH if count is None else f"{count:,}".replace(",", _THIN)


def decimal(value: float | None, digits: int = 1) -> str:
    return _DASH if value is None else f"{value:.{digits}f}".replace(".", ",")


def _months(told: Figures, opened: Sequence[int | None], reached: Sequence[int]) -> list[Line]:
    by_opener = [each.by_opener.cells for each in told.openings.values()]
    return [
        Line(_name(month), (total, sum_, *(cells[name] for name in OPENERS)))
        for month, total, sum_, cells in zip(told.openings, opened, reached, by_opener, strict=True)
    ]


def _departments(told: Figures) -> list[Line]:
    return [Line(f"{code} {name}", _sum(told, code)) for code, name in DEPARTMENTS.items()]


def _sum(told: Figures, code: str) -> tuple[int | None, int]:
    """What the months that tell it add up to, and how many do."""
    counts = [count for each in told.openings.values() if (count := each.by_department.cells[code]) is not None]
    return (sum(counts) if counts else None), len(counts)


def _name(month: Month) -> str:
    return f"{_MONTHS[month.month - 1]}{_FIRM}{month.year}"


def _day(at: datetime) -> str:
    local = at.astimezone(_PARIS)
    return f"{'1er' if local.day == 1 else local.day} {_MONTHS[local.month - 1]} {local.year}"
