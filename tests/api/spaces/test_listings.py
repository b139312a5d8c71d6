"""Listings narrowed and ordered, titles searched: never more than may be read, and nothing of what may not."""

from uuid import uuid4

import jsonschema
import pytest

from tests.api.spaces.record import (
    ANALYSIS,
    GRANTED,
    HOSPITAL,
    LABORATORY,
    NOTE,
    REPORT,
    STRANGER,
    TREATING,
    Record,
    refused,
)
from tests.api.whole import PHYSICIAN, Json

DOCUMENTS, SEARCH = "/documents", "/documents/search"
NARROWINGS = (
    "",
    "?order=oldest",
    "?limit=2",
    "?limit=2&order=oldest",
    f"?type={REPORT}&type={ANALYSIS}",
    "?space=analyses",
    f"?author={HOSPITAL}",
    "?from=2026-02-01&to=2026-11-01",
)
WORDS = ({"title": "echo"}, {"title": "compte", "limit": 1}, {"title": "compte", "order": "oldest", "limit": 2})

REFUSED_FILTERS = (
    ("space=attic", "There is no such space."),
    ("type=x", "The filter type is one of the DMP's document types."),
    (f"type={REPORT}&type=", "The filter type is one of the DMP's document types."),
    ("author=staff/sec-1", "The filter author is professional/ with an RPPS"),
    ("author=professional/10000000018", "The filter author is professional/ with an RPPS"),
    ("author=10001234565", "The filter author is professional/ with an RPPS"),
    ("author=person/1", "The filter author is professional/ with an RPPS"),
    ("from=yesterday", "The filter from is a day, such as 2026-10-01"),
    ("from=2026-02-30", "The filter from is a day, such as 2026-10-01"),
    ("to=2026-10-01T08:00:00", "The filter to is a day, such as 2026-10-01"),
    ("to=9999-12-31", "The filter to is a day, such as 2026-10-01"),
    ("from=0001-01-01T00:00:00%2B02:00", "An instant is not before the year 1"),
    ("from=2026-10-02&to=2026-10-01", "The period is empty: from is not before to."),
    ("order=upwards", "The order is newest or oldest."),
    ("limit=0", "The parameter limit is a number from 1 to 1000."),
    ("sapce=reports", "A listing has the parameters after, author, from, limit, order, space, to, type"),
    ("title=secret", "Titles are searched by POST .../documents/search"),
    ("limit=1&limit=2", "Of the parameters of a listing only type may stand twice."),
)
FOUND: tuple[tuple[str, list[int]], ...] = (
    ("echographie", [0]),
    ("ECHO", [3, 0]),
    ("gauche échog", [0]),
    ("cote", [0]),
    ("oedeme", [3]),
    ("ŒDÈME", [3]),
    ("doppler:", [3]),
    ("graphie", []),
    ("echo droite", []),
    ("note", [4]),
)
"""Titles sought, and which of `filled` have them."""
REFUSED_SEARCHES: tuple[tuple[Json, str], ...] = (
    ({}, "The member title is missing."),
    ({"title": ""}, "The member title has a value that is not allowed."),
    ({"title": "x" * 201}, "The member title has a value that is not allowed."),
    ({"title": " -- "}, "The member title has no letter or digit in it."),
    ({"title": "x", "space": "attic"}, "There is no such space."),
    ({"title": "x", "type": "REMB"}, "The member type must be an array."),
    ({"title": "x", "limit": 0}, "The member limit has a value that is not allowed."),
    ({"title": "x", "after": "x"}, "This is not a place in a listing of this order"),
    ({"title": "x", "words": []}, "The body has a member that this service does not know."),
)


async def filled(record: Record) -> list[str]:
    """Five documents, oldest first: three reports, an analysis, a note of the patient."""
    return [
        await record.deposit(HOSPITAL, created_at="2026-01-15T10:00:00Z", title="Échographie du côté gauche"),
        await record.deposit(TREATING, created_at="2026-02-15T10:00:00Z", title="Compte rendu"),
        await record.deposit(LABORATORY, created_at="2026-03-15T10:00:00Z", document_type=ANALYSIS, title="Ionogramme"),
        await record.deposit(HOSPITAL, created_at="2026-03-31T22:30:00Z", title="Écho-doppler : œdème"),
        await record.deposit(record.holder, created_at="2026-05-15T10:00:00Z", document_type=NOTE, title="Ma note"),
    ]


