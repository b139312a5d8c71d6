"""The decision tables of the AuthZEN interop scenarios."""

from typing import Any

import pytest

from tests.api.judges import GatewayJudge, RecordsJudge, SmallJudge, TodoJudge, load
from tests.api.service import caller, service

_TODO = [f"interop/todo/decisions-authorization-api-1_0-0{draft}.json" for draft in range(3)]


@pytest.mark.parametrize(
    "table, judge, count",
    [
        (_TODO[0], TodoJudge, 40),
        (_TODO[1], TodoJudge, 40),
        (_TODO[2], TodoJudge, 40),
        ("interop/api-gateways/decisions.json", GatewayJudge, 25),
    ],
)
async def test_single_decisions(table: str, judge: type[SmallJudge], count: int) -> None:
    """Every decision of the Todo and API gateway tables is the expected one."""
    cases = load(table)["evaluation"]
    async with caller(service(judge())) as http:
        answers = [(await http.post("/access/v1/evaluation", json=case["request"])).json() for case in cases]
    assert answers == [{"decision": case["expected"]} for case in cases]
    assert len(cases) == count


async def test_batches() -> None:
    """Every batch of the Todo table is the expected one."""
    cases = load(_TODO[2])["evaluations"]
    async with caller(service(TodoJudge())) as http:
        answers = [(await http.post("/access/v1/evaluations", json=case["request"])).json() for case in cases]
    assert answers == [{"evaluations": case["expected"]} for case in cases]
    assert len(cases) == 3


@pytest.mark.parametrize(
    "table, key, path, count",
    [
        ("interop/idp/results.json", "search", "resource", 6),
        ("interop/search/resource.json", "evaluation", "resource", 18),
        ("interop/search/subject.json", "evaluation", "subject", 60),
        ("interop/search/action.json", "evaluation", "action", 120),
    ],
)
async def test_searches(table: str, key: str, path: str, count: int) -> None:
    """Every search of the Search and identity provider tables finds exactly what is expected."""
    cases: list[dict[str, Any]] = load(table)[key]
    async with caller(service(RecordsJudge())) as http:
        answers = [(await http.post(f"/access/v1/search/{path}", json=case["request"])).json() for case in cases]
    assert answers == [case["expected"] for case in cases]
    assert len(cases) == count
