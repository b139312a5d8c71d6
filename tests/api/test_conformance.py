"""The vectors of the OpenID conformance suite for AuthZEN decision points."""

from typing import Any

import httpx
import pytest

from tests.api.judges import ConformanceJudge, load
from tests.api.service import bearer, caller, service

_VECTORS: list[dict[str, Any]] = load("conformance_vectors.json")["tests"]
_CREDENTIALS = {None: bearer(), "invalid": bearer("dmp_not-a-key"), "missing": {}}


def test_the_suite_is_whole() -> None:
    """All 127 vectors are there."""
    assert len({vector["test"] for vector in _VECTORS}) == 127


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["test"])
async def test_vector(vector: dict[str, Any]) -> None:
    """Every vector of the suite is answered as the suite expects, as often as it asks."""
    headers = {"Content-Type": vector["content_type"], **_CREDENTIALS[vector.get("auth")]}
    if vector["x_request_id"]:
        headers["X-Request-ID"] = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
    async with caller(service(ConformanceJudge()), headers) as http:
        for _ in range(vector.get("repeat", 1)):
            answer = await _send(http, vector)
            assert answer.status_code in vector["accept_status"], answer.text
            for name in vector.get("warn_if_missing_header", "").split():
                assert name in answer.headers
            if vector["x_request_id"]:
                assert answer.headers["X-Request-ID"] == headers["X-Request-ID"]
            if "expect" in vector:
                assert answer.headers["Content-Type"] == "application/json"
                _compare(vector, await _pages(http, vector, answer.json()))


async def _send(http: httpx.AsyncClient, vector: dict[str, Any]) -> httpx.Response:
    if "raw_body" in vector:
        return await http.request(vector["method"], vector["path"], content=vector["raw_body"].encode())
    return await http.request(vector["method"], vector["path"], json=vector["json_body"])


async def _pages(http: httpx.AsyncClient, vector: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The whole of a search, whose pages are followed if the vector says so."""
    if not vector.get("paginate"):
        return answer
    body, results = vector["json_body"], list(answer["results"])
    while token := answer["page"]["next_token"]:
        assert len(answer["results"]) <= body["page"]["limit"]
        following = await http.post(vector["path"], json=body | {"page": body["page"] | {"token": token}})
        answer = following.json()
        results += answer["results"]
    return {"results": results}


def _compare(vector: dict[str, Any], answer: dict[str, Any]) -> None:
    expected = vector["expect"]
    assert not set(vector.get("forbid_keys", ())) & answer.keys()
    if "results" in expected:
        missing = [result for result in expected["results"] if result not in answer["results"]]
        assert missing == []
        if not expected["results"]:
            assert answer["results"] == []
    elif "evaluations" in expected:
        decisions = [evaluation["decision"] for evaluation in answer["evaluations"]]
        assert decisions == [evaluation["decision"] for evaluation in expected["evaluations"]]
    else:
        assert answer == expected
