"""Nothing that a depositor sends makes the service fail, alone or among others."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.service import bearer
from tests.api.test_batches import BOUNDARY, END, item
from tests.api.whole import HOSPITAL, KEY, TREATING, Whole

_NAMES = st.sampled_from(
    [
        *("dossier", "key", "document_type", "title", "content_type", "created_at", "masked", "withheld"),
        *("hidden_from_representatives", "replaces", "author", "more"),
    ]
)
_WORDS = st.sampled_from(
    [
        *("11488-4", "REMB", "text/plain", "application/pdf", "text/xml", "application/json", "image/png", "text/html"),
        *("text/plain; charset=utf-8", "2026-10-01T08:00:00Z", "9999-12-31T23:59:59-12:00", "professional", ""),
    ]
) | st.text(max_size=5)
_AUTHORS = st.fixed_dictionaries({"type": st.sampled_from(["professional", "organization", "person"]), "id": _WORDS})
_VALUES = _WORDS | st.booleans() | st.none() | st.integers() | st.lists(_WORDS, max_size=2) | _AUTHORS
_METADATA = st.dictionaries(_NAMES, _VALUES, max_size=4)
_CONTENTS = st.sampled_from([b"%PDF-", b"<a/>", b"{}", b"\xff"]) | st.binary(max_size=50)
_HEADERS = bearer(KEY) | {
    "DMP-Subject": f"organization/{HOSPITAL}",
    "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
}
_ANSWERS = {201, 400, 403, 404, 413, 415, 422}


def _whole(dossier: str, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "dossier": dossier,
        "document_type": "11488-4",
        "title": "Compte rendu",
        "content_type": "text/plain",
        "created_at": "2026-10-01T08:00:00Z",
    } | told


@settings(max_examples=40)
@given(_METADATA, _CONTENTS)
async def test_any_metadata(shared: Whole, told: dict[str, Any], content: bytes) -> None:
    """Of a deposit and of an item of a batch: kept, or refused with a status that says why."""
    metadata = _whole(shared.id_of(), told)
    many = await shared.http.post("/v1/documents", content=item(metadata, content) + END, headers=_HEADERS)
    (result,) = [json.loads(line) for line in many.text.splitlines()]
    alone = {name: value for name, value in metadata.items() if name not in {"dossier", "key"}}
    one = await shared.http.post(shared.path("/documents"), content=item(alone, content) + END, headers=_HEADERS)
    assert {one.status_code, result.get("status", 201)} <= _ANSWERS
    assert one.status_code == result.get("status", 201) or {"dossier", "key"} & told.keys()


@settings(max_examples=40)
@given(st.lists(st.sampled_from([b"--", BOUNDARY.encode(), b"\r\n", END, item(b"{}")]) | st.binary(max_size=20)))
async def test_any_form(shared: Whole, pieces: list[bytes]) -> None:
    """Whatever resembles one."""
    for who in (f"organization/{HOSPITAL}", TREATING):
        headers = _HEADERS | {"DMP-Subject": who}
        answer = await shared.http.post("/v1/documents", content=b"".join(pieces), headers=headers)
        assert answer.status_code in {200, 400}
