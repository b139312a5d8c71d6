"""The description of the service."""

from typing import Any

import jsonschema
import pytest

from tests.api.judges import ConformanceJudge
from tests.api.service import caller, service

_POSTS = [
    f"/access/v1/{end}" for end in ("evaluation", "evaluations", "search/subject", "search/resource", "search/action")
]


@pytest.fixture
async def document() -> dict[str, Any]:
    """The description, as it is served without a key."""
    async with caller(service(ConformanceJudge()), {}) as http:
        await http.get("/schema")
        answer, again = await http.get("/schema/openapi.json"), await http.get("/schema/openapi.json")
    assert again.content == answer.content
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    described: dict[str, Any] = answer.json()
    return described


async def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    """Version, title, and every AuthZEN endpoint with the key that it needs."""
    assert document["openapi"].startswith("3.1.")
    for path in _POSTS:
        assert document["paths"][path]["post"]["security"] == [{"clientKey": []}]
    assert document["components"]["securitySchemes"]["clientKey"]["scheme"] == "bearer"
    assert "security" not in document["paths"]["/health/live"]["get"]
    assert "/metrics" not in document["paths"]


@pytest.mark.parametrize("path", _POSTS)
async def test_examples_are_what_the_schemas_say(document: dict[str, Any], path: str) -> None:
    """Every request and answer shown is valid by the schema beside it, and there is at least one of each."""
    operation = document["paths"][path]["post"]
    for part in (operation["requestBody"], operation["responses"]["200"]):
        content = part["content"]["application/json"]
        schema = content["schema"] | {"components": document["components"]}
        assert content["examples"]
        for example in content["examples"].values():
            jsonschema.Draft202012Validator(schema).validate(example["value"])


@pytest.mark.parametrize("path", _POSTS)
async def test_examples_are_accepted(document: dict[str, Any], path: str) -> None:
    """Every request shown is one that the service reads."""
    examples = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"].values()
    async with caller(service(ConformanceJudge())) as http:
        answers = [await http.post(path, json=example["value"]) for example in examples]
    assert {answer.status_code for answer in answers} == {200}


async def test_the_page_fetches_nothing() -> None:
    """The page for people is one file: no script, no style, no picture from elsewhere, and the examples are on it."""
    async with caller(service(ConformanceJudge()), {}) as http:
        answer, again = await http.get("/schema"), await http.get("/schema")
    assert again.content == answer.content
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/access/v1/evaluation</code>" in answer.text
    assert "unconscious, no relative reached" in answer.text
    assert not [word for word in ("http://", "https://", "src=", "<script", "@import") if word in answer.text]
