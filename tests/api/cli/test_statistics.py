"""`dmp statistics`: the same figures in a terminal, for another program, for whoever pays, and on a page to show."""

import asyncio
import csv
import json
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert

from api.cli.setting_up import initialise
from api.cli.statistics_page import number, page, plot
from api.services.disclosure import Row
from api.services.statistics import MODES, OPENERS, Dossiers, Figures, Month, Openings
from api.settings import Settings
from models.database import open_database
from models.reference.departments import DEPARTMENTS
from models.tables import opening
from tests.api.cli.shell import run

EMPTY = Figures(Dossiers(None, None, None), {}, {}, {})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a service whose year 2025 is over: three pharmacies, of which one opened too few."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings.from_environment({"DMP_HOME": str(folder)})
    initialise(settings)
    asyncio.run(_fill(settings))
    return folder


async def _fill(settings: Settings) -> None:
    months = [
        (40, "person", None, None),
        (25, "professional", "22", "10001234565"),
        (22, "professional", None, "10001234573"),
        (15, "pharmacy", "22", "220000020"),
        (18, "pharmacy", "37", "370000010"),
    ]
    rows = [
        {"id": uuid4(), "day": date(2025, month, 10), "kind": kind, "department": where, "opener": who}
        for month in range(1, 13)
        for count, kind, where, who in [*months, (1, "pharmacy", "37", f"{370000100 + month // 7}")]
        for _ in range(count)
    ]
    database = await open_database(settings.database_url)
    async with database.begin() as connection:
        await connection.execute(insert(opening), rows)
    await database.close()


def test_as_text(home: Path) -> None:
    """A line for each month, by opener, and for each department that is told of; a dash is what is withheld."""
    result = run("statistics", "--from", "2025-02", "--to", "2025-03", home=home)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["opened", "total", *OPENERS] in lines
    assert ["2025-03", "121", "-", "-", "-", "34", "40"] in lines
    assert ["22", "Côtes-d’Armor", "2", "80"] in lines
    assert ["2025-02", "-", "-", "-"] in lines


def test_as_json(home: Path) -> None:
    """What the service answers, member by member."""
    told = json.loads(run("statistics", "--json", "--from", "2025-12", "--to", "2025-12", home=home).output)
    assert list(told) == ["threshold", "dossiers", "openings", "emergencies", "pharmacies"]
    assert told["openings"][0]["total"] == 121
    assert told["pharmacies"] == [{"year": 2025, "openings": [{"finess": "220000020", "count": 180}]}]


@pytest.mark.parametrize("year", ["--pharmacies=2025", "--pharmacies"])
def test_pharmacies_as_csv(home: Path, year: str) -> None:
    """By FINESS, for the euro that each opening is paid; by default of the last year that is over."""
    result = run("statistics", year, home=home)
    told = list(csv.reader(result.output.splitlines()))
    assert told[0] == ["finess", "count"]
    if datetime.now(UTC).year == 2026 or "=" in year:
        assert told[1:] == [["220000020", "180"]]


@pytest.mark.parametrize(
    "words, reason",
    [
        (("--pharmacies=2999",), "the year 2999 is not over"),
        (("--pharmacies=last",), "'last' is no year"),
        (("--from", "March"), "are months, such as 2026-01"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Path, words: tuple[str, ...], reason: str) -> None:
    """With one sentence that says why."""
    result = run("statistics", *words, home=home)
    assert result.exit_code != 0
    assert reason in str(result.exception)


def test_as_a_page(home: Path, tmp_path: Path) -> None:
    """One file, since the beginning, with all departments; it fetches nothing, and says in words what it draws."""
    result = run("statistics", "--html", str(tmp_path / "figures.html"), home=home)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "figures.html").read_text(encoding="utf-8")
    parsed = _Page()
    parsed.feed(text)
    assert parsed.open == []
    assert parsed.fetched == []
    assert {"title", "desc", "polyline", "caption"} <= parsed.seen
    assert "Ouvertures publiées\u00a0: 1\u202f452, soit 0,00\u00a0% de l’objectif de 40\u202f000\u202f000" in text
    assert "janvier\u00a02025" in text
    assert all(f"{code} {name}" in text for code, name in DEPARTMENTS.items())
    assert re.search(r"22 Côtes-d’Armor</th><td>480</td><td>12</td>", text)


class _Page(HTMLParser):
    """What elements there are, which were left open, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_without_a_month() -> None:
    """Before the first month is over there is nothing to draw, and the page says so."""
    text = page(EMPTY, datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert "Aucun mois n’est terminé." in text
    assert "1er janvier 2026" in text
    assert "<svg" not in text


def test_a_page_when_the_target_is_reached() -> None:
    """The scale follows, so that the curve stays in the picture; a month that is withheld adds nothing."""
    months = [Month(2025, number) for number in range(1, 13)]
    row = Row(6_000_000, dict.fromkeys(OPENERS, 1_200_000))
    none = Row(None, dict.fromkeys((*OPENERS, *MODES, "unknown", *DEPARTMENTS)))
    openings = {month: Openings(none if month.month == 4 else row, none) for month in months}
    text = page(
        Figures(Dossiers(None, None, None), openings, dict.fromkeys(months, none), {2025: {}}), datetime.now(UTC)
    )
    assert "Ouvertures publiées\u00a0: 66\u202f000\u202f000, soit 165,00\u00a0%" in text
    assert "Mois non publiés\u00a0: 1." in text
    drawn = plot(months, [number * 6_000_000 for number in range(12)])
    heights = [float(point.split(",")[1]) for point in drawn.curve.split()]
    assert heights == sorted(heights, reverse=True)
    assert [label for _, label in drawn.ticks] == ["0", "20 M", "40 M", "60 M"]
    assert 20 < heights[-1] < drawn.target < heights[0] == 300


@pytest.mark.parametrize("count, written", [(None, "–"), (0, "0"), (594333, "594\u202f333")])
def test_numbers_as_french_writes_them(count: int | None, written: str) -> None:
    """Thousands apart, by a space that does not break."""
    assert number(count) == written
