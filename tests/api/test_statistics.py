"""The figures as the service tells them: whole months that are over, the same whatever is asked for."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert

from models.facts import Document, Reference
from models.sheets import Filed, Version, pack_documents
from models.tables import dossier, emergency, opening
from models.vocabulary import DocumentStatus
from tests.api.whole import NURSE, PHYSICIAN, Json, Whole

PHARMACIES, SMALL_PHARMACIES = ("220000020", "370000010"), ("940000011", "940000029", "940000037")


async def figures(dmp: Whole, query: str = "?from=2026-09&to=2026-09") -> Json:
    answer = await dmp.http.get(f"/v1/statistics{query}")
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def opened(
    dmp: Whole, count: int, day: date, kind: str, where: str | None = None, who: str | None = None
) -> None:
    """So many dossiers opened on a day by somebody."""
    row = {"day": day, "kind": kind, "department": where, "opener": who}
    async with dmp.database.begin() as connection:
        await connection.execute(insert(opening), [{"id": uuid4(), **row} for _ in range(count)])


async def entered(dmp: Whole, count: int, day: date, mode: str) -> None:
    async with dmp.database.begin() as connection:
        await connection.execute(insert(emergency), [{"id": uuid4(), "day": day, "mode": mode} for _ in range(count)])


async def a_year(dmp: Whole, year: int) -> None:
    """Patients, physicians and two pharmacies in two departments; pharmacies that open eight dossiers in a third."""
    for month in range(1, 13):
        day = date(year, month, 10)
        await opened(dmp, 40, day, "person")
        for where, finess in zip(("22", "37"), PHARMACIES, strict=True):
            await opened(dmp, 25, day, "professional", where, PHYSICIAN)
            await opened(dmp, 15, day, "pharmacy", where, finess)
        await opened(dmp, 22, day, "professional", None, NURSE)
        for finess in SMALL_PHARMACIES if month <= 8 else ():
            await opened(dmp, 1, day, "pharmacy", "94", finess)


async def test_openings_by_month_opener_and_department(dmp: Whole) -> None:
    """A month is whole; professionals go with those who are too few; a department that is not known is one, too."""
    first, last = date(2026, 9, 1), date(2026, 9, 30)
    await opened(dmp, 20, first, "person")
    await opened(dmp, 12, last, "professional", "22")
    await opened(dmp, 30, last, "professional", "37")
    await opened(dmp, 3, last, "professional", "99")
    await opened(dmp, 13, last, "pharmacy", "22")
    await opened(dmp, 12, date(2026, 8, 31), "person")
    await opened(dmp, 12, date(2026, 10, 1), "professional")
    (month,) = (await figures(dmp))["openings"]
    assert month == {
        "month": "2026-09",
        "total": 78,
        "by_opener": {
            "insurance_fund": None,
            "health_facility": None,
            "professional": None,
            "pharmacy": 13,
            "person": 20,
        },
        "by_department": {"37": 30} if "37" in month["by_department"] else {"22": 25},
    }


async def test_other_openers_are_counted_apart(dmp: Whole) -> None:
    """Rules may one day let laboratories open dossiers: there are then some of another kind."""
    await opened(dmp, 30, date(2026, 9, 1), "laboratory", "22")
    (month,) = (await figures(dmp))["openings"]
    assert (month["total"], month["by_opener"]["other"]) == (30, None)


async def test_departments_stay_withheld_with_patients(dmp: Whole) -> None:
    """Of so few openings by patients the number could be computed from all others."""
    await opened(dmp, 4, date(2026, 9, 1), "person")
    await opened(dmp, 300, date(2026, 9, 1), "professional", "22")
    (month,) = (await figures(dmp))["openings"]
    assert (month["total"], month["by_opener"]["person"], month["by_department"]) == (304, None, {})


async def test_a_small_month_is_withheld_whole(dmp: Whole) -> None:
    """Ten openings, or accesses, are nobody's figures."""
    await opened(dmp, 10, date(2026, 9, 10), "person")
    await entered(dmp, 10, date(2026, 9, 10), "break_glass")
    told = await figures(dmp)
    (openings,), (emergencies,) = told["openings"], told["emergencies"]
    assert (openings["total"], set(openings["by_opener"].values())) == (None, {None})
    assert emergencies == {"month": "2026-09", "total": None, "by_mode": {"break_glass": None, "centre_15": None}}


async def test_accesses_in_an_emergency_by_mode(dmp: Whole) -> None:
    """Each month's, and no others."""
    for day, mode, count in ((date(2026, 9, 1), "break_glass", 12), (date(2026, 9, 30), "centre_15", 11)):
        await entered(dmp, count, day, mode)
    await entered(dmp, 30, date(2026, 8, 31), "break_glass")
    await entered(dmp, 3, date(2026, 8, 31), "centre_15")
    assert (await figures(dmp, "?from=2026-08&to=2026-09"))["emergencies"] == [
        {"month": "2026-08", "total": 33, "by_mode": {"break_glass": None, "centre_15": None}},
        {"month": "2026-09", "total": 23, "by_mode": {"break_glass": 12, "centre_15": 11}},
    ]


