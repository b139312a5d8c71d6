"""Treatments in one line of time: a view of documents, with nothing that the asker may not read."""

import pytest

from models.reference.interactions import COVERAGE
from tests.api.whole import FUND, HOLDER, INS, NURSE, PHARMACY, TREATING, Json, Whole
from tests.doubles import fhir


async def lines(dmp: Whole, who: str = HOLDER, query: str = "") -> list[Json]:
    answer = await dmp.get(f"/treatments{query}", who)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["lines"]
    return found


async def test_one_line_of_time(dmp: Whole) -> None:
    """Prescriptions, dispensations, what was administered and what was reimbursed, newest first; no reports."""
    await dmp.deposit(document_type="11488-4", created_at="2026-10-05T08:00:00Z")
    for document_type, day in (("57833-6", 1), ("87273-9", 4)):
        await dmp.deposit(document_type=document_type, created_at=f"2026-10-{day:02}T08:00:00Z")
    for author, document_type, day in ((PHARMACY, "60593-1", 2), (FUND, "REMB", 3)):
        await dmp.deposit(
            f"organization/{author}", document_type=document_type, created_at=f"2026-10-{day:02}T08:00:00Z"
        )
    assert [(line["at"], line["kind"]) for line in await lines(dmp)] == [
        ("2026-10-04T08:00:00Z", "administered_treatment"),
        ("2026-10-03T08:00:00Z", "reimbursement"),
        ("2026-10-02T08:00:00Z", "dispensation"),
        ("2026-10-01T08:00:00Z", "prescription"),
    ]


async def test_a_line_is_the_document_with_what_may_be_done(dmp: Whole) -> None:
    """As the listing shows it."""
    document = await dmp.deposit(document_type="57833-6", title="Ordonnance")
    (line,) = await lines(dmp)
    (listed,) = (await dmp.get("/documents")).json()["documents"]
    assert line["document"] == listed
    assert (line["document"]["id"], line["document"]["title"]) == (document, "Ordonnance")


async def test_past_versions_are_not_in_the_line(dmp: Whole) -> None:
    """One treatment stands there once."""
    first = await dmp.deposit(document_type="57833-6")
    second = await dmp.deposit(document_type="57833-6", replaces=first)
    assert [line["document"]["id"] for line in await lines(dmp)] == [second]


async def test_a_masked_treatment_is_nobodys_but_who_may_read_it(dmp: Whole) -> None:
    """A granted nurse loses it, the holder keeps it."""
    nurse = f"professional/{NURSE}"
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    document = await dmp.deposit(document_type="57833-6")
    seen = len(await lines(dmp, nurse))
    await dmp.change(document, masked=True)
    assert (seen, len(await lines(dmp, nurse)), len(await lines(dmp))) == (1, 0, 1)


async def test_pages_and_their_entries(dmp: Whole) -> None:
    """Each page is one entry that names its lines."""
    older = await dmp.deposit(document_type="57833-6", created_at="2026-09-01T08:00:00Z")
    newer = await dmp.deposit(document_type="57833-6", created_at="2026-10-01T08:00:00Z")
    first = (await dmp.get("/treatments?limit=1", TREATING)).json()
    second = (await dmp.get(f"/treatments?limit=1&after={first['next']}", TREATING)).json()
    assert [page["lines"][0]["document"]["id"] for page in (first, second)] == [newer, older]
    assert second["next"] is None
    entries = (await dmp.journal())[:2]
    assert [[item["resource"]["id"] for item in entry["items"]] for entry in entries] == [
        [dmp.id_of(), older],
        [dmp.id_of(), newer],
    ]


@pytest.mark.parametrize("who", [f"professional/{NURSE}", f"organization/{PHARMACY}"])
async def test_who_may_not_list_sees_no_treatment(dmp: Whole, who: str) -> None:
    """Whoever deposits does not read for that."""
    answer = await dmp.get("/treatments", who)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not-permitted")
    assert [(entry["action"], entry["decision"]) for entry in (await dmp.journal())[:1]] == [("document:list", False)]


