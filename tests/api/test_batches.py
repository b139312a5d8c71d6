"""Many deposits in one request: each is decided, kept or refused, and journaled alone."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx
import jsonschema
import pytest

from api.routes import deposits
from tests.api.service import bearer
from tests.api.whole import HOLDER, HOSPITAL, INS, KEY, NOBODY_INS, OTHER_INS, PHARMACY_KEY, PHYSICIAN, Json, Whole

BOUNDARY = "the-boundary-of-these-tests"
HOSPITAL_SENDS = f"organization/{HOSPITAL}"


@pytest.fixture
def dialect() -> str:
    """The embedded database: what is asked of a database here is asked of both elsewhere."""
    return "sqlite"


def metadata(dmp: Whole, ins: str = INS, **told: object) -> Json:
    return {
        "dossier": dmp.id_of(ins),
        "document_type": "11488-4",
        "title": "Compte rendu",
        "content_type": "text/plain",
        "created_at": "2026-10-01T08:00:00Z",
    } | told


def part(name: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def item(told: Json | bytes, content: bytes = b"content") -> bytes:
    """Two parts."""
    return part("metadata", told if isinstance(told, bytes) else json.dumps(told).encode()) + part("content", content)


END = f"--{BOUNDARY}--\r\n".encode()


async def send(
    dmp: Whole, body: Sequence[bytes] | AsyncIterator[bytes], who: str = HOSPITAL_SENDS, **more: str
) -> httpx.Response:
    """Send parts as they are."""
    headers = dmp.headers(who) | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | more
    content = b"".join(body) if isinstance(body, Sequence) else body
    return await dmp.http.post("/v1/documents", content=content, headers=headers)


async def sent(dmp: Whole, *items: bytes, end: bytes = END) -> list[Json]:
    """The results of a batch."""
    answer = await send(dmp, [*items, end])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def titles(dmp: Whole, ins: str = INS) -> list[str]:
    """Of the documents of a dossier, as its holder reads them."""
    headers = dmp.headers(f"person/{dmp.id_of(ins)}")
    page = (await dmp.http.get(dmp.path("/documents", ins), headers=headers)).json()
    return sorted(document["title"] for document in page["documents"])


async def test_each_document_has_its_own_result(dmp: Whole) -> None:
    """Kept in its dossier, or refused with the problem that a single deposit would be; the others go on."""
    long = b"0" * (10 * 1024 * 1024 + 1)
    results = await sent(
        dmp,
        item(metadata(dmp, title="One"), b"one"),
        item(metadata(dmp, document_type="REMB")),
        item(metadata(dmp, NOBODY_INS)),
        item(metadata(dmp, content_type="application/pdf"), b"no PDF"),
        item(metadata(dmp, content_type="text/html")),
        item(metadata(dmp), long),
        item(metadata(dmp, author={"type": "organization", "id": "750000010"})),
        item(metadata(dmp, author={"type": "organization", "id": "750000011"})),
        item(metadata(dmp, document_type="none")),
        item(metadata(dmp, more=1)),
        item(b"no JSON"),
        item(metadata(dmp, OTHER_INS, title="Two", author={"type": "professional", "id": PHYSICIAN}, key="k"), b""),
    )
    assert [(each["item"], each.get("status"), each.get("reason")) for each in results] == [
        (1, None, None),
        (2, 403, "not-permitted"),
        (3, 403, "no-dossier"),
        (4, 422, "content-mismatch"),
        (5, 415, "content-type"),
        (6, 413, "too-large"),
        (7, 400, "author-not-verified"),
        (8, 400, "identifier"),
        (9, 400, "malformed"),
        (10, 400, "malformed"),
        (11, 400, "malformed"),
        (12, None, None),
    ]
    assert [each["ok"] for each in results] == ["id" in each for each in results]
    one, two = results[0], results[-1]
    # SHA-256 of nothing: NIST's example for FIPS 180-4.
    assert (two["key"], two["version"], two["size"], two["sha256"]) == (
        "k", 1, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )  # fmt: skip
    assert [await titles(dmp), await titles(dmp, OTHER_INS)] == [["One"], ["Two"]]
    decided = [entry for entry in await dmp.journal() if entry["action"] == "document:deposit"]
    assert [entry["decision"] for entry in reversed(decided)] == [True, False, True, True, True]
    assert [entry["change"] for entry in decided if "change" in entry] == [{"document": one["id"]}]


async def test_each_is_kept_before_the_next_arrives(dmp: Whole) -> None:
    """Whoever is interrupted has done what he has done."""
    one, two = (item(metadata(dmp, title=title)) for title in ("One", "Two"))
    seen: list[list[str]] = []

    async def body() -> AsyncIterator[bytes]:
        begun = len(f"--{BOUNDARY}\r\n")
        yield one + two[:begun]
        seen.append(await titles(dmp))
        yield two[begun:] + END

    answer = await send(dmp, body())
    assert [json.loads(line)["ok"] for line in answer.text.splitlines()] == [True, True]
    assert (seen, await titles(dmp)) == ([["One"]], ["One", "Two"])


@pytest.mark.parametrize(
    "broken",
    [
        part("content", b"content"),
        part("metadata", b"{}"),
        part("metadata", b"{}") + part("metadata", b"{}"),
        part("metadata", b" " * (64 * 1024 + 1)) + part("content", b""),
        part("other", b"{}") + part("content", b""),
        b"\r\nno part",
    ],
    ids=["content first", "no content", "metadata twice", "endless metadata", "another part", "no form"],
)
async def test_a_broken_form_ends_there(dmp: Whole, broken: bytes) -> None:
    """A last result says so; what came before stands, what comes after was not read."""
    results = await sent(dmp, item(metadata(dmp, title="One")), broken, item(metadata(dmp, title="Three")))
    last = results[-1]
    assert ([each["item"] for each in results], results[0]["ok"]) == ([1, 2], True)
    assert (last["ok"], last["status"], last["reason"], last["ended"]) == (False, 400, "malformed", True)
    assert await titles(dmp) == ["One"]


async def test_a_document_that_is_cut_short_is_not_kept(dmp: Whole) -> None:
    """The form ends in the middle of the second."""
    one, two = (item(metadata(dmp, title=title)) for title in ("One", "Two"))
    results = await sent(dmp, one, two[:-4], end=b"")
    assert [(each["item"], each["ok"], each.get("ended", False)) for each in results] == [
        (1, True, False),
        (2, False, True),
    ]
    assert await titles(dmp) == ["One"]


@pytest.mark.parametrize("body", [b"", END, b"nothing", part("content", b"content") + END])
async def test_a_request_without_a_document_is_a_problem(dmp: Whole, body: bytes) -> None:
    """There is nothing of which a result could be told."""
    answer = await send(dmp, [body])
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


async def test_a_batch_has_an_end(dmp: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the last that is taken it ends like a broken form."""
    monkeypatch.setattr(deposits, "MAX_ITEMS", 2)
    results = await sent(dmp, *(item(metadata(dmp, title=title)) for title in ("One", "Two", "Three")))
    assert [(each["ok"], each.get("error")) for each in results] == [
        (True, None),
        (True, None),
        (False, "The body has more than 2 documents."),
    ]
    assert await titles(dmp) == ["One", "Two"]