async def test_breaking_the_glass_is_counted(dmp: Whole) -> None:
    """By the request that does it, on its day; a refusal and an ordinary access are not."""
    reason = {"DMP-Mode": "break_glass", "DMP-Reason": "unconscious"}
    for number in range(25):
        answer = await dmp.get("/documents", f"professional/{NURSE}", **reason, **{"X-Request-ID": f"r-{number}"})
        assert answer.status_code == 200
    assert (await dmp.get("/documents", f"professional/{NURSE}", **{"DMP-Mode": "break_glass"})).status_code == 403
    assert (await dmp.get("/documents", f"professional/{PHYSICIAN}")).status_code == 200
    dmp.clock.now += timedelta(days=60)
    (month,) = (await figures(dmp, "?from=2026-10&to=2026-10"))["emergencies"]
    assert month["total"] == 25


async def test_only_months_that_are_over(dmp: Whole) -> None:
    """Else today's answer less yesterday's would be one person's opening; by default there are twelve."""
    await opened(dmp, 30, date(2026, 10, 2), "person")
    default = await figures(dmp, "")
    assert [month["month"] for month in default["openings"]][::11] == ["2025-10", "2026-09"]
    assert [month["month"] for month in (await figures(dmp, "?from=2026-08-03&to=2030-01-01"))["openings"]] == [
        "2026-08",
        "2026-09",
    ]
    told = await figures(dmp, "?from=2026-10&to=2026-12")
    assert (told["openings"], told["emergencies"], told["pharmacies"]) == ([], [], [])


async def test_a_month_is_told_once_a_day_has_passed(dmp: Whole) -> None:
    """What was begun before midnight in Paris is written by then, so that a month never changes any more."""
    midnight = datetime(2026, 10, 1, 22, tzinfo=UTC)
    for now, last in ((midnight - timedelta(minutes=1), "2026-08"), (midnight, "2026-09")):
        dmp.clock.now = now
        assert (await figures(dmp, ""))["openings"][-1]["month"] == last


async def test_what_is_told_does_not_depend_on_what_is_asked_for(dmp: Whole) -> None:
    """Whatever months are asked for, each is told as always, and a year's pharmacies with its last month."""
    await a_year(dmp, 2025)
    whole = await figures(dmp, "?from=2025-01&to=2026-02")
    assert whole["pharmacies"] == [{"year": 2025, "openings": [{"finess": each, "count": 180} for each in PHARMACIES]}]
    for first, last in ((1, 1), (3, 7), (12, 12), (11, 12), (6, 11)):
        told = await figures(dmp, f"?from=2025-{first:02}&to=2025-{last:02}")
        for table in ("openings", "emergencies"):
            assert told[table] == whole[table][first - 1 : last]
        assert told["pharmacies"] == (whole["pharmacies"] if last == 12 else [])


async def test_a_year_that_is_not_over_tells_of_no_pharmacy(dmp: Whole) -> None:
    """In January of the next one it does."""
    await a_year(dmp, 2026)
    assert [each["year"] for each in (await figures(dmp, "?from=2026-01"))["pharmacies"]] == []
    dmp.clock.now = datetime(2027, 1, 5, tzinfo=UTC)
    assert [each["year"] for each in (await figures(dmp, "?from=2026-01"))["pharmacies"]] == [2026]


async def test_what_there_is(dmp: Whole) -> None:
    """Dossiers that somebody opened, those with documents, whose versions are one and the deleted ones none."""
    before = (await figures(dmp))["dossiers"]
    assert before == {"created": None, "fed": None, "documents_each": None}
    states = ["open"] * 150 + ["closed"] * 70 + ["none"] * 500
    statuses = [DocumentStatus(each) for each in ("superseded", "current", "deleted", "deleted", "archived")]
    holder = Reference("organization", "750000028")
    filed = [
        Filed(
            Document(UUID(int=number), "11488-4", holder, dmp.clock.now, status=statuses[number % 5]),
            Version(UUID(int=number - number % 2), 1 + number % 2),
        )
        for number in range(1200)
    ]
    # Ten documents of each dossier: five series of two versions, of which four have one that is not deleted.
    sheets = {1 + number // 10: pack_documents(filed[number : number + 10]) for number in range(0, 1200, 10)}
    sheets |= {number: pack_documents([Filed(*filed[2])]) for number in range(121, 131)}  # one that is deleted
    dossiers = [
        {"id": UUID(int=number), "state": state, "state_since": dmp.clock.now, "documents": sheets.get(number)}
        for number, state in enumerate(states, 1)
    ]
    async with dmp.database.begin() as connection:
        await connection.execute(insert(dossier), dossiers)
    assert (await figures(dmp))["dossiers"] == before  # all are counted once a day
    dmp.clock.now += timedelta(days=1)
    assert (await figures(dmp))["dossiers"] == {"created": 200, "fed": 100, "documents_each": 4.0}


async def test_what_is_no_month_is_refused(dmp: Whole) -> None:
    """And so are more months than make sense."""
    for query in ("?from=2026", "?to=2026-13", "?from=yesterday", "?from=1900-01&to=2026-01"):
        assert (await dmp.http.get(f"/v1/statistics{query}")).status_code == 400