async def structured(dmp: Whole, resource: fhir.Json, who: str = TREATING, **metadata: object) -> str:
    told = {"content_type": fhir.CONTENT_TYPE, "document_type": "57833-6"} | metadata
    return await dmp.deposit(who, fhir.encoded(resource), **told)


async def pages(dmp: Whole, who: str = HOLDER, query: str = "") -> Json:
    answer = await dmp.get(f"/treatments{query}", who)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


async def grant_nurse(dmp: Whole) -> str:
    await dmp.learn({"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"})
    return f"professional/{NURSE}"


async def test_structured_documents_tell_their_medicines(dmp: Whole) -> None:
    """Prescriptions, dispensations, vaccinations and reimbursed packages with code and days; others as themselves."""
    await structured(dmp, fhir.request("N02BE01", "2026-10-01", "2026-10-10"), created_at="2026-10-04T08:00:00Z")
    dispensation, pharmacy = fhir.dispense("N02BE01", "2026-10-02", 8), f"organization/{PHARMACY}"
    await structured(dmp, dispensation, pharmacy, document_type="60593-1", created_at="2026-10-03T08:00:00Z")
    await structured(dmp, fhir.vaccination("J07BB02", "2026-10-01"), document_type="87273-9")
    await dmp.deposit(document_type="57833-6", created_at="2026-09-01T08:00:00Z")
    line = {"id": "1", "ins": INS, "care_date": "2026-08-01", "amount": 2.18, "reimbursed": 1.42}
    package = line | {"code": "3400935955838", "label": "Doliprane 1000 mg"}
    act = line | {"id": "2", "code": "C", "label": "Consultation"}
    assert all(each["ok"] for each in await dmp.feed("reimbursements", [package, act]))
    told = [
        [(each["kind"], each["begins"], each["ends"], [code["code"] for code in each["codes"]]) for each in medicines]
        for medicines in (line["medicines"] for line in await lines(dmp))
    ]
    assert told == [
        [("prescription", "2026-10-01", "2026-10-10", ["N02BE01"])],
        [("dispensation", "2026-10-02", "2026-10-09", ["N02BE01"])],
        [("administered_treatment", "2026-10-01", "2026-10-01", ["J07BB02"])],
        [],
        [("reimbursement", "2026-08-01", None, ["N02BE01", "3400935955838"])],
    ]


async def test_what_is_pointed_out(dmp: Whole) -> None:
    """A substance twice, a known interaction, and on what both rest; the table says how little it knows."""
    one = await structured(dmp, fhir.request("M04AC01", "2026-10-01", "2026-10-20"))
    other = await structured(dmp, fhir.request("M04AC01", "2026-10-10", "2026-10-30", requester=fhir.by(NURSE)))
    third = await structured(dmp, fhir.request("J01FA09", "2026-10-15", "2026-10-18"))
    await dmp.deposit(document_type="57833-6")
    page = await pages(dmp, TREATING)
    days = {"begins": "2026-10-10", "ends": "2026-10-20", "presumed": False}
    (repeated,) = page["repeated"]
    assert {name: repeated["overlap"][name] for name in days} == days
    assert (repeated["atc"], repeated["level"], repeated["labels"]) == ("M04AC01", 5, ["M04AC01"])
    assert set(repeated["overlap"]["documents"]) == {one, other}
    (interaction,) = page["interactions"]
    assert set(interaction["overlap"]["documents"]) == {one, other, third}
    assert (interaction["level"], interaction["text"]["fr"]) == ("contraindicated", "Contre-indication")
    assert interaction["source"] == {"name": "ANSM, Thesaurus des interactions médicamenteuses", "year": 2020}
    coverage = {"pairs": COVERAGE.pairs, "codes": COVERAGE.codes, "sources": [interaction["source"]]}
    assert page["examined"] == {"documents": 4, "unstructured": 1, "complete": True, "interactions": coverage}


