"""The versions of a document, and which advance directives are in force, for whoever looks at them and wherever."""

from uuid import uuid4

from tests.api.spaces.record import (
    DIRECTIVES,
    GLASS,
    GRANTED,
    HOSPITAL,
    REPORT,
    STRANGER,
    TREATING,
    Record,
    refused,
)
from tests.api.whole import Json


async def three_versions(record: Record, **metadata: object) -> list[str]:
    """The first one first; the last one written is dated before the others, and another document stands beside."""
    await record.deposit(HOSPITAL)
    first = await record.deposit(HOSPITAL, title="Un", **metadata)
    second = await record.deposit(HOSPITAL, title="Deux", replaces=first)
    return [
        first,
        second,
        await record.deposit(HOSPITAL, title="Trois", replaces=second, created_at="2026-01-01T00:00:00Z"),
    ]


def told(shown: list[Json]) -> list[tuple[str, int, str]]:
    return [(each["id"], each["version"], each["status"]) for each in shown]


async def test_versions_come_latest_first(record: Record) -> None:
    """Whichever is asked for; each as its own sheet shows it, and as one entry of the journal names them."""
    first, second, third = await three_versions(record)
    expected = [(third, 3, "current"), (second, 2, "superseded"), (first, 1, "superseded")]
    for named in (first, second, third):
        assert told(await record.versions(named, TREATING)) == expected
    shown = await record.versions(second, record.holder)
    entries = await record.journal()
    assert shown == [await record.sheet(each, record.holder) for each in (third, second, first)]
    assert shown[1]["may"] == ["document:read", "document:mask", "document:unmask"]
    assert [item["resource"]["id"] for item in entries[0]["items"]] == [third, second, first]
    assert [entry["action"] for entry in entries[:2]] == ["document:read", "document:read"]
    assert entries[0]["subject"]["id"] != entries[1]["subject"]["id"]


async def test_a_document_alone_is_its_only_version(record: Record) -> None:
    """The entry is that of any reading."""
    document = await record.deposit(HOSPITAL)
    assert told(await record.versions(document, TREATING)) == [(document, 1, "current")]
    (entry,) = (await record.journal())[:1]
    assert (entry["action"], entry["resource"]["id"], "items" in entry) == ("document:read", document, False)


async def test_versions_of_what_must_stay_unknown_are_an_absence(record: Record) -> None:
    """Masked, withheld, hidden, or of a stranger: as of a document that does not exist; each refusal is journaled."""
    masked = await record.deposit(HOSPITAL, masked=True)
    withheld = await record.deposit(HOSPITAL, withheld=True)
    hidden = await record.deposit(HOSPITAL, hidden_from_representatives=True)
    caregiver = await record.represented("caregiver")
    asked = ((masked, GRANTED), (withheld, record.holder), (hidden, caregiver), (hidden, STRANGER))
    for document, who in asked:
        answers = [await record.ask("GET", f"/v1/documents/{each}/versions", who) for each in (document, uuid4())]
        assert answers[0].content == answers[1].content
        assert refused(answers[0]) == (404, "no-document")
    decisions = [(entry["action"], entry["decision"]) for entry in await record.journal()]
    assert decisions[: len(asked)] == [("document:read", False)] * len(asked)


async def test_each_version_is_opened_by_the_rules_alone(record: Record) -> None:
    """One that was deleted is not listed; neither is one that is masked to an emergency, with all the others."""
    first, second, third = await three_versions(record)
    assert (await record.ask("DELETE", f"/v1/documents/{third}", HOSPITAL)).status_code == 204
    left = [(second, 2, "superseded"), (first, 1, "superseded")]
    assert told(await record.versions(first, STRANGER, GLASS)) == left
    assert refused(await record.ask("GET", f"/v1/documents/{third}/versions", TREATING)) == (404, "no-document")
    assert refused(await record.ask("GET", f"/v1/documents/{third}/versions", HOSPITAL)) == (403, "document-deleted")
    masked = await record.ask("PATCH", f"/v1/documents/{first}", record.holder, {"masked": True})
    assert masked.status_code == 204
    answer = await record.ask("GET", f"/v1/documents/{second}/versions", STRANGER, more=GLASS)
    assert refused(answer) == (404, "no-document")
    assert told(await record.versions(second, TREATING)) == left