async def test_what_narrows_a_listing_holds_together(record: Record) -> None:
    """By space, by types, by author, by period; all that is given at once."""
    echo, report, analysis, doppler, note = await filled(record)
    asked = {
        "": [note, doppler, analysis, report, echo],
        "?order=newest&limit=1000": [note, doppler, analysis, report, echo],
        "?order=oldest": [echo, report, analysis, doppler, note],
        f"?type={ANALYSIS}": [analysis],
        f"?type={ANALYSIS}&type={NOTE}&order=oldest": [analysis, note],
        f"?space=reports&type={REPORT}": [doppler, report, echo],
        f"?space=analyses&type={REPORT}": [],
        f"?author={HOSPITAL}": [doppler, echo],
        f"?author=professional/{PHYSICIAN}": [report],
        f"?author=person/{record.id.upper()}": [note],
        f"?author={HOSPITAL}&space=reports&from=2026-02-01": [doppler],
        f"?author=organization/{HOSPITAL[-9:]}&space=analyses": [],
    }
    assert {query: await record.listed(TREATING, query) for query in asked} == asked


async def test_a_day_is_a_day_in_france(record: Record) -> None:
    """`from` and `to` include theirs; an instant is exact, and as `to` excluded."""
    echo, report, analysis, doppler, note = await filled(record)
    asked = {
        "?from=2026-02-15": [note, doppler, analysis, report],
        "?to=2026-02-15": [report, echo],
        "?from=2026-02-15&to=2026-02-15": [report],
        "?to=2026-03-31": [analysis, report, echo],
        "?from=2026-04-01&to=2026-04-01": [doppler],
        "?from=2026-03-31T22:30:00Z": [note, doppler],
        "?to=2026-03-31T22:30:00Z": [analysis, report, echo],
        "?to=2026-04-01T00:30:00.000001%2B02:00": [doppler, analysis, report, echo],
    }
    assert {query: await record.listed(record.holder, query) for query in asked} == asked


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_hold_in_both_orders(record: Record, order: str) -> None:
    """One after the other they are the whole, also where several documents are of one instant."""
    await filled(record)
    for _ in range(3):
        await record.deposit(created_at="2026-02-15T10:00:00Z")
    whole, after, shown = await record.listed(TREATING, f"?order={order}"), "", list[str]()
    while True:
        page = await record.told("GET", record.path(f"{DOCUMENTS}?order={order}&limit=3{after}"), TREATING)
        shown += [each["id"] for each in page["documents"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert (shown, len(set(shown))) == (whole, 8)


async def test_a_place_is_one_of_its_order(record: Record) -> None:
    """Under other filters it is the same place in time; in the other order it would mean the opposite: refused."""
    echo, *_ = await filled(record)
    for order, other, expected in (("newest", "oldest", [echo]), ("oldest", "newest", [])):
        page = await record.told("GET", record.path(f"{DOCUMENTS}?order={order}&limit=1"), TREATING)
        after = f"?limit=9&after={page['next']}"
        wrong = await record.ask("GET", record.path(f"{DOCUMENTS}{after}&order={other}"), TREATING)
        assert (wrong.status_code, wrong.json()["detail"]) == (
            400,
            "This is not a place in a listing of this order: `after` comes from an answer's `next`.",
        )
        narrowed = f"{after}&order={order}&to=2026-02-14"
        assert await record.listed(TREATING, narrowed) == expected


async def test_what_narrows_nothing_is_refused(record: Record) -> None:
    """With a sentence of its own, that repeats nothing of what was sent; nothing is then journaled."""
    for query, sentence in REFUSED_FILTERS:
        answer = await record.ask("GET", record.path(f"{DOCUMENTS}?{query}"), record.holder)
        assert (answer.status_code, answer.json()["detail"][: len(sentence)]) == (400, sentence)
        assert "attic" not in answer.text
    assert await record.journal() == []


async def test_titles_are_found_by_how_their_words_begin(record: Record) -> None:
    """Accents, case and ligatures count for nothing; all words must be there, in any order."""
    documents = await filled(record)
    for title, expected in FOUND:
        assert await record.found(record.holder, title) == [documents[number] for number in expected]


async def test_a_search_is_narrowed_and_goes_page_by_page(record: Record) -> None:
    """As a listing is, in both orders; the journal names what each page shows, and no title that was only opened."""
    echo, _, _, doppler, _ = await filled(record)
    assert await record.found(TREATING, "echo", type=[REPORT], to="2026-02-01") == [echo]
    assert await record.found(TREATING, "echo", space="analyses") == []
    asked = {"title": "echo", "order": "oldest", "limit": 1}
    first = await record.told("POST", record.path(SEARCH), TREATING, asked)
    second = await record.told("POST", record.path(SEARCH), TREATING, asked | {"after": first["next"]})
    assert [[each["id"] for each in page["documents"]] for page in (first, second)] == [[echo], [doppler]]
    assert second["next"] is None
    named = [[item["resource"]["id"] for item in entry["items"]] for entry in (await record.journal())[:2]]
    assert named == [[record.id, doppler], [record.id, echo]]
    await record.found(TREATING, "nowhere")
    assert [(each["action"], "items" in each) for each in (await record.journal())[:1]] == [("document:list", False)]


async def test_so_many_titles_are_opened_for_one_request(record: Record) -> None:
    """And then the answer says where to go on, though it shows nothing."""
    oldest = await record.deposit(created_at="2020-01-01T00:00:00Z", title="Fond d'œil")
    await record.dmp.learn(
        *(
            {
                "kind": "document", "id": str(uuid4()), "dossier_ins": record.ins, "document_type": REPORT,
                "author": {"type": "organization", "id": HOSPITAL[-9:]}, "created_at": "2026-01-01T00:00:00Z",
            }
            for _ in range(1_000)
        )
    )  # fmt: skip
    first = await record.told("POST", record.path(SEARCH), TREATING, {"title": "oeil"})
    assert first["documents"] == []
    assert await record.found(TREATING, "oeil", after=first["next"]) == [oldest]


async def test_a_search_asked_wrongly_is_refused(record: Record) -> None:
    """As a listing is."""
    for body, sentence in REFUSED_SEARCHES:
        answer = await record.ask("POST", record.path(SEARCH), record.holder, body)
        assert (answer.status_code, answer.json()["detail"][: len(sentence)]) == (400, sentence)


async def test_who_may_not_list_does_not_search(record: Record) -> None:
    """The same decision, journaled."""
    for method, path, body in (("GET", DOCUMENTS, None), ("POST", SEARCH, {"title": "echo"})):
        assert refused(await record.ask(method, record.path(path), STRANGER, body)) == (403, "not-permitted")
        assert refused(await record.ask(method, record.path(path), HOSPITAL, body)) == (403, "not-permitted")
        (entry,) = (await record.journal())[:1]
        assert (entry["action"], entry["decision"]) == ("document:list", False)


async def everything(record: Record, who: str) -> list[bytes]:
    """All that listings, searches and counts say to somebody."""
    answers = [await record.ask("GET", record.path(DOCUMENTS + query), who) for query in NARROWINGS]
    answers += [await record.ask("POST", record.path(SEARCH), who, body) for body in WORDS]
    answers.append(await record.ask("GET", record.path(), who))
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


async def test_what_may_not_be_read_leaves_no_trace_in_any_listing(record: Record) -> None:
    """Masked, withheld, hidden, expired: each answer is to the byte what it was before the document came."""
    await filled(record)
    representative = await record.represented("caregiver")
    told = "Échographie, compte rendu"
    secrets = {
        GRANTED: {"masked": True},
        record.holder: {"withheld": True},
        representative: {"hidden_from_representatives": True},
    }
    for who, flags in secrets.items():
        await everything(record, who)  # who reads for the first time is told so
        before = await everything(record, who)
        for instant in ("2026-01-01T00:00:00Z", "2026-03-15T10:00:00Z", "2026-09-01T00:00:00Z"):
            for document_type in (REPORT, ANALYSIS):
                await record.deposit(HOSPITAL, created_at=instant, document_type=document_type, title=told, **flags)
        assert await everything(record, who) == before


async def test_examples_are_what_the_schemas_say(record: Record) -> None:
    """Of the listing, the search and the versions, in the description of the service."""
    described = (await record.dmp.http.get("/schema/openapi.json")).json()
    shown = [
        content["schema"] | {"components": described["components"], "example": example["value"]}
        for path, method in (
            ("/v1/dossiers/{dossier}/documents", "get"),
            ("/v1/dossiers/{dossier}/documents/search", "post"),
            ("/v1/documents/{document}/versions", "get"),
        )
        for part in (
            described["paths"][path][method].get("requestBody", {}),
            described["paths"][path][method]["responses"]["200"],
        )
        for content in part.get("content", {}).values()
        for example in content["examples"].values()
    ]
    assert len(shown) == 5
    for each in shown:
        jsonschema.Draft202012Validator(each).validate(each["example"])
    parameters = described["paths"]["/v1/dossiers/{dossier}/documents"]["get"]["parameters"]
    assert {each["name"] for each in parameters} >= {"type", "author", "from", "to", "order", "space"}
