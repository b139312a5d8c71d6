"""Opening a dossier: by whom, once whatever arrives at the same instant, and what is counted of it."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from models.queries.dossiers import lock_dossier
from models.tables import dossier_key
from tests.api.whole import (
    FUND,
    HOSPITAL,
    NOBODY_INS,
    NURSE,
    OTHER_INS,
    PHARMACY,
    PHYSICIAN,
    UNKNOWN_RPPS,
    Whole,
    whole,
)
from tests.waiting import somebody_waits

CLINIC, LABORATORY, INSURER, EMPLOYER, BANK = ("970100228", "970408589", "750000036", "750000044", "750000051")
SOCIAL_WORKER, LOCUM, ALONE = ("10000000074", "10000000082", "10000000090")
MORE: tuple[dict[str, object], ...] = (
    {"kind": "organization", "id": CLINIC, "type": "health_facility", "name": "Clinic overseas"},
    {"kind": "organization", "id": LABORATORY, "type": "laboratory", "name": "Laboratory"},
    {"kind": "organization", "id": INSURER, "type": "complementary_insurer", "name": "Insurer"},
    {"kind": "organization", "id": EMPLOYER, "type": "employer", "name": "Employer"},
    {"kind": "organization", "id": BANK, "type": "bank", "name": "Bank"},
    {"kind": "staff", "id": "sec-1", "organization": HOSPITAL},
    {"kind": "professional", "rpps": SOCIAL_WORKER, "profession": "social_worker", "organizations": [HOSPITAL]},
    {"kind": "professional", "rpps": LOCUM, "profession": "physician", "organizations": [HOSPITAL, CLINIC]},
    {"kind": "professional", "rpps": ALONE, "profession": "midwife", "organizations": []},
)
PRESENT = {"DMP-Patient-Present": "true"}
HOLDER = "the holder"


async def open_(dmp: Whole, who: str, **stated: str) -> tuple[int, str | None]:
    """Open the dossier of somebody who has none; the status, and the rule that refuses."""
    subject = f"person/{dmp.id_of(NOBODY_INS)}" if who == HOLDER else who
    body = {"ins": NOBODY_INS, "born": "1955-08-20", "protected": False}
    answer = await dmp.http.post("/v1/dossiers", json=body, headers=dmp.headers(subject, **stated))
    return answer.status_code, answer.json().get("reason")


async def openings(dmp: Whole) -> list[tuple[Any, ...]]:
    """What was counted, but for the random id."""
    rows = await dmp.database.read("SELECT day, kind, opener, department FROM opening")
    return [(str(row[0]), *row[1:]) for row in rows]


async def erase(dmp: Whole) -> None:
    answer = await dmp.http.delete(dmp.path("", NOBODY_INS), headers=dmp.headers(f"person/{dmp.id_of(NOBODY_INS)}"))
    assert answer.status_code == 204


async def test_who_opens_a_dossier_and_how_he_is_counted(dmp: Whole) -> None:
    """Day, kind, number and department; of a professional the place that he states, if it is his, or his only one."""
    await dmp.learn(*MORE)
    wanted: list[tuple[str, dict[str, str], tuple[object, ...]]] = [
        (HOLDER, {}, ("person", None, None)),
        (f"organization/{HOSPITAL}", {}, ("health_facility", HOSPITAL, "75")),
        (f"organization/{CLINIC}", {}, ("health_facility", CLINIC, "971")),
        (f"organization/{PHARMACY}", {}, ("pharmacy", PHARMACY, "75")),
        (f"organization/{FUND}", {}, ("insurance_fund", FUND, None)),
        (f"professional/{NURSE}", PRESENT, ("professional", NURSE, "75")),
        (f"professional/{NURSE}", PRESENT | {"DMP-Organization": PHARMACY}, ("professional", NURSE, "75")),
        (f"professional/{LOCUM}", PRESENT | {"DMP-Organization": CLINIC}, ("professional", LOCUM, "971")),
        (f"professional/{LOCUM}", PRESENT | {"DMP-Organization": PHARMACY}, ("professional", LOCUM, None)),
        (f"professional/{LOCUM}", PRESENT, ("professional", LOCUM, None)),
        (f"professional/{ALONE}", PRESENT | {"DMP-Authentication": ""}, ("professional", ALONE, None)),
    ]
    for who, stated, counted in wanted:
        before = Counter(await openings(dmp))
        assert await open_(dmp, who, **stated) == (201, None)
        assert Counter(await openings(dmp)) - before == Counter([("2026-10-15", *counted)])
        await erase(dmp)
    assert len(await openings(dmp)) == len(wanted)


NOBODYS: tuple[tuple[str, dict[str, str], str], ...] = (
    (f"professional/{PHYSICIAN}", {}, "not-permitted"),
    (f"professional/{SOCIAL_WORKER}", PRESENT, "not-permitted"),
    (f"professional/{UNKNOWN_RPPS}", PRESENT, "unknown-subject"),
    (f"organization/{LABORATORY}", {}, "not-permitted"),
    (f"organization/{INSURER}", {}, "prohibited-party"),
    (f"organization/{EMPLOYER}", {}, "prohibited-party"),
    (f"organization/{BANK}", {}, "prohibited-party"),
    ("staff/sec-1", PRESENT, "not-permitted"),
    (f"person/{UUID(int=7)}", {}, "unknown-subject"),
    (f"professional/{NURSE}", PRESENT | {"DMP-Mode": "break_glass", "DMP-Reason": "x" * 12}, "emergency-scope"),
)


async def test_who_opens_none(dmp: Whole) -> None:
    """The rule that refuses is named; nothing is there afterwards and nothing was counted."""
    await dmp.learn(*MORE)
    for who, stated, rule in NOBODYS:
        assert (who, await open_(dmp, who, **stated)) == (who, (403, rule))
    # Whoever represents others has no tie to a dossier that there is not.
    assert await open_(dmp, f"person/{dmp.id_of(OTHER_INS)}") == (403, "unknown-subject")
    assert await openings(dmp) == []
    assert await dmp.database.read("SELECT 1 FROM dossier WHERE id = $1::uuid", UUID(dmp.id_of(NOBODY_INS))) == []


async def test_a_dossier_that_is_not_open_is_not_opened_again(dmp: Whole) -> None:
    """There is one, whoever asks: it is reopened, by those who may."""
    assert await open_(dmp, HOLDER) == (201, None)
    for state, who in (("suspended", f"organization/{FUND}"), ("open", f"organization/{FUND}"), ("closed", HOLDER)):
        subject = f"person/{dmp.id_of(NOBODY_INS)}" if who == HOLDER else who
        changed = await dmp.http.put(
            dmp.path("/state", NOBODY_INS), json={"state": state}, headers=dmp.headers(subject)
        )
        assert changed.status_code == 200
        for opener in (HOLDER, f"organization/{PHARMACY}"):
            assert (await open_(dmp, opener))[0] == 409
    assert len(await openings(dmp)) == 1


async def test_a_hundred_openings_at_once_make_one_dossier(dmp: Whole) -> None:
    """From five sides: one is created, 99 are conflicts; one key, one row that is counted, a hundred decisions."""
    sides: list[tuple[str, dict[str, str]]] = [
        (HOLDER, {}),
        (f"professional/{NURSE}", PRESENT),
        (f"organization/{HOSPITAL}", {}),
        (f"organization/{PHARMACY}", {}),
        (f"organization/{FUND}", {}),
    ]
    answers = await asyncio.gather(*(open_(dmp, who, **stated) for who, stated in sides * 20))
    assert Counter(status for status, _ in answers) == {201: 1, 409: 99}
    identity = UUID(dmp.id_of(NOBODY_INS))
    for table, column in (("dossier", "id"), ("dossier_key", "dossier"), ("journal_chain", "dossier")):
        assert len(await dmp.database.read(f"SELECT 1 FROM {table} WHERE {column} = $1::uuid", identity)) == 1
    entries = [each for each in await dmp.entries() if each.resource.id == str(identity)]
    (opened,) = [each for each in entries if each.change]
    assert (opened.dossier, dict(opened.change), opened.allowed) == (identity, {"state": "open"}, True)
    assert {each.rule for each in entries if not each.allowed} <= {"already-open"}
    assert {each.action for each in entries} == {"dossier:open"}
    assert len(entries) == 100
    ((_, kind, opener, _),) = await openings(dmp)
    assert opened.subject.id == (opener or str(identity))
    assert kind == ("person" if opener is None else {NURSE: "professional"}.get(opener, kind))
    read = await dmp.http.get(dmp.path("", NOBODY_INS), headers=dmp.headers(f"person/{identity}"))
    assert (read.status_code, read.json()["state"]) == (200, "open")


async def test_nothing_ties_what_is_counted_to_a_dossier(dmp: Whole) -> None:
    """A day in France and no hour, an id drawn at random, no number of a person."""
    dmp.clock.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert await open_(dmp, HOLDER) == (201, None)
    (row,) = await dmp.database.read("SELECT * FROM opening")
    assert row[1:] == (date(2027, 1, 1), "person", None, None)
    identity = row[0] if isinstance(row[0], UUID) else UUID(str(row[0]))
    assert identity.version == 4
    await erase(dmp)
    assert len(await openings(dmp)) == 1


async def test_an_opening_takes_the_dossier_before_its_key(migrated_postgresql_url: str, tmp_path: Path) -> None:
    """As everybody does: whoever holds a dossier that is none may change its key while somebody opens it."""
    async with whole(migrated_postgresql_url, tmp_path) as dmp:
        await dmp.learn({"kind": "dossier", "ins": NOBODY_INS, "state": "none", "born": "1955-08-20"})
        identity = UUID(dmp.id_of(NOBODY_INS))
        async with dmp.database.begin() as connection:
            await lock_dossier(connection, identity)
            opening = asyncio.create_task(open_(dmp, HOLDER))
            await somebody_waits(dmp.database, opening)
            await connection.execute(delete(dossier_key).where(dossier_key.c.dossier == identity))
        assert await opening == (201, None)
