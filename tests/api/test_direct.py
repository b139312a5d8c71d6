"""Requests that go to their handlers directly are answered to the byte as the framework would have them answered."""

from typing import Any

import httpx
import pytest

from api.identity import Client
from models.vocabulary import Scope, SubjectType
from tests.api.judges import ConformanceJudge
from tests.api.service import EVERYTHING, JSON, bearer, caller, service

PATHS = ["/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/resource"]
QUESTION = b'{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"101"}}'
DEAF = Client("deaf", frozenset({Scope.JOURNAL}))
PATIENTS_ONLY = Client("patients", frozenset({Scope.DECIDE}), frozenset({SubjectType.PERSON}))
OF_A_PROFESSIONAL = QUESTION.replace(b'"user"', b'"professional"')
CASES: list[tuple[Client, dict[str, str], bytes]] = [
    (EVERYTHING, JSON, QUESTION),
    (EVERYTHING, JSON, b'{"evaluations":[' + QUESTION + b"," + QUESTION + b"]}"),
    (EVERYTHING, JSON, b""),
    (EVERYTHING, JSON, b"{"),
    (EVERYTHING, JSON, b"{}"),
    (EVERYTHING, JSON, b"[" * 2_000_000),
    (EVERYTHING, {"Content-Type": "text/plain"}, QUESTION),
    (EVERYTHING, {**JSON, "Authorization": ""}, QUESTION),
    (EVERYTHING, {**JSON, "Authorization": "Bearer dmp_unknown"}, QUESTION),
    (DEAF, JSON, QUESTION),
    (PATIENTS_ONLY, JSON, OF_A_PROFESSIONAL),
]


class Faulty(ConformanceJudge):
    """Fails at whatever it is asked."""

    async def evaluate(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("secret")


async def _answered(client: Client, headers: dict[str, str], body: bytes, path: str) -> tuple[Any, ...]:
    async with caller(service(ConformanceJudge(), client), bearer() | headers | {"X-Request-ID": "r-1"}) as http:
        answer = await http.post(path, content=body)
    return answer.status_code, sorted(answer.headers.items()), answer.content


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", range(len(CASES)))
async def test_both_ways_give_the_same_answer(number: int, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, headers and body, whatever the client and the body are."""
    directly = await _answered(*CASES[number], path)
    monkeypatch.setattr("api.app.Direct", lambda app, _: app.asgi_handler)
    assert directly == await _answered(*CASES[number], path)


async def test_a_fault_is_answered_without_a_word_of_it() -> None:
    """As everywhere."""
    async with caller(service(Faulty())) as http:
        answer: httpx.Response = await http.post(PATHS[0], content=QUESTION, headers=JSON)
    assert (answer.status_code, b"secret" in answer.content) == (500, False)
