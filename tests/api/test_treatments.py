"""Treatments in one line of time: a view of documents, with nothing that the asker may not read."""

import pytest

from tests.api.whole import FUND, HOLDER, INS, NURSE, PHARMACY, TREATING, Json, Whole


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
