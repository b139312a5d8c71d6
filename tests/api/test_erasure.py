"""An erased dossier leaves its journal, and nothing else anywhere."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.services.judging import Actor, Judgement, Judging
from models.tables import metadata
from models.vocabulary import Action
from tests.api.whole import HOLDER, INS, NURSE, OTHER_INS, TREATING, Json, Whole
from tests.journeys.service import parts

JOURNAL = {"journal_entry", "journal_chain", "journal_leaf", "journal_waiting"}
GLASS = {"DMP-Mode": "break_glass", "DMP-Reason": "Patient%20inconscient"}


async def mentioned(dmp: Whole, ins: str = INS) -> set[str]:
    """The tables of which a row is the dossier's."""
    identity = UUID(dmp.id_of(ins))
    found = set()
    for table in metadata.tables.values():
        column = "id" if table.name == "dossier" else "dossier"
        if column in table.c and await dmp.database.read(
            f"SELECT 1 FROM {table.name} WHERE {column} = $1::uuid LIMIT 1", identity
        ):
            found.add(table.name)
    buckets = await dmp.database.read("SELECT entries FROM whereabouts")
    if any(identity.bytes in row[0] for row in buckets):
        found.add("whereabouts")
    return found


async def lived(dmp: Whole, ins: str) -> None:
    """Everything happens in a dossier that may."""
    holder = f"person/{dmp.id_of(ins)}"
    told: Json = {"to": NURSE, "subject": "s", "body": "b", "documents": [], "reply_to": None}
    headers = dmp.headers(holder)
    treating = dmp.path(f"/treating-physicians/{TREATING.removeprefix('professional/')}", ins)
    assert (await dmp.http.put(treating, headers=headers)).status_code == 204
    answer = await dmp.http.post(
        dmp.path("/documents", ins),
        files=parts(b"content"),
        headers=dmp.headers(TREATING, **{"Idempotency-Key": "once"}),
    )
    assert answer.status_code == 201, answer.text
    nurse = dmp.headers(f"professional/{NURSE}", **GLASS)
    answer = await dmp.http.get(f"/v1/documents/{answer.json()['id']}/content", headers=nurse)
    assert answer.status_code == 200, answer.text
    answer = await dmp.http.post(dmp.path("/messages", ins), json=told, headers=dmp.headers(TREATING))
    assert answer.status_code == 201, answer.text
    await dmp.learn({"kind": "representation", "dossier_ins": ins, "person_ins": OTHER_INS, "as": "caregiver"})


async def test_an_erased_dossier_leaves_its_journal_alone(dmp: Whole) -> None:
    """No fact, no key, no answer kept for a repetition, nobody still to be told; and no object in the store."""
    for ins in (INS, OTHER_INS):
        await lived(dmp, ins)
    before = await mentioned(dmp)
    assert {
        "notification",
        "has_read",
        "idempotency",
        "message",
        "whereabouts",
        "tied",
        "content",
        "dossier_key",
    } <= before
    answer = await dmp.http.delete(dmp.path(""), headers=dmp.headers(HOLDER))
    assert answer.status_code == 204
    assert await mentioned(dmp) <= JOURNAL
    assert await mentioned(dmp, OTHER_INS) == before
    objects = await dmp.database.read("SELECT object_name FROM content")
    stored = {path.name for path in (dmp.home / "vault").rglob("*") if path.is_file()}
    assert {row[0] for row in objects} <= stored
    assert len([name for name in stored if len(name) == 32]) == len(objects) == 1


WHAT = {
    "export": ("POST", "/exports", HOLDER, None),
    "message": ("POST", "/messages", TREATING, {"to": NURSE, "subject": "s", "body": "b", "documents": []}),
    "grant": ("PUT", f"/accesses/professional/{NURSE}", HOLDER, {"access": "granted", "until": None}),
    "treating": ("PUT", f"/treating-physicians/{TREATING.removeprefix('professional/')}", HOLDER, None),
    "deposit": ("POST", "/documents", TREATING, None),
    "contest": ("POST", "/contest", HOLDER, {"reason": "wrong"}),
}


@pytest.mark.parametrize("what", WHAT)
async def test_nothing_is_added_to_a_dossier_erased_meanwhile(
    dmp: Whole, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the decision and its carrying out: the request meets a conflict, and leaves no row and no object."""
    document = await dmp.deposit()
    method, tail, who, body = WHAT[what]
    path = f"/v1/documents/{document}{tail}" if what == "contest" else dmp.path(tail)
    permit = Judging.permit

    async def permit_and_erase(self: Judging, actor: Actor, action: Action, *about: Any) -> Judgement:
        monkeypatch.setattr(Judging, "permit", permit)
        judgement = await permit(self, actor, action, *about)
        erased = await dmp.http.delete(dmp.path(""), headers=dmp.headers(HOLDER))
        assert erased.status_code == 204
        return judgement

    monkeypatch.setattr(Judging, "permit", permit_and_erase)
    files = parts(b"late") if what == "deposit" else None
    answer = await dmp.http.request(method, path, json=body, files=files, headers=dmp.headers(who))
    assert answer.status_code == 409, answer.text
    assert await mentioned(dmp) <= JOURNAL
    assert [path for path in (dmp.home / "vault").rglob("*") if path.is_file() and len(path.name) == 32] == []


async def test_whoever_adds_and_whoever_erases_never_wait_in_a_circle(dmp: Whole) -> None:
    """All at once: each is done or meets a conflict or a refusal, and what was added before is erased too."""
    told: Json = {"to": NURSE, "subject": "s", "body": "b", "documents": [], "reply_to": None}
    treating, holder = dmp.headers(TREATING), dmp.headers(HOLDER)
    requests: list[Coroutine[Any, Any, httpx.Response]] = []
    for number in range(6):
        once = dmp.headers(TREATING, **{"Idempotency-Key": str(number)})
        requests += [
            dmp.http.post(dmp.path("/documents"), files=parts(b"once"), headers=once),
            dmp.http.post(dmp.path("/documents"), files=parts(b"content"), headers=treating),
            dmp.http.post(dmp.path("/messages"), json=told, headers=treating),
            dmp.http.put(dmp.path(f"/accesses/professional/{NURSE}"), json={"access": "blocked"}, headers=holder),
        ]
    requests.insert(len(requests) // 2, dmp.http.delete(dmp.path(""), headers=holder))
    answers = [answer.status_code for answer in await asyncio.gather(*requests)]
    assert set(answers) <= {200, 201, 204, 403, 409}
    assert answers[len(answers) // 2] == 204
    assert await mentioned(dmp) <= JOURNAL