async def test_versions_need_what_reading_needs(record: Record) -> None:
    """A card, and an open dossier; a document's id and nothing else."""
    document = await record.deposit(HOSPITAL)
    path = f"/v1/documents/{document}/versions"
    weak = await record.ask("GET", path, TREATING, more={"DMP-Authentication": ""})
    assert refused(weak) == (403, "weak-authentication")
    assert (await record.ask("GET", "/v1/documents/1/versions", TREATING)).status_code == 404
    await record.ask("PUT", record.path("/state"), record.holder, {"state": "closed"})
    assert refused(await record.ask("GET", path, record.holder)) == (403, "dossier-closed")


async def in_force(record: Record, documents: list[str]) -> list[bool | None]:
    """What is said of these, alike in the listing, on their sheets and among their versions, to all who may read."""
    said: list[list[bool | None]] = []
    for who, more in ((record.holder, None), (TREATING, None), (STRANGER, GLASS)):
        page = await record.told("GET", record.path("/documents"), who, more=more)
        listed = {each["id"]: each.get("in_force") for each in page["documents"]}
        said.append([listed[each] for each in documents])
        said.append([(await record.sheet(each, who, more)).get("in_force") for each in documents])
        among = [
            {one["id"]: one.get("in_force") for one in await record.versions(each, who, more)} for each in documents
        ]
        said.append([versions[each] for versions, each in zip(among, documents, strict=True)])
    assert said == [said[0]] * 9
    return said[0]


async def directives(record: Record, who: str, year: int, **more: object) -> str:
    return await record.deposit(who, document_type=DIRECTIVES, created_at=f"{year}-01-01T00:00:00Z", **more)


async def test_the_latest_current_directives_are_in_force(record: Record) -> None:
    """And the older ones say that they are not, to the holder, the treating physician and in an emergency."""
    report = await record.deposit(HOSPITAL, document_type=REPORT)
    first = await directives(record, record.holder, 2020)
    assert await in_force(record, [report, first]) == [None, True]
    second = await directives(record, record.holder, 2024, replaces=first)
    assert await in_force(record, [first, second]) == [False, True]
    older = await directives(record, record.holder, 2022)
    assert await in_force(record, [first, second, older]) == [False, True, False]
    await record.ask("PATCH", f"/v1/documents/{second}", record.holder, {"status": "archived"})
    assert await in_force(record, [first, second, older]) == [False, False, True]
    assert (await record.ask("DELETE", f"/v1/documents/{older}", record.holder)).status_code == 204
    assert await in_force(record, [first, second]) == [False, False]


async def test_a_representative_deposits_newer_ones(record: Record) -> None:
    """A child's parent may: those are in force, whoever wrote those before."""
    child = await Record.opened(record.dmp, born="2015-03-01")
    parent = await child.represented("legal_representative")
    older = await directives(child, TREATING, 2024)
    newer = await directives(child, parent, 2025)
    assert await in_force(child, [older, newer]) == [False, True]


async def test_directives_that_may_not_be_read_put_the_older_ones_out_of_force(record: Record) -> None:
    """Nobody acts on what the patient has revoked, though he does not learn what took its place."""
    older = await directives(record, record.holder, 2020)
    newer = await directives(record, record.holder, 2024, masked=True)
    assert (await record.sheet(older, STRANGER, GLASS))["in_force"] is False
    assert refused(await record.ask("GET", f"/v1/documents/{newer}", STRANGER, more=GLASS)) == (404, "no-document")
    assert [(await record.sheet(each, TREATING))["in_force"] for each in (older, newer)] == [False, True]
