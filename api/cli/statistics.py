"""`dmp statistics`: the figures as text, as JSON, as a table of pharmacies, or as a page to show."""

import asyncio
import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from api.cli.statistics_page import page
from api.errors import DmpError
from api.figures import month_of, view
from api.services.disclosure import THRESHOLD
from api.services.statistics import MODES, OPENERS, STEP, Figures, StatisticsService
from api.settings import Settings
from models.database import open_database
from models.reference.departments import DEPARTMENTS

_WITHHELD = "-"
_YEAR = re.compile("[12][0-9]{3}")


def text(settings: Settings, first: str | None, last: str | None) -> str:
    """Figures to read in a terminal. Raises MalformedRequestError, as all of these."""
    told = asyncio.run(_figures(settings, first, last))
    held, by_department = told.dossiers, _by_department(told)
    each = _WITHHELD if held.documents_each is None else held.documents_each
    lines = [
        f"dossiers, in steps of {STEP}: {_shown(held.created)} created, {_shown(held.fed)} fed, {each} documents each",
        f"counts under {THRESHOLD}, and what they could be computed from, are {_WITHHELD}",
        "",
        _line("opened", ("total", *OPENERS)),
        *(
            _line(str(month), (row.total, *(row.cells[name] for name in OPENERS)))
            for month, row in ((month, its.by_opener) for month, its in told.openings.items())
        ),
        "",
        _line("accesses in an emergency", ("total", *MODES)),
        *(
            _line(str(month), (row.total, *(row.cells[name] for name in MODES)))
            for month, row in told.emergencies.items()
        ),
        "",
        _line("opened, by department", ("months told", "total")),
        *(_line(f"{code} {DEPARTMENTS[code]}", by_department[code]) for code in by_department),
        "",
        *(f"pharmacies of {year} told: {len(its):,}" for year, its in told.pharmacies.items()),
    ]
    return "\n".join(lines).rstrip()


def json(settings: Settings, first: str | None, last: str | None) -> str:
    """What `GET /v1/statistics` answers."""
    told = view(asyncio.run(_figures(settings, first, last)))
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def pharmacies(settings: Settings, year: str) -> str:
    """A calendar year's pharmacies as CSV, the last that is over if none is named. Raises DmpError."""
    if year and not _YEAR.fullmatch(year):
        msg = f"{year!r} is no year, such as 2025"
        raise DmpError(msg)
    month = f"{year}-12" if year else None
    told = asyncio.run(_figures(settings, month, month)).pharmacies
    if not told:
        msg = f"the year {year} is not over"
        raise DmpError(msg)
    (its,) = told.values()
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(("finess", "count"))
    writer.writerows(its.items())
    return written.getvalue().rstrip("\n")


def html(settings: Settings, first: str | None, last: str | None, file: Path) -> str:
    """One page, written into a file; from the first opening unless something else is asked for."""
    told = asyncio.run(_figures(settings, first, last, whole=first is None and last is None))
    file.write_text(page(told, datetime.now(UTC)), encoding="utf-8")
    return f"written: {file}"


async def _figures(settings: Settings, first: str | None, last: str | None, *, whole: bool = False) -> Figures:
    begin, end = month_of(first), month_of(last)
    database = await open_database(settings.database_url)
    try:
        service = StatisticsService(database, lambda: datetime.now(UTC))
        return await (service.since_the_beginning() if whole else service.figures(begin, end))
    finally:
        await database.close()


def _by_department(told: Figures) -> Mapping[str, tuple[int, int]]:
    """Of each department that any month tells: how many months do, and what they add up to."""
    counts = {
        code: [count for each in told.openings.values() if (count := each.by_department.cells[code]) is not None]
        for code in DEPARTMENTS
    }
    return {code: (len(its), sum(its)) for code, its in counts.items() if its}


def _line(head: str, cells: tuple[int | str | None, ...]) -> str:
    return f"{head:<26}{''.join(f'{_shown(cell):>18}' for cell in cells)}"


def _shown(cell: int | str | None) -> str:
    return _WITHHELD if cell is None else cell if isinstance(cell, str) else f"{cell:,}"