async def test_what_is_masked_hints_at_nothing(dmp: Whole) -> None:
    """A nurse's answer is the same with a masked prescription as without one; the treating physician sees it."""
    nurse = await grant_nurse(dmp)
    await structured(dmp, fhir.request("M04AC01", "2026-10-01", "2026-10-20"))
    await pages(dmp, nurse)  # of the first reading the patient is notified, which the lines say
    before = await pages(dmp, nurse)
    masked = await structured(dmp, fhir.bundle(
        fhir.request("J01FA09", "2026-10-01", "2026-10-20", requester=fhir.by(NURSE)),
        fhir.request("M04AC01", "2026-10-01", "2026-10-20", requester=fhir.by(NURSE)),
    ))  # fmt: skip
    seen = await pages(dmp, nurse)
    assert (len(seen["repeated"]), len(seen["interactions"])) == (1, 1)
    await dmp.change(masked, masked=True)
    assert await pages(dmp, nurse) == before
    page = await pages(dmp, TREATING)
    assert (len(page["repeated"]), len(page["interactions"])) == (1, 1)


async def test_what_is_withheld_hints_at_nothing(dmp: Whole) -> None:
    """Nor for the patient, until it is revealed."""
    await structured(dmp, fhir.request("M04AC01", "2026-10-01", "2026-10-20"))
    await structured(dmp, fhir.request("J01FA09", "2026-10-01", "2026-10-20"), withheld=True)
    assert (await pages(dmp))["interactions"] == []
    assert len((await pages(dmp, TREATING))["interactions"]) == 1


async def test_the_whole_is_examined_with_the_first_page(dmp: Whole) -> None:
    """Whatever the page shows; its entry names what was read for it, and the next pages do not say it again."""
    old = await structured(dmp, fhir.request("M04AC01", "2026-09-20", "2026-10-20"), created_at="2026-09-20T08:00:00Z")
    plain = await dmp.deposit(document_type="57833-6", created_at="2026-09-25T08:00:00Z")
    new = await structured(dmp, fhir.request("J01FA09", "2026-10-01", "2026-10-20"))
    first = await pages(dmp, TREATING, "?limit=1")
    assert [line["document"]["id"] for line in first["lines"]] == [new]
    assert len(first["interactions"]) == 1
    second = await pages(dmp, TREATING, f"?limit=1&after={first['next']}")
    third = await pages(dmp, TREATING, f"?limit=1&after={second['next']}")
    assert [page["lines"][0]["document"]["id"] for page in (second, third)] == [plain, old]
    assert [page[name] for page in (second, third) for name in ("repeated", "interactions", "examined")] == [None] * 6
    assert third["next"] is None
    named = [[item["resource"]["id"] for item in entry["items"]] for entry in (await dmp.journal())[:3]]
    assert named == [[dmp.id_of(), old], [dmp.id_of(), plain], [dmp.id_of(), new, old]]


async def test_what_does_not_open_is_written_down(dmp: Whole) -> None:
    """It stands in the line for itself; the journal has what was permitted and gave nothing, once."""
    broken = await structured(dmp, fhir.request("M04AC01", "2026-10-01", "2026-10-20"))
    await structured(dmp, fhir.request("J01FA09", "2026-10-01", "2026-10-20"), created_at="2026-10-05T08:00:00Z")
    await dmp.tamper(broken)
    page = await pages(dmp, TREATING)
    assert [len(line["medicines"]) for line in page["lines"]] == [1, 0]
    assert (page["interactions"], page["examined"]["unstructured"]) == ([], 1)
    told = [(each["rule"], each["decision"]) for each in await dmp.journal()][:3]
    assert [each for each in told if each[0] == "seal-broken"] == [("seal-broken", False)]
