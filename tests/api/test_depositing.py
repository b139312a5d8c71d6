"""Who signs what is deposited, what may be deposited, and what becomes of the rest."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.whole import (
    HOLDER,
    HOSPITAL,
    OTHER_INS,
    PHARMACY,
    PHYSICIAN,
    TREATING,
    UNKNOWN_RPPS,
    Json,
    Whole,
    whole,
)
from tests.servers.clamav import EICAR, LIMIT, ClamdServer
from tests.servers.processes import free_port
from tests.stored import stored_documents

PHARMACIST = "10001234599"
STAFF, SOFTWARE = "staff/secretary-1", f"organization/{HOSPITAL}"
PROFESSIONAL, ORGANIZATION, PERSON = "professional", "organization", "person"
HOSPITAL_SIGNS, PHYSICIAN_SIGNS = (ORGANIZATION, HOSPITAL), (PROFESSIONAL, PHYSICIAN)
HOLDER_SIGNS = (PERSON, HOLDER)
Named = tuple[str, str] | None
MORE: tuple[Json, ...] = (
    {"kind": "staff", "id": "secretary-1", "organization": HOSPITAL},
    {"kind": "professional", "rpps": PHARMACIST, "profession": "pharmacist", "organizations": [PHARMACY]},
)


def reason(answer: httpx.Response) -> tuple[int, str]:
    """The status and the reason of a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["reason"]


