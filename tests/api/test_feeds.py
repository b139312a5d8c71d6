"""The fund's feeds: every line answered on its own, and entered once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from api.services.feeds import BATCH
from models.tables import dossier_key
from tests.api.service import bearer
from tests.api.whole import (
    FUND,
    FUND_KEY,
    HOLDER,
    INS,
    KEY,
    NOBODY_INS,
    NURSE,
    OTHER_FUND_KEY,
    OTHER_INS,
    PHARMACY_KEY,
    PHYSICIAN,
    UNKNOWN_RPPS,
    Json,
    Whole,
)
from vault.journal.entry import NO_DOSSIER

DENTIST_LINE: Json = {
    "id": "l-1",
    "ins": INS,
    "care_date": "2026-10-01",
    "code": "HBQK002",
    "label": "Radiographie panoramique",
    "amount": "21.28",
    "reimbursed": 14.9,
}


def line(identity: str, **told: object) -> Json:
    return DENTIST_LINE | {"id": identity} | told


def declared(identity: str, **told: object) -> Json:
    return {"id": identity, "ins": INS, "professional": NURSE} | told


async def months(dmp: Whole, *, current: bool = True) -> list[Json]:
    """The documents of reimbursements as the holder sees them, newest first."""
    listed = (await dmp.get("/documents?space=reimbursements")).json()["documents"]
    return [document for document in listed if not current or document["status"] == "current"]


async def content_of(dmp: Whole, document: Json) -> Json:
    answer = await dmp.http.get(f"/v1/documents/{document['id']}/content", headers=dmp.headers(HOLDER))
    content: Json = answer.json()
    return content


def outcomes(results: list[Json]) -> list[tuple[object, ...]]:
    return [(each["line"], each["id"], each.get("reason", "ok")) for each in results]


async def test_one_document_for_each_month_dated_by_its_last_care(dmp: Whole) -> None:
    """Written by the fund, readable by the holder, amounts exact; the INS is not in it."""
    results = await dmp.feed(
        "reimbursements",
        [line("a", care_date="2026-09-30"), line("b", care_date="2026-09-02", prescriber=PHYSICIAN), line("c")],
    )
    assert results == [{"id": each, "line": number, "ok": True} for number, each in enumerate("abc", 1)]
    october, september = await months(dmp)
    assert [each["created_at"] for each in (october, september)] == ["2026-10-01T00:00:00Z", "2026-09-30T00:00:00Z"]
    assert september["author"] == {"type": "organization", "id": FUND}
    content = await content_of(dmp, september)
    assert content["month"] == "2026-09"
    assert [told["id"] for told in content["lines"]] == ["b", "a"]
    assert content["lines"][0] == {
        "id": "b",
        "care_date": "2026-09-02",
        "code": "HBQK002",
        "label": "Radiographie panoramique",
        "amount": "21.28",
        "reimbursed": "14.90",
        "prescriber": PHYSICIAN,
    }


async def test_a_month_that_grows_is_replaced(dmp: Whole) -> None:
    """The next version holds all its lines and is masked like the one before."""
    await dmp.feed("reimbursements", [line("a")])
    (before,) = await months(dmp)
    await dmp.change(before["id"], masked=True)
    await dmp.feed("reimbursements", [line("b", care_date="2026-10-03")])
    (after,) = await months(dmp)
    assert (after["series"], after["version"], after["masked"]) == (before["series"], 2, True)
    assert after["created_at"] == "2026-10-03T00:00:00Z"
    assert [told["id"] for told in (await content_of(dmp, after))["lines"]] == ["a", "b"]


async def test_a_line_stands_once(dmp: Whole) -> None:
    """Sent twice in one request and once more in another, it makes no second line and no second version."""
    first = await dmp.feed("reimbursements", [line("a"), line("a")])
    second = await dmp.feed("reimbursements", [line("a")])
    assert {each["ok"] for each in first + second} == {True}
    (document,) = await months(dmp, current=False)
    assert (document["version"], len((await content_of(dmp, document))["lines"])) == (1, 1)


async def test_an_id_stands_for_one_line(dmp: Whole) -> None:
    """Another line under the same id is refused, and changes nothing."""
    results = await dmp.feed("reimbursements", [line("a"), line("a", amount="99.00"), line("b")])
    assert outcomes(results) == [(1, "a", "ok"), (2, "a", "conflict"), (3, "b", "ok")]
    (document,) = await months(dmp)
    assert [told["amount"] for told in (await content_of(dmp, document))["lines"]] == ["21.28", "21.28"]


async def test_a_bad_line_is_refused_alone(dmp: Whole) -> None:
    """With its number and a reason that repeats nothing of it; the others are entered, blank lines passed over."""
    results = await dmp.feed(
        "reimbursements",
        [
            line("good"),
            b"",
            b"not json",
            line("extra", who="?"),
            line("code", code="lower"),
            line("amount", amount="1.234"),
            line("huge", amount="1e400"),
            line("future", care_date="2026-10-16"),
            line("prescriber", prescriber="10001234560"),
            line("ins", ins="185057800608492"),
            line("long", label="x" * 20_000),
            line("today", care_date="2026-10-15"),
        ],
    )
    assert outcomes(results) == [
        (1, "good", "ok"),
        (3, None, "malformed"),
        (4, "extra", "malformed"),
        (5, "code", "vocabulary"),
        (6, "amount", "malformed"),
        (7, "huge", "malformed"),
        (8, "future", "malformed"),
        (9, "prescriber", "identifier"),
        (10, "ins", "identifier"),
        (11, None, "malformed"),
        (12, "today", "ok"),
    ]
    told = " ".join(each.get("error", "") for each in results)
    assert not [word for word in ("18505", "10001234560", "lower", "1.234") if word in told]
    (document,) = await months(dmp)
    assert len((await content_of(dmp, document))["lines"]) == 2


async def test_care_that_would_be_out_of_view_at_once_is_refused(dmp: Whole) -> None:
    """From the day on which it is 24 calendar months ago, as the rule that hides it counts; the others are entered."""
    days = ["2024-10-16", "2024-10-15", "2024-10-14", "2026-10-14"]
    results = await dmp.feed("reimbursements", [line(day, care_date=day) for day in days])
    assert [each.get("reason") for each in results] == [None, "reimbursement-expired", "reimbursement-expired", None]
    assert [each["created_at"][:10] for each in await months(dmp)] == ["2026-10-14", "2024-10-16"]
    dmp.clock.now += timedelta(days=1)
    assert outcomes(await dmp.feed("reimbursements", [line("2024-10-16", care_date="2024-10-16")])) == [
        (1, "2024-10-16", "reimbursement-expired")
    ]
    assert len(await months(dmp)) == 1


@pytest.mark.parametrize("feed", ["reimbursements", "treating-physicians"])
async def test_nothing_is_kept_of_people_without_a_dossier(dmp: Whole, feed: str) -> None:
    """Each line is refused alone; the journal says how many there were, and not about whom."""
    make = line if feed == "reimbursements" else declared
    results = await dmp.feed(feed, [make("a", ins=NOBODY_INS), make("b"), make("c", ins=NOBODY_INS)])
    assert outcomes(results) == [(1, "a", "no-dossier"), (2, "b", "ok"), (3, "c", "no-dossier")]
    entries = await dmp.entries()
    assert not [entry for entry in entries if dmp.id_of(NOBODY_INS).encode() in entry.encode()]
    (refused,) = [entry for entry in entries if not entry.allowed]
    assert (refused.dossier, dict(refused.change)) == (NO_DOSSIER, {"lines": "2"})


async def test_one_entry_for_each_dossier_of_a_batch(dmp: Whole) -> None:
    """Whatever the number of its lines; replacing names the document that is replaced."""
    await dmp.feed("reimbursements", [line("a"), line("b"), line("c", ins=OTHER_INS), line("d")])
    (opened,) = await months(dmp)
    await dmp.feed("reimbursements", [line("e")])
    replaced, entered = [each for each in await dmp.journal() if each["client"] == "fund"]
    assert (entered["action"], entered["rule"], entered["change"]) == (
        "document:deposit",
        "fund",
        {"document_type": "REMB", "months": "2026-10"},
    )
    assert [(item["action"], item["resource"]["id"], item["rule"]) for item in replaced["items"]] == [
        ("document:deposit", dmp.id_of(), "fund"),
        ("document:replace", opened["id"], "author"),
    ]


@pytest.mark.parametrize("feed", ["reimbursements", "treating-physicians"])
async def test_a_closed_dossier_takes_nothing(dmp: Whole, feed: str) -> None:
    """Its lines are refused by the rule, which the journal says."""
    make = line if feed == "reimbursements" else declared
    await dmp.http.put(dmp.path("/state"), json={"state": "closed"}, headers=dmp.headers(HOLDER))
    assert outcomes(await dmp.feed(feed, [make("a")])) == [(1, "a", "dossier-closed")]
    entry = (await dmp.journal())[0]
    assert (entry["decision"], entry["rule"], entry["subject"]["id"]) == (False, "dossier-closed", FUND)


async def test_a_fund_does_not_touch_anothers_month(dmp: Whole) -> None:
    """Two funds have two documents."""
    await dmp.feed("reimbursements", [line("a")])
    await dmp.feed("reimbursements", [line("a")], OTHER_FUND_KEY)
    documents = await months(dmp)
    assert len({each["author"]["id"] for each in documents}) == len(documents) == 2


async def test_what_the_fund_archived_or_deleted_is_not_written_again(dmp: Whole) -> None:
    """Archived: the rule refuses. Deleted: it stays deleted."""
    await dmp.feed("reimbursements", [line("a"), line("b", care_date="2026-09-01")])
    october, september = await months(dmp)
    fund = f"organization/{FUND}"
    await dmp.change(october["id"], fund, status="archived")
    deleted = await dmp.http.delete(f"/v1/documents/{september['id']}", headers=dmp.headers(fund))
    assert deleted.status_code == 204
    results = await dmp.feed("reimbursements", [line("c")])
    results += await dmp.feed("reimbursements", [line("d", care_date="2026-09-02")])
    assert [each["reason"] for each in results] == ["archived", "conflict"]


async def test_what_does_not_open_is_not_replaced(dmp: Whole) -> None:
    """Its lines are refused alone, and the journal says why."""
    await dmp.feed("reimbursements", [line("a")])
    (document,) = await months(dmp)
    await dmp.tamper(document["id"])
    results = await dmp.feed("reimbursements", [line("b"), line("c", care_date="2026-09-01")])
    assert outcomes(results) == [(1, "b", "seal-broken"), (2, "c", "ok")]
    items = (await dmp.journal())[0]["items"]
    assert [(item["action"], item["decision"], item["rule"]) for item in items] == [
        ("document:deposit", True, "fund"),
        ("document:replace", False, "seal-broken"),
    ]


async def test_two_feeds_at_once_make_one_document(dmp: Whole) -> None:
    """Whoever comes second looks again, in each dossier; no line is lost."""
    feeds = [[line(f"{name}-{ins}", ins=ins) for ins in (OTHER_INS, INS)] for name in ("a", "b")]
    results = await asyncio.gather(*(dmp.feed("reimbursements", lines) for lines in feeds))
    (document,) = await months(dmp)
    entered = {told["id"] for told in (await content_of(dmp, document))["lines"]}
    assert ([each["ok"] for result in results for each in result], entered) == ([True] * 4, {f"a-{INS}", f"b-{INS}"})
    assert list(await dmp.database.read("SELECT 1 FROM pending_object")) == []


async def test_a_dossier_that_does_not_open_refuses_its_own_lines(dmp: Whole) -> None:
    """Of those that are entered together, one whose key was altered; the journal says why."""
    async with dmp.database.begin() as connection:
        altered = update(dossier_key).where(dossier_key.c.dossier == UUID(dmp.id_of())).values(wrapped=b"x" * 60)
        await connection.execute(altered)
    results = await dmp.feed("reimbursements", [line("a"), line("b", ins=OTHER_INS), line("c")])
    assert outcomes(results) == [(1, "a", "seal-broken"), (2, "b", "ok"), (3, "c", "seal-broken")]
    refused = [entry for entry in await dmp.entries() if not entry.allowed]
    assert [(str(entry.dossier), entry.action, entry.rule) for entry in refused] == [
        (dmp.id_of(), "document:deposit", "seal-broken")
    ]


async def test_a_feed_stops_where_the_store_does(dmp: Whole) -> None:
    """What could not be entered has no result, and is sent again; nothing is left of it."""
    (dmp.home / "vault" / "incoming").rename(dmp.home / "away")
    assert (await dmp.send("reimbursements", [line("a"), line("b", ins=OTHER_INS)])).status_code == 503
    (dmp.home / "away").rename(dmp.home / "vault" / "incoming")
    results = await dmp.feed("reimbursements", [line("a"), line("b", ins=OTHER_INS)])
    assert outcomes(results) == [(1, "a", "ok"), (2, "b", "ok")]
    (document,) = await months(dmp)
    assert document["version"] == 1


async def test_a_declaration_that_comes_twice_at_once_counts_once(dmp: Whole) -> None:
    """Whoever comes second finds that it is told; all are answered."""
    lines = [declared("t-1"), declared("t-2", ins=OTHER_INS)]
    results = await asyncio.gather(*(dmp.feed("treating-physicians", lines) for _ in range(3)))
    assert [each["ok"] for result in results for each in result] == [True] * 6
    declarations = [entry for entry in await dmp.entries() if entry.change.get("relation")]
    assert len(declarations) == 2


async def test_more_lines_than_a_batch_are_answered_in_order(dmp: Whole) -> None:
    """And what a batch entered is there for the next."""
    lines = [line(f"l-{number}", care_date=f"2026-10-{number % 15 + 1:02}") for number in range(BATCH + 1)]
    results = await dmp.feed("reimbursements", lines)
    assert [(each["id"], each["ok"]) for each in results] == [(each["id"], True) for each in lines]
    (document,) = await months(dmp)
    assert (document["version"], len((await content_of(dmp, document))["lines"])) == (2, BATCH + 1)


async def test_a_treating_physician_declared_to_the_fund_is_the_dossiers(dmp: Whole) -> None:
    """He reads from then on; the journal names him, and the fund."""
    await dmp.learn({"kind": "professional", "rpps": UNKNOWN_RPPS, "profession": "physician", "organizations": []})
    physician = f"professional/{UNKNOWN_RPPS}"
    before = (await dmp.get("/documents", physician)).status_code
    results = await dmp.feed("treating-physicians", [declared("t-1", professional=UNKNOWN_RPPS)])
    assert results == [{"id": "t-1", "line": 1, "ok": True}]
    entry = (await dmp.journal())[0]
    assert (entry["subject"]["id"], entry["action"], entry["rule"]) == (FUND, "treating_physician:declare", "fund")
    assert entry["change"] == {"party": physician, "relation": "treating_physician"}
    assert (before, (await dmp.get("/documents", physician)).status_code) == (403, 200)


async def test_a_declaration_counts_once(dmp: Whole) -> None:
    """A line that comes again does not bring back a relation that was ended meanwhile; a new line does."""
    await dmp.feed("treating-physicians", [declared("t-1")])
    ending = await dmp.http.delete(dmp.path(f"/treating-physicians/{NURSE}"), headers=dmp.headers(HOLDER))
    assert ending.status_code == 204
    assert outcomes(await dmp.feed("treating-physicians", [declared("t-1")])) == [(1, "t-1", "ok")]
    assert NURSE not in (await dmp.get("/accesses")).text
    await dmp.feed("treating-physicians", [declared("t-2")])
    assert NURSE in (await dmp.get("/accesses")).text


async def test_an_id_declares_one_physician(dmp: Whole) -> None:
    """In one request and across two; a wrong RPPS is refused alone."""
    results = await dmp.feed(
        "treating-physicians",
        [
            declared("t-1"),
            declared("t-1", professional=UNKNOWN_RPPS),
            declared("t-2", professional="1"),
            declared("t-1"),
        ],
    )
    results += await dmp.feed("treating-physicians", [declared("t-1", professional=UNKNOWN_RPPS)])
    assert [each.get("reason") for each in results] == [None, "conflict", "identifier", None, "conflict"]
    assert UNKNOWN_RPPS not in (await dmp.get("/accesses")).text


@pytest.mark.parametrize("feed", ["reimbursements", "treating-physicians"])
@pytest.mark.parametrize("key", [KEY, PHARMACY_KEY])
async def test_only_a_client_tied_to_a_fund_feeds(dmp: Whole, feed: str, key: str) -> None:
    """One tied to nothing or to a pharmacy is refused before a line is read."""
    answer = await dmp.send(feed, [line("a")], key)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:problem-type:dmp:forbidden")


async def test_a_feed_is_said_to_be_one(dmp: Whole) -> None:
    """Any other type of body is 400; an empty feed has no results."""
    wrong = await dmp.http.post("/v1/feeds/reimbursements", json={}, headers=bearer(FUND_KEY))
    assert (wrong.status_code, await dmp.feed("reimbursements", [])) == (400, [])
