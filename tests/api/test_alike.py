"""The same asked about many documents at once: answered, and written down, as if each was asked about alone."""

from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from tests.api.service import bearer
from tests.api.whole import DECIDING_KEY, HOSPITAL, INS, NURSE, OTHER_INS, PHYSICIAN, Json, Whole
from vault.journal.entry import Entry

STANDARD = {"document_type": "11488-4", "author": {"type": "organization", "id": HOSPITAL}}


async def filled(dmp: Whole) -> list[str]:
    """Two dossiers with documents of several looks; all their ids, with one that is nobody's and a word."""
    looks: list[Json] = [
        {},
        {"masked": True},
        {"author": {"type": "professional", "id": NURSE}},
        {"document_type": "REMB", "created_at": "2023-01-01T00:00:00Z"},
        {"status": "deleted"},
    ]
    facts = [
        {"kind": "document", "id": str(uuid4()), "dossier_ins": ins, "created_at": "2026-10-01T08:00:00Z"}
        | STANDARD
        | look
        for ins in (INS, INS, OTHER_INS)
        for look in looks
    ]
    tie = {"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "care_team"}
    await dmp.learn(tie, *facts)
    return [*(str(fact["id"]) for fact in facts), str(uuid4()), "nothing"]


def batch(documents: list[str], **context: Any) -> Json:
    return {
        "subject": {"type": "professional", "id": NURSE},
        "action": {"name": "document:read"},
        "context": {"authentication": "cps", **context},
        "evaluations": [{"resource": {"type": "document", "id": each}} for each in documents],
    }


async def asked(dmp: Whole, body: Json) -> tuple[list[Json], list[Entry]]:
    """The answers, and what was written down meanwhile."""
    before = len(await dmp.entries())
    answer = await dmp.http.post("/access/v1/evaluations", json=body)
    assert answer.status_code == 200, answer.text
    entries = await dmp.entries()
    return answer.json()["evaluations"], entries[: len(entries) - before]


@pytest.mark.parametrize(
    "context", [{}, {"explain": True}, {"mode": "break_glass", "reason": "patient inconscient"}, {"dry_run": True}]
)
async def test_a_batch_is_each_of_its_questions(dmp: Whole, context: Json) -> None:
    """Documents of two dossiers and of none, by one subject in one context: answer by answer, and entry by entry."""
    documents = await filled(dmp)
    alone = []
    for each in documents:
        answers, _ = await asked(dmp, batch([each], **context))
        alone += answers
    together, told = await asked(dmp, batch(documents, **context))
    assert together == alone
    # A context of its own makes an item a question apart, which shares no judgement.
    apart = batch(documents, **context)
    apart["evaluations"] = [
        each | {"context": dict(apart["context"], x=place)} for place, each in enumerate(documents_of(apart))
    ]
    answers, told_apart = await asked(dmp, apart)
    assert together == answers

    def said(entries: list[Entry]) -> set[Entry]:
        return {replace(entry, request_id="") for entry in entries}

    assert said(told) == said(told_apart)
    assert len(told) == (0 if context.get("dry_run") else 3)


def documents_of(body: Json) -> list[Json]:
    items: list[Json] = body["evaluations"]
    return items


async def test_what_is_only_equal_is_not_the_same(dmp: Whole) -> None:
    """`1` is not `true`: whoever says it asks for good, and that is written down."""
    one, other, *_ = await filled(dmp)
    body = batch([one, other])
    for item, dry_run in zip(body["evaluations"], (True, 1), strict=True):
        item["context"] = {"authentication": "cps", "dry_run": dry_run}
    answers, written = await asked(dmp, body)
    assert [answer.get("context", {}).get("dry_run") for answer in answers] == [True, None]
    assert [entry.resource.id for entry in written] == [other]


async def test_a_client_of_an_organization_asks_for_its_own(dmp: Whole) -> None:
    """About documents it asks as about anything else: on behalf of who exercises there, and of nobody else."""
    documents = await filled(dmp)
    headers = bearer(DECIDING_KEY)
    answer = await dmp.http.post("/access/v1/evaluations", json=batch(documents), headers=headers)
    assert answer.status_code == 403
    nowhere = batch([str(uuid4()), str(uuid4())])
    assert (await dmp.http.post("/access/v1/evaluations", json=nowhere, headers=headers)).status_code == 403


async def test_a_search_gives_what_each_question_permits(dmp: Whole) -> None:
    """Page by page, newest first, every document once; another dossier's and a dossier that is none give nothing."""
    documents = await filled(dmp)
    answers, _ = await asked(dmp, batch(documents, dry_run=True))
    permitted = {each for each, answer in zip(documents, answers, strict=True) if answer["decision"]}
    found: list[str] = []
    token = ""
    while True:
        search = {
            "subject": {"type": "professional", "id": NURSE},
            "action": {"name": "document:read"},
            "resource": {"type": "document", "properties": {"dossier": dmp.id_of()}},
            "context": {"authentication": "cps"},
            "page": {"limit": 1} | ({"token": token} if token else {}),
        }
        answer = (await dmp.http.post("/access/v1/search/resource", json=search)).json()
        found += [each["id"] for each in answer["results"]]
        token = answer["page"]["next_token"]
        if not token:
            break
    assert (len(found), set(found)) == (len(permitted), permitted)
    search["resource"] = {"type": "document", "properties": {"dossier": "nothing"}}
    del search["page"]
    assert (await dmp.http.post("/access/v1/search/resource", json=search)).json()["results"] == []
    search["subject"] = {"type": "professional", "id": PHYSICIAN}
    of_other = search | {"resource": {"type": "document", "properties": {"dossier": dmp.id_of(OTHER_INS)}}}
    assert (await dmp.http.post("/access/v1/search/resource", json=of_other)).json()["results"] == []
