"""The figures: whole months, and no count that could be somebody, told or computed."""

from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from api.services.statistics import THRESHOLD, withheld
from models.tables import content, opening
from tests.api.whole import Json, Whole

_OPENERS = ("person", "professional", "health_facility", "pharmacy", "insurance_fund", "other")


async def figures(dmp: Whole, query: str = "?from=2026-09&to=2026-09") -> Json:
    answer = await dmp.http.get(f"/v1/statistics{query}")
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def opened(dmp: Whole, count: int, at: datetime, kind: str) -> None:
    """So many dossiers opened at an instant by somebody."""
    day = at.astimezone(ZoneInfo("Europe/Paris")).date()
    rows = [{"id": uuid4(), "day": day, "kind": kind} for _ in range(count)]
    async with dmp.database.begin() as connection:
        await connection.execute(insert(opening), rows)


async def test_openings_by_month_and_opener(dmp: Whole) -> None:
    """A month is Paris's; an organization counts as what it is."""
    first, last = datetime(2026, 8, 31, 22, tzinfo=UTC), datetime(2026, 9, 30, 21, 59, tzinfo=UTC)
    await opened(dmp, 11, first, "person")
    await opened(dmp, 20, last, "health_facility")
    await opened(dmp, 13, last, "pharmacy")
    await opened(dmp, 12, datetime(2026, 8, 31, 21, 59, tzinfo=UTC), "person")
    await opened(dmp, 12, datetime(2026, 9, 30, 22, tzinfo=UTC), "professional")
    (month,) = (await figures(dmp))["openings"]
    assert (month["month"], month["total"]) == ("2026-09", 44)
    assert month["by_opener"] == {
        "person": None,  # this and the pharmacies would have been shown, and go with the small ones
        "professional": None,
        "health_facility": 20,
        "pharmacy": None,
        "insurance_fund": None,
        "other": None,
    }


async def test_a_small_month_is_withheld_whole(dmp: Whole) -> None:
    """Ten openings are nobody's figures."""
    await opened(dmp, 10, datetime(2026, 9, 10, tzinfo=UTC), "person")
    (month,) = (await figures(dmp))["openings"]
    assert (month["total"], set(month["by_opener"].values())) == (None, {None})


async def test_only_months_that_are_over(dmp: Whole) -> None:
    """Else today's answer less yesterday's would be one person's opening; by default there are twelve."""
    await opened(dmp, 30, datetime(2026, 10, 2, tzinfo=UTC), "person")
    default = await figures(dmp, "")
    assert [month["month"] for month in default["openings"]][::11] == ["2025-10", "2026-09"]
    assert [month["month"] for month in (await figures(dmp, "?from=2026-08-03&to=2030-01-01"))["openings"]] == [
        "2026-08",
        "2026-09",
    ]
    assert (await figures(dmp, "?from=2026-10&to=2026-12"))["openings"] == []


async def test_documents_by_month(dmp: Whole) -> None:
    """As they were deposited, and withheld as well where they are few."""
    rows = [
        {
            "dossier": UUID(int=1),
            "document": UUID(int=number),
            "object_name": str(number),
            "head": b"",
            "data_key": b"",
            "content_type": "text/plain",
            "size": 0,
            "sha256": b"",
            "title_sealed": b"",
            "mac": b"",
            "deposited_at": datetime(2026, 9 if number < 11 else 8, 10, tzinfo=UTC),
        }
        for number in range(21)
    ]
    async with dmp.database.begin() as connection:
        await connection.execute(insert(content), rows)
    assert (await figures(dmp, "?from=2026-08&to=2026-09"))["documents"] == [
        {"month": "2026-08", "total": None},
        {"month": "2026-09", "total": 11},
    ]


@pytest.mark.parametrize("query", ["?from=2026", "?to=2026-13", "?from=yesterday", "?from=1900-01&to=2026-01"])
async def test_what_is_no_month_is_refused(dmp: Whole, query: str) -> None:
    """And so are more months than make sense."""
    assert (await dmp.http.get(f"/v1/statistics{query}")).status_code == 400


@given(st.lists(st.integers(0, 40), min_size=len(_OPENERS), max_size=len(_OPENERS)))
def test_no_subtraction_reveals_a_small_count(counts: list[int]) -> None:
    """What is shown leaves of the rest nothing, or a sum over two cells at least that is itself not small."""
    cells = dict(zip(_OPENERS, counts, strict=True))
    row = withheld(cells)
    shown = {name: count for name, count in row.cells.items() if count is not None}
    assert all(count == cells[name] >= THRESHOLD for name, count in shown.items())
    if row.total is not None:
        assert row.total == sum(counts)
        hidden, rest = len(cells) - len(shown), row.total - sum(shown.values())
        assert hidden == 0 or (hidden >= 2 and rest >= 21)
