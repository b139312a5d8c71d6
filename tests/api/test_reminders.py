"""Reminders: computed from age and from what the asker may read, and telling nothing else."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.services.reminders import concerning
from models.reference import ReferenceDataError
from models.reference.reminders import REMINDERS, load
from tests.api.whole import HOLDER, INS, NURSE, TREATING, Json, Whole

HEADER = "key,from_age,to_age,document_types,interval_months,text_fr,text_en,source,year\n"
ROW = "dtp,25,44,87273-9,240,Rappel,Booster,Ministère,2025\n"


async def reminders(dmp: Whole, who: str = HOLDER) -> dict[str, Json]:
    answer = await dmp.get("/reminders", who)
    assert answer.status_code == 200, answer.text
    return {each["rule"]: each for each in answer.json()["reminders"]}


@pytest.mark.parametrize(
    "born, rules",
    [
        ("2025-01-01", set()),
        ("2023-10-15", {"dental-examination"}),
        ("2023-10-16", set()),
        ("2001-10-15", {"dtp-25"}),
        ("1981-10-15", {"dtp-45"}),
        ("1976-10-15", {"dtp-45", "colorectal-screening"}),
        ("1961-10-15", {"dtp-65", "influenza", "colorectal-screening"}),
        ("1951-10-15", {"dtp-65", "influenza"}),
    ],
)
def test_age_decides_on_the_birthday(born: str, rules: set[str]) -> None:
    """From the day of one birthday until the eve of another."""
    today = date(2026, 10, 15)
    assert {rule.key for rule in concerning(REMINDERS.values(), date.fromisoformat(born), today)} == rules


async def test_each_reminder_names_its_source(dmp: Whole) -> None:
    """The holder is 66; nothing is in the dossier: all is due, in both languages, with source and year."""
    found = await reminders(dmp)
    assert list(found) == ["dtp-65", "influenza", "colorectal-screening"]
    assert {each["status"] for each in found.values()} == {"due"}
    assert found["influenza"]["since"] == "2025-10-15"
    assert found["dtp-65"]["since"] == "2025-05-12"
    assert {(bool(each["source"]["name"]), each["source"]["year"] >= 2024) for each in found.values()} == {(True, True)}
    assert found["influenza"]["text"].keys() == {"fr", "en"}


async def test_a_document_may_attest_that_it_was_done(dmp: Whole) -> None:
    """A note of vaccination within the interval is pointed at, an older one is not."""
    await dmp.deposit(document_type="87273-9", created_at="2025-10-14T12:00:00Z")
    recent = await dmp.deposit(document_type="87273-9", created_at="2025-10-15T12:00:00Z")
    found = await reminders(dmp)
    assert (found["influenza"]["status"], found["influenza"]["documents"]) == ("check", [recent])
    assert found["colorectal-screening"]["status"] == "due"


async def test_what_the_asker_may_not_read_changes_nothing(dmp: Whole) -> None:
    """A nurse's answer is the same with a masked note as without one; the holder's names it."""
    nurse = f"professional/{NURSE}"
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    before = await reminders(dmp, nurse)
    note = await dmp.deposit(document_type="87273-9")
    assert (await reminders(dmp, nurse))["influenza"]["documents"] == [note]
    await dmp.change(note, masked=True)
    assert await reminders(dmp, nurse) == before
    assert (await reminders(dmp))["influenza"]["documents"] == [note]


async def test_only_what_is_mentioned_is_journaled(dmp: Whole) -> None:
    """The listing and the documents that the answer names; not those that were looked at for nothing."""
    await dmp.deposit()
    note = await dmp.deposit(document_type="87273-9")
    await reminders(dmp, TREATING)
    items = (await dmp.journal())[0]["items"]
    assert [(item["action"], item["resource"]["id"]) for item in items] == [
        ("document:list", dmp.id_of()),
        ("document:read", note),
    ]


async def test_without_a_date_of_birth_there_are_none(dmp: Whole) -> None:
    """Nothing is guessed."""
    async with dmp.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE dossier SET born = NULL")
    assert await reminders(dmp) == {}


@pytest.mark.parametrize(
    "who, rule", [(f"professional/{NURSE}", "not-permitted"), ("organization/775685019", "not-permitted")]
)
async def test_who_may_not_list_gets_no_reminder(dmp: Whole, who: str, rule: str) -> None:
    """And the refusal is in the journal."""
    answer = await dmp.get("/reminders", who)
    assert (answer.status_code, answer.json()["reason"]) == (403, rule)
    entry = (await dmp.journal())[0]
    assert (entry["action"], entry["decision"], entry["rule"]) == ("document:list", False, rule)


async def test_a_birthday_on_the_leap_day(dmp: Whole) -> None:
    """Counts from 1 March in other years."""
    await dmp.learn({"kind": "dossier", "ins": INS, "state": "open", "born": "1960-02-29"})
    dmp.clock.now = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert (await reminders(dmp))["dtp-65"]["since"] == "2025-03-01"


@pytest.mark.parametrize(
    "row, message",
    [
        (ROW.replace("87273-9", "87273-9 87273-9"), "each once"),
        (ROW.replace("87273-9", "00000-0"), "types of document"),
        (ROW.replace(",25,", ",45,"), "from_age is after to_age"),
        (ROW.replace(",25,", ",025,"), "from_age is no number"),
        (ROW.replace("2025", "1999"), "year is no number"),
        (ROW.replace(",240,", ",0,"), "interval_months is no number"),
        (ROW.replace("Ministère", ""), "source is empty"),
        (ROW + ROW, "second time"),
    ],
)
def test_the_table_is_loaded_strictly(tmp_path: Path, row: str, message: str) -> None:
    """Whatever is not exactly as expected is refused with file and line."""
    (tmp_path / "reminders.csv").write_text(HEADER + row, encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=rf"reminders.csv:[23]: .*{message}"):
        load(tmp_path)
