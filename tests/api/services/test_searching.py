"""Searches of whom almost nothing is open to: each page costs as little as any other, and says where to go on."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert

from api.identity import Caller, Client
from api.judge import EntityPage, PageRequest
from api.parts import Parts
from api.schemas.authzen import ActionAsked, Entity, Kind, ResourceSearch, SubjectSearch
from api.services.cursors import place_between
from api.services.decision_point import DecisionPoint
from models import tables
from models.sheets import pack_relation
from models.vocabulary import Scope
from tests.api.services.judges import judging_at

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CALLER = Caller(Client("tests", frozenset(Scope)), "request-1")
HOSPITAL = "750000028"
PEOPLE = [f"{4_001 * number:011}" for number in range(1, 2_151)]
NURSE = PEOPLE[0]
DOSSIERS = [UUID(int=4_001 * number << 80) for number in range(1, 2_151)]
OPEN = DOSSIERS[7::500]
"""Where the patient lets the hospital's people in; the others are its patients too, and said nothing."""
MOST_READS = 17

Search = Callable[[PageRequest], Awaitable[EntityPage]]


@pytest.fixture
async def point(parts: Parts) -> DecisionPoint:
    """A hospital with thousands of dossiers and of people, whom it lets into few."""
    ties = pack_relation("organization", HOSPITAL, "care_team", None, None)
    own = [pack_relation("professional", each, "granted", None, None) for each in PEOPLE[7::500]]
    dossiers = [
        {"id": each, "state": "open", "state_since": NOW, "care_team_consent": each in OPEN, "ties": ties}
        for each in DOSSIERS
    ]
    dossiers[0]["ties"] = b"".join([ties, *own])
    async with parts.database.begin() as connection:
        of_hospital = {"id": HOSPITAL, "kind": "health_facility", "name": ""}
        people = [{"rpps": each, "profession": "nurse"} for each in PEOPLE]
        for table, rows in (
            (tables.organization, [of_hospital]),
            (tables.professional, people),
            (tables.exercise, [{"professional": each, "organization": HOSPITAL} for each in PEOPLE]),
            (tables.dossier, dossiers),
            (tables.tied, [{"party": HOSPITAL, "dossier": each} for each in DOSSIERS]),
            (tables.tied, [{"party": each, "dossier": DOSSIERS[0]} for each in PEOPLE[7::500]]),
        ):
            await connection.execute(insert(table), rows)
    return DecisionPoint(parts.database, judging_at(parts, NOW))


@pytest.fixture
def reads(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were read."""
    told: list[str] = []
    read = parts.database.read

    async def noting(statement: str, *values: object) -> object:
        told.append(statement)
        return await read(statement, *values)

    monkeypatch.setattr(parts.database, "read", noting)
    return told


def dossiers_of(point: DecisionPoint) -> Search:
    asked = ResourceSearch(
        Entity("professional", NURSE), ActionAsked("document:list"), Kind("dossier"), {"authentication": "cps"}
    )
    return lambda page: point.search_resources(CALLER, asked, page)


def people_of(point: DecisionPoint) -> Search:
    about = Entity("dossier", str(DOSSIERS[0]))
    asked = SubjectSearch(Kind("professional"), ActionAsked("document:list"), about, {"authentication": "cps"})
    return lambda page: point.search_subjects(CALLER, asked, page)


async def followed(search: Search, limit: int, reads: list[str]) -> tuple[list[str], list[EntityPage]]:
    """All that is found, page by page to the end; and the pages, none of which cost more than another."""
    found: list[str] = []
    pages: list[EntityPage] = []
    after: str | None = None
    while not pages or after is not None:
        reads.clear()
        pages.append(await search(PageRequest(limit, after)))
        assert len(reads) <= MOST_READS
        assert len(pages[-1].results) <= limit
        found += [each.id for each in pages[-1].results]
        after = pages[-1].next
    return found, pages


@pytest.mark.parametrize(
    "search, there, open_",
    [(dossiers_of, DOSSIERS, OPEN), (people_of, PEOPLE, PEOPLE[7::500])],
    ids=["dossiers", "people"],
)
async def test_who_may_few_of_many_finds_them_all(
    point: DecisionPoint,
    reads: list[str],
    search: Callable[[DecisionPoint], Search],
    there: Sequence[object],
    open_: Sequence[object],
) -> None:
    """Each once, by following what each page says: short where few pass, and never dearer for it.

    Where a page goes on is who was shown last, or nobody who is there: who was looked at and refused is not told.
    """
    everybody = set(map(str, there))
    for limit in (1, 3, 1_000):
        found, pages = await followed(search(point), limit, reads)
        assert found == list(map(str, open_))
        assert len(pages) > len(there) // 1_000
        for page in pages:
            assert page.next not in everybody - {each.id for each in page.results}


@pytest.mark.parametrize(
    "before, following, between",
    [
        ("10001234565", "10001234581", "10001234580"),
        ("10001234565", "10001234566", "10001234565"),
        ("10001234569", "10001234570", "10001234569"),
        (str(UUID(int=0x1F << 64)), str(UUID(int=0x23 << 64)), str(UUID(int=0x20 << 64))),
        (str(UUID(int=15)), str(UUID(int=16)), str(UUID(int=15))),
        (
            "10f6c1de-0000-4000-8000-000000000001",
            "10f6c1de-7abc-4000-8000-000000000002",
            "10f6c1de-7000-0000-0000-000000000000",
        ),
    ],
)
def test_a_place_between_two_is_as_round_as_can_be(before: str, following: str, between: str) -> None:
    """Neither of them, unless it would be the second; what is looked for behind it begins with the second."""
    assert place_between(before, following) == between
    assert before <= between < following
