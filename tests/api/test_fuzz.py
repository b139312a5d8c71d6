"""Nothing that a caller sends makes the service fail."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.judges import ConformanceJudge
from tests.api.service import JSON, bearer, caller, service

_SERVICE = service(ConformanceJudge())
_PATHS = st.sampled_from(
    ["evaluation", "evaluations", "search/subject", "search/resource", "search/action"],
).map("/access/v1/".__add__)
_NAMES = st.sampled_from(
    [
        *("subject", "action", "resource", "context", "evaluations", "options", "evaluations_semantic", "page"),
        *("limit", "token", "type", "id", "name", "properties", "explain", "dry_run"),
    ]
)
_WORDS = st.sampled_from(["user", "alice", "read", "record", "record-1", "execute_all"]) | st.text(max_size=5)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | _WORDS
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)
_ENTITIES = st.fixed_dictionaries({"type": _WORDS, "id": _WORDS}, optional={"properties": _VALUES}) | _VALUES
_ACTIONS = st.fixed_dictionaries({"name": _WORDS}, optional={"properties": _VALUES}) | _VALUES
_QUESTIONS = st.fixed_dictionaries(
    {},
    optional={"subject": _ENTITIES, "action": _ACTIONS, "resource": _ENTITIES, "context": _VALUES, "page": _VALUES},
)
_BATCHES = st.fixed_dictionaries(
    {"evaluations": st.lists(_QUESTIONS | _VALUES, max_size=4)}, optional={"options": _VALUES}
)
_BODIES = st.builds(dict.__or__, _QUESTIONS, _BATCHES | st.just({})) | _VALUES


@given(_PATHS, st.binary())
async def test_any_bytes(path: str, body: bytes) -> None:
    """Any bytes as a body are answered, or refused with 400."""
    async with caller(_SERVICE, bearer() | JSON) as http:
        answer = await http.post(path, content=body)
    assert answer.status_code in {200, 400}


@given(_PATHS, _BODIES)
async def test_any_json(path: str, body: Any) -> None:
    """Any JSON that resembles a question is answered, or refused with 400, and what is answered has the right shape."""
    async with caller(_SERVICE, bearer() | JSON) as http:
        answer = await http.post(path, content=json.dumps(body))
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert len({"decision", "evaluations", "results"} & answer.json().keys()) == 1


@given(st.lists(st.tuples(st.sampled_from(["authorization", "content-type", "x-request-id", "host"]), st.binary())))
async def test_any_headers(headers: list[tuple[str, bytes]]) -> None:
    """Any values of the headers that the service reads are judged, and never break it."""
    raw = [(name.encode(), value) for name, value in headers]
    async with caller(_SERVICE, {}) as http:
        answer = await http.post("/access/v1/evaluation", content=b"{}", headers=raw)
    assert answer.status_code in {400, 401}


@given(st.text(alphabet=st.characters(codec="utf-8")), st.sampled_from(["GET", "POST", "PATCH", "OPTIONS", "BREW"]))
async def test_any_path(path: str, method: str) -> None:
    """Any path and method find something, nothing, or another method."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": "/" + path,
        "headers": [],
        "query_string": b"",
        "root_path": "",
        "scheme": "https",
        "server": ("pdp.example", 443),
    }
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await _SERVICE(scope, receive, send)  # type: ignore[arg-type]  # a scope as servers make it
    assert statuses[0] in {200, 401, 404, 405}


@pytest.mark.parametrize("message", [{"type": "http.disconnect"}])
async def test_a_caller_that_leaves_is_no_failure(message: dict[str, Any]) -> None:
    """A connection closed before the body is whole is the caller's doing."""
    statuses: list[int] = []
    headers = [(b"authorization", bearer()["Authorization"].encode()), (b"content-type", b"application/json")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/access/v1/evaluation", "headers": headers}

    async def receive() -> Any:
        return message

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await _SERVICE(scope, receive, send)  # type: ignore[arg-type]  # a scope as servers make it
    assert statuses == [400]