async def test_a_batch_sent_again_is_done_once(dmp: Whole) -> None:
    """Under the same keys, each its own; another document under a key is a conflict."""
    items = [item(metadata(dmp, title=title, key=title)) for title in ("One", "Two")]
    first, again = await sent(dmp, *items), await sent(dmp, *items)
    assert first == again
    other = await sent(dmp, item(metadata(dmp, title="One", key="One"), b"something else"))
    assert (other[0]["status"], other[0]["reason"], other[0]["key"]) == (409, "conflict", "One")
    assert await titles(dmp) == ["One", "Two"]


async def test_who_may_not_speak_for_the_subject_sends_nothing(dmp: Whole) -> None:
    """A client of another organization is refused at each; a form of another kind before all."""
    results = await send(dmp, [item(metadata(dmp)), END], **bearer(PHARMACY_KEY))
    assert [json.loads(line)["reason"] for line in results.text.splitlines()] == ["forbidden"]
    for kind in ("application/json", "multipart/form-data"):
        answer = await send(dmp, [item(metadata(dmp)), END], **bearer(KEY), **{"Content-Type": kind})
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")
    assert await titles(dmp) == []


async def test_examples_are_what_the_schemas_say(dmp: Whole) -> None:
    """Every item and result shown is valid by the schema beside it."""
    described: Json = (await dmp.http.get("/schema/openapi.json")).json()
    operation = described["paths"]["/v1/documents"]["post"]
    contents = [
        operation["requestBody"]["content"]["multipart/form-data"],
        operation["responses"]["200"]["content"]["application/x-ndjson"],
    ]
    for content in contents:
        schema = content["schema"] | {"components": described["components"]}
        for example in content["examples"].values():
            jsonschema.Draft202012Validator(schema).validate(example["value"])
    assert [len(content["examples"]) for content in contents] == [1, 2]


async def test_a_patient_sends_his_own(dmp: Whole) -> None:
    """Whoever deposits one by one may send many."""
    told = metadata(dmp, document_type="EXPPAT_1", title="Note")
    answer = await send(dmp, [item(told), item(told, b"two"), END], HOLDER)
    assert [json.loads(line)["ok"] for line in answer.text.splitlines()] == [True, True]
    assert await titles(dmp) == ["Note", "Note"]