async def kept(dmp: Whole) -> list[int]:
    """How many documents, contents and objects there are, on their way or whole."""
    tables = ("content", "pending_object")
    rows = [(await dmp.database.read(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]
    return [
        len(await stored_documents(dmp.database)),
        *rows,
        sum(path.is_file() for path in (dmp.home / "vault").glob("[di]*/**/*")),
    ]


AUTHORS: dict[str, dict[Named, Named]] = {
    SOFTWARE: {None: HOSPITAL_SIGNS, HOSPITAL_SIGNS: HOSPITAL_SIGNS, PHYSICIAN_SIGNS: PHYSICIAN_SIGNS},
    STAFF: {None: HOSPITAL_SIGNS, HOSPITAL_SIGNS: HOSPITAL_SIGNS, PHYSICIAN_SIGNS: PHYSICIAN_SIGNS},
    TREATING: {None: PHYSICIAN_SIGNS, PHYSICIAN_SIGNS: PHYSICIAN_SIGNS},
    HOLDER: {None: HOLDER_SIGNS, HOLDER_SIGNS: HOLDER_SIGNS},
    HOLDER.upper(): {None: HOLDER_SIGNS, HOLDER_SIGNS: HOLDER_SIGNS},
}
NAMED: tuple[Named, ...] = (
    None,
    *(HOSPITAL_SIGNS, (ORGANIZATION, PHARMACY)),
    *(PHYSICIAN_SIGNS, (PROFESSIONAL, PHARMACIST), (PROFESSIONAL, UNKNOWN_RPPS)),
    *(HOLDER_SIGNS, (PERSON, "other")),
)


@pytest.mark.parametrize("who", AUTHORS)
async def test_the_author_is_verified(dmp: Whole, who: str) -> None:
    """The depositor himself, or a professional of the directory who exercises in the organization that deposits.

    Anybody else is refused with a reason for programs; the decision is journaled, and nothing is kept.
    """
    await dmp.learn(*MORE)
    people = {HOLDER: dmp.id_of(), "other": dmp.id_of(OTHER_INS)}
    subject = f"person/{dmp.id_of().upper()}" if who == HOLDER.upper() else who
    told: Json = {"document_type": "EXPPAT_1" if who.lower() == HOLDER else "11488-4"}
    signed: dict[Named, Named] = {}
    for named in NAMED:
        author: Json = {} if named is None else {"author": {"type": named[0], "id": people.get(named[1], named[1])}}
        answer = await dmp.offer(subject, **(told | author))
        if answer.status_code == 201:
            sheet = await dmp.http.get(f"/v1/documents/{answer.json()['id']}", headers=dmp.headers(HOLDER))
            signs = sheet.json()["author"]
            names = {pseudonym: name for name, pseudonym in people.items()}
            signed[named] = (signs["type"], names.get(signs["id"], signs["id"]))
        else:
            assert reason(answer) == (400, "author-not-verified")
    assert signed == AUTHORS[who]
    assert await kept(dmp) == [len(signed), len(signed), 0, len(signed)]
    entries = [entry for entry in await dmp.journal() if entry["action"] == "document:deposit"]
    assert sorted("change" in entry for entry in entries) == sorted(named in signed for named in NAMED)


REFUSALS: dict[str, tuple[Json, bytes, int, str]] = {
    "of another type": ({"content_type": "text/html"}, b"<p>", 415, "content-type"),
    "in another charset": ({"content_type": "text/plain; charset=iso-8859-1"}, b"", 415, "content-type"),
    "not what it says": ({"content_type": "application/pdf"}, b"PK\x03\x04", 422, "content-mismatch"),
    "with an entity": (
        {"content_type": "text/xml"},
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        422,
        "content-mismatch",
    ),
    "no FHIR": ({"content_type": "application/fhir+json"}, b'{"resourceType": "Basic"}', 422, "content-mismatch"),
    "too long": ({"content_type": "text/plain"}, b"0" * (10 * 1024 * 1024 + 1), 413, "too-large"),
    "cut in the middle of a character": ({}, "é".encode()[:1], 422, "content-mismatch"),
}


async def test_what_may_not_be_deposited_leaves_nothing(dmp: Whole) -> None:
    """A problem says why; nothing is kept but the decision, where there was one, in the journal."""
    for what, (metadata, content, status, expected) in REFUSALS.items():
        answer = await dmp.offer(content=content, **metadata)
        assert reason(answer) == (status, expected), what
        assert "passwd" not in answer.text
    assert await kept(dmp) == [0, 0, 0, 0]
    entries = [(entry["action"], entry["decision"], "change" in entry) for entry in await dmp.journal()]
    decided = [status for _, _, status, _ in REFUSALS.values() if status != 415]
    assert entries == [("document:deposit", True, False)] * len(decided)


async def test_a_text_may_say_that_it_is_utf_8(dmp: Whole) -> None:
    """Which it is always: the type that is kept and given back is without it."""
    document = await dmp.deposit(content="été".encode(), content_type="text/plain; charset=UTF-8")
    answer = await dmp.http.get(f"/v1/documents/{document}/content", headers=dmp.headers(HOLDER))
    assert (answer.headers["Content-Type"], answer.text) == ("text/plain", "été")


@pytest.fixture
def dialect() -> str:
    """The embedded database: what is asked of a database here is asked of both elsewhere."""
    return "sqlite"


@pytest.fixture
async def guarded(migrated_url: str, tmp_path: Path, clamav_server: ClamdServer) -> AsyncIterator[Whole]:
    """The service with a real antivirus."""
    async with whole(migrated_url, tmp_path, antivirus_url=f"clamd://{clamav_server.socket}") as made:
        yield made


async def test_the_antivirus_decides_last(guarded: Whole) -> None:
    """What it calls harmless is kept; what it does not, or cannot, leaves nothing; figures and readiness tell."""
    document = await guarded.deposit(content=b"A report.")
    before = await kept(guarded)
    answer = await guarded.offer(content=EICAR)
    too_large = await guarded.offer(content=b"0" * (LIMIT + 1))
    assert [reason(answer), reason(too_large)] == [(422, "infected"), (503, "antivirus")]
    assert too_large.headers["Retry-After"] == "5"
    assert await kept(guarded) == before
    read = await guarded.http.get(f"/v1/documents/{document}/content", headers=guarded.headers(HOLDER))
    assert read.content == b"A report."
    ready, figures = await guarded.http.get("/health/ready"), await guarded.http.get("/metrics")
    assert ready.json()["checks"]["antivirus"] == {"on": True, "answers": True, "ok": True}
    for outcome in ("clean", "infected", "failed"):
        assert f'dmp_antivirus_searches_total{{outcome="{outcome}"}} 1.0' in figures.text


async def test_without_the_antivirus_that_is_set_nothing_is_deposited(migrated_url: str, tmp_path: Path) -> None:
    """All else is done: readiness says that it does not answer, and stays."""
    async with whole(migrated_url, tmp_path, antivirus_url=f"clamd://127.0.0.1:{free_port()}") as dmp:
        assert reason(await dmp.offer()) == (503, "antivirus")
        assert await kept(dmp) == [0, 0, 0, 0]
        ready = await dmp.http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["antivirus"]) == (
            200,
            {"on": True, "answers": False, "ok": True},
        )


async def test_the_antivirus_is_off_unless_it_is_set(dmp: Whole) -> None:
    """And readiness says so."""
    assert (await dmp.http.get("/health/ready")).json()["checks"]["antivirus"] == {"on": False, "ok": True}
