"""Reminders: computed from age, sex, conditions and what the asker may read, and telling nothing else."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.services.reminders import of_age, of_sex
from models.reference import ReferenceDataError
from models.reference.reminders import REMINDERS, load
from models.vocabulary import Sex
from tests.api.whole import HOLDER, INS, NURSE, TREATING, Json, Whole

HEADER = "key,conditions,sex,from_age,to_age,codes,document_types,interval_months,text_fr,text_en,source,year\n"
ROW = "dtp,any,any,25,44,atc:J07CA,87273-9,240,Rappel,Booster,Ministère,2025\n"
STRUCTURED = "application/fhir+json"
TODAY = date(2026, 10, 15)
A_NURSE = f"professional/{NURSE}"
WOMAN_INS = "255081416802538"


async def reminders(dmp: Whole, who: str = HOLDER) -> dict[str, Json]:
    answer = await dmp.get("/reminders", who)
    assert answer.status_code == 200, answer.text
    return {each["rule"]: each for each in answer.json()["reminders"]}


def condition(code: str = "E11.9") -> bytes:
    """A structured condition, as a protocol of long-term illness carries it."""
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": code}
    subject = {"reference": "urn:uuid:5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11"}
    return json.dumps({"resourceType": "Condition", "code": {"coding": [coding]}, "subject": subject}).encode()


def vaccination(atc: str, day: str) -> bytes:
    """A structured vaccination."""
    return json.dumps(
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]},
            "patient": {"reference": "urn:uuid:5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11"},
            "occurrenceDateTime": day,
        }
    ).encode()


def act(day: str, code: str = "BGQP002") -> Json:
    """A line of the fund."""
    told = {"id": f"act-{day}", "ins": INS, "care_date": day, "code": code, "label": "Acte"}
    return told | {"amount": "28.29", "reimbursed": "19.80"}


@pytest.mark.parametrize(
    "born, rules",
    [
        ("2025-10-16", set()),
        ("2025-10-15", {"mmr"}),
        ("2023-10-15", {"mmr", "dental-examination"}),
        ("2012-10-15", {"mmr", "dtp-11", "hpv", "meningococcal-acwy", "dental-examination"}),
        ("2001-10-15", {"dtp-25"}),
        ("1981-10-15", {"dtp-45"}),
        ("1976-10-15", {"dtp-45", "colorectal-screening"}),
        ("1961-10-15", {"dtp-65", "influenza", "pneumococcal", "zoster", "colorectal-screening"}),
        ("1951-10-15", {"dtp-65", "influenza", "pneumococcal", "zoster", "rsv"}),
    ],
)
def test_age_decides_on_the_birthday(born: str, rules: set[str]) -> None:
    """From the day of one birthday until the eve of another; what needs a sex or a condition is left to these."""
    found = of_age(REMINDERS.values(), date.fromisoformat(born), TODAY)
    assert {rule.key for rule in found if not rule.conditions and not rule.sex} == rules


@pytest.mark.parametrize(
    "born, sex, rules",
    [
        ("2001-10-16", Sex.FEMALE, set()),
        ("2001-10-15", Sex.FEMALE, {"cervical-screening-25"}),
        ("1996-10-15", Sex.FEMALE, {"cervical-screening-30"}),
        ("1976-10-15", Sex.FEMALE, {"breast-screening", "cervical-screening-30"}),
        ("1976-10-15", Sex.MALE, set()),
        ("1976-10-15", None, set()),
    ],
)
def test_sex_decides_of_two_screenings(born: str, sex: Sex | None, rules: set[str]) -> None:
    """Where it is not known, nothing is guessed."""
    found = of_sex(of_age(REMINDERS.values(), date.fromisoformat(born), TODAY), sex)
    assert {rule.key for rule in found if rule.sex} == rules


async def test_the_sex_is_that_of_the_number(dmp: Whole) -> None:
    """It is stored nowhere but in the sealed number."""
    await dmp.learn({"kind": "dossier", "ins": WOMAN_INS, "state": "open", "born": "1970-01-01"})
    answer = await dmp.get("/reminders", f"person/{dmp.id_of(WOMAN_INS)}", WOMAN_INS)
    told = {each["rule"] for each in answer.json()["reminders"]}
    assert {"breast-screening", "cervical-screening-30"} <= told
    await dmp.learn({"kind": "dossier", "ins": INS, "state": "open", "born": "1970-01-01"})
    assert told - (await reminders(dmp)).keys() == {"breast-screening", "cervical-screening-30"}


async def test_each_reminder_names_its_source(dmp: Whole) -> None:
    """The holder is 66; nothing is in the dossier: all is due, in both languages, with source and year."""
    found = await reminders(dmp)
    assert list(found) == ["dtp-65", "influenza", "pneumococcal", "zoster", "colorectal-screening"]
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


async def test_an_act_of_the_right_code_settles_it(dmp: Whole) -> None:
    """A vaccination against influenza, for a year and against nothing else; the one before is told as the last."""
    await dmp.deposit(
        content=vaccination("J07BB02", "2025-10-14"),
        document_type="87273-9",
        content_type=STRUCTURED,
    )
    found = await reminders(dmp)
    assert (found["influenza"]["status"], found["influenza"]["last"]) == ("due", "2025-10-14")
    assert (found["zoster"]["status"], found["zoster"].get("last")) == ("due", None)
    await dmp.deposit(
        content=vaccination("J07BB02", "2025-10-15"),
        document_type="87273-9",
        content_type=STRUCTURED,
    )
    assert "influenza" not in await reminders(dmp)


async def test_a_diabetic_is_reminded_of_the_eye_fundus(dmp: Whole) -> None:
    """By a structured condition; an act that was reimbursed within the year settles it."""
    assert "eye-fundus" not in await reminders(dmp)
    protocol = await dmp.deposit(content=condition(), document_type="PROT_ALD", content_type=STRUCTURED)
    found = await reminders(dmp, TREATING)
    assert (found["eye-fundus"]["status"], found["eye-fundus"]["grounds"]) == ("due", [protocol])
    await dmp.feed("reimbursements", [act("2025-10-14")])
    assert (await reminders(dmp))["eye-fundus"]["last"] == "2025-10-14"
    await dmp.feed("reimbursements", [act("2025-10-15", "BGQP007")])
    assert "eye-fundus" not in await reminders(dmp)


@pytest.mark.parametrize("code", ["I10", "E66.0"])
async def test_another_condition_calls_for_nothing(dmp: Whole, code: str) -> None:
    """Nor does a protocol that is not structured, of which nobody knows what it is for."""
    await dmp.deposit(content=condition(code), document_type="PROT_ALD", content_type=STRUCTURED)
    await dmp.deposit(document_type="PROT_ALD")
    assert "eye-fundus" not in await reminders(dmp)


async def test_a_masked_protocol_reminds_nobody_else(dmp: Whole) -> None:
    """The nurse is told nothing of a condition that is hidden from her; the holder and his physician still are."""
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    before = await reminders(dmp, A_NURSE)
    protocol = await dmp.deposit(content=condition(), document_type="PROT_ALD", content_type=STRUCTURED)
    assert "eye-fundus" in await reminders(dmp, A_NURSE)
    await dmp.change(protocol, masked=True)
    assert await reminders(dmp, A_NURSE) == before
    assert "eye-fundus" in await reminders(dmp, TREATING)
    assert "eye-fundus" in await reminders(dmp)


async def test_a_withheld_protocol_does_not_remind_the_holder(dmp: Whole) -> None:
    """Until it is revealed; his physician is reminded before."""
    protocol = await dmp.deposit(content=condition(), document_type="PROT_ALD", content_type=STRUCTURED, withheld=True)
    assert "eye-fundus" not in await reminders(dmp)
    assert "eye-fundus" in await reminders(dmp, TREATING)
    await dmp.change(protocol, TREATING, withheld=False)
    assert "eye-fundus" in await reminders(dmp)


async def test_a_masked_act_settles_nothing_for_who_may_not_read_it(dmp: Whole) -> None:
    """The nurse's answer is that of a dossier without the act."""
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    note = await dmp.deposit(
        content=vaccination("J07BB02", "2026-10-01"),
        document_type="87273-9",
        content_type=STRUCTURED,
    )
    assert "influenza" not in await reminders(dmp, A_NURSE)
    await dmp.change(note, masked=True)
    found = await reminders(dmp, A_NURSE)
    assert (found["influenza"]["status"], found["influenza"]["documents"]) == ("due", [])
    assert "influenza" not in await reminders(dmp)


async def test_what_the_asker_may_not_read_changes_nothing(dmp: Whole) -> None:
    """A nurse's answer is the same with a masked note as without one; the holder's names it."""
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    before = await reminders(dmp, A_NURSE)
    note = await dmp.deposit(document_type="87273-9")
    assert (await reminders(dmp, A_NURSE))["influenza"]["documents"] == [note]
    await dmp.change(note, masked=True)
    assert await reminders(dmp, A_NURSE) == before
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
        (ROW.replace("87273-9", "none 87273-9"), "each once"),
        (ROW.replace("87273-9", "00000-0"), "types of document"),
        (ROW.replace("atc:J07CA", "J07CA"), "'J07CA' is no CodeSystem"),
        (ROW.replace("atc:J07CA", "atc:j07"), "'j07' is no code of atc"),
        (ROW.replace("atc:J07CA", "ccam:J07CA"), "'J07CA' is no code of ccam"),
        (ROW.replace("dtp,any", "dtp,diabetes"), "'diabetes' is no code of icd10"),
        (ROW.replace("any,any", "any,both"), "'both' is no Sex"),
        (ROW.replace("atc:J07CA", "none").replace("87273-9", "none"), "nothing would ever settle it"),
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
