"""Every statement that goes out where patients and professionals wait finds what it looks for by a key.

What a day at the service sends is noted at the driver, and each statement planned anew where there are many dossiers:
as the connection that sent it would, for whatever values. So a statement that comes later is held to it as well.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg.connection import Connection

from models.database.distributing import BY_DOSSIER, BY_ITSELF
from tests.api.correspondence import COLLEAGUE, ask, grant, put, sent
from tests.api.whole import (
    CHILD_INS,
    FUND,
    HOLDER,
    HOSPITAL,
    INS,
    NURSE,
    OTHER_INS,
    PHYSICIAN,
    TREATING,
    Whole,
    whole,
)
from tests.conftest import ON_CITUS
from tests.plans import MANY, MORE, Index, indexes_of, planned
from vault.journal.sequencer import integrate_all

pytestmark = pytest.mark.skipif(
    ON_CITUS, reason="plans of one server; tests/models/test_distributed.py reads the others"
)

LARGE = {*BY_DOSSIER, *BY_ITSELF, "journal_leaf", "professional", "exercise", "staff", "organization"} - {
    "journal_waiting",  # a queue, taken whole every second
    "scrub_finding",  # what a scrub found, mostly nothing
    "emergency",  # counted by whoever asks for the figures
}
BY_INDEX = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}

METADATA = {
    "document_type": "11488-4",
    "title": "Compte rendu",
    "content_type": "text/plain",
    "created_at": "2026-10-01T08:00:00Z",
}
BREAK_GLASS = {"authentication": "cps", "mode": "break_glass", "reason": "patient inconscient"}
REIMBURSEMENT = {
    "id": "a",
    "ins": INS,
    "care_date": "2026-09-30",
    "code": "HBQK002",
    "label": "Radiographie panoramique",
    "amount": "21.28",
    "reimbursed": "14.90",
}

ABOUT_COLUMNS = re.compile(r'SELECT ("\w+", )*"\w+" FROM "\w+" LIMIT 1')
"""What the driver asks before a COPY: it takes the types of what comes, which is one row."""

Sent = dict[str, dict[str, str]]
"""Statements, each with the settings of the connection that sent it."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    """What is sent to PostgreSQL meanwhile."""
    noted: Sent = {}
    prepare = Connection._get_statement  # noqa: SLF001 - where everything with parameters passes, whoever sends it

    async def noting(self: Any, query: str, *args: Any, **more: Any) -> Any:
        noted[query] = dict(self._params.server_settings or {})
        return await prepare(self, query, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "_get_statement", noting)
        yield noted


async def a_day(dmp: Whole) -> None:
    """What is asked of the service from morning to evening; all of it is permitted."""

    async def said(method: str, path: str, who: str = TREATING, **more: Any) -> Any:
        headers = dmp.headers(who) | more.pop("headers", {})
        answer = await dmp.http.request(method, path, headers=headers, **more)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.headers.get("Content-Type") == "application/json" else answer

    def asked(**more: object) -> dict[str, object]:
        subject, context = {"type": "professional", "id": PHYSICIAN}, {"authentication": "cps"}
        return {"subject": subject, "action": {"name": "document:read"}, "context": context} | more

    await grant(dmp)
    one, two = await dmp.deposit(), await dmp.deposit(content=b"x" * 100_000)
    again = {"Idempotency-Key": "again"}
    parts = {
        "metadata": ("metadata", json.dumps(METADATA), "application/json"),
        "content": ("content", b"content", "application/octet-stream"),
    }
    for _ in range(2):
        await said("POST", dmp.path("/documents"), headers=again, files=parts)
    three = await dmp.deposit(replaces=one)
    own = await dmp.deposit(who=HOLDER, document_type="EXPPAT_3")
    await dmp.change(two, masked=True)
    await said("POST", f"/v1/documents/{three}/contest", HOLDER, json={"reason": "Wrong side."})
    await said("PUT", f"/v1/documents/{three}/contest", json={"kept": True, "reason": "Checked again."})
    for tail in ("", "/content", "/versions"):
        await said("GET", f"/v1/documents/{three}{tail}")
    for tail in ("", "/documents", "/documents?limit=1", "/treatments", "/reminders", "/journal", "/accesses"):
        await said("GET", dmp.path(tail), HOLDER)
    await said("POST", dmp.path("/documents/search"), json={"title": "compte"})

    document = {"type": "document", "id": two}
    documents = {"type": "document", "properties": {"dossier": dmp.id_of()}}
    batch = [{"resource": {"type": "document", "id": each}} for each in (one, two, three)]
    for path, question in (
        ("evaluation", asked(resource=document)),
        ("evaluations", asked(evaluations=batch)),
        ("search/resource", asked(resource=documents)),
        ("search/resource", asked(resource={"type": "dossier"}, action={"name": "document:list"})),
        ("search/subject", asked(resource=document, subject={"type": "professional"})),
        ("search/action", {name: each for name, each in asked(resource=document).items() if name != "action"}),
        ("evaluation", asked(resource=document, subject={"type": "staff", "id": "s1"})),
        ("evaluation", asked(resource=document, context=BREAK_GLASS, subject={"type": "professional", "id": NURSE})),
    ):
        await said("POST", f"/access/v1/{path}", json=question)
    await said("POST", "/v1/dossiers/exist", json={"persons": [dmp.id_of(), dmp.id_of(OTHER_INS)]})

    letter = await sent(dmp)
    for tail in ("", "?box=sent", "?unread=true", f"/{letter}", f"/{letter}/thread"):
        assert (await ask(dmp, tail, TREATING if tail == "?box=sent" else COLLEAGUE)).is_success
    await sent(dmp, PHYSICIAN, COLLEAGUE, reply_to=letter)

    for _ in range(2):
        await dmp.feed("reimbursements", [REIMBURSEMENT, REIMBURSEMENT | {"id": "b"}])
        await dmp.feed("treating-physicians", [{"id": "t-1", "ins": INS, "professional": PHYSICIAN}])
    copy = await said("POST", dmp.path("/exports"), HOLDER)
    await integrate_all(dmp.database)
    await said("GET", dmp.path(f"/exports/{copy['id']}"), HOLDER)
    await said("GET", dmp.path("/journal/1/proof"), HOLDER)

    await put(dmp, f"/accesses/organization/{HOSPITAL}", access="blocked")
    await said("DELETE", dmp.path(f"/accesses/organization/{HOSPITAL}"), HOLDER)
    await put(dmp, f"/treating-physicians/{PHYSICIAN}")
    await said("DELETE", dmp.path(f"/treating-physicians/{PHYSICIAN}"), HOLDER)
    await put(dmp, "/emergency", refuses_break_glass=False, refuses_centre_15=False, masked_in_emergency=False)
    await put(dmp, "/care-team-consent", given=True)
    await said("DELETE", f"/v1/documents/{own}", HOLDER)
    await said(
        "POST",
        "/v1/dossiers",
        f"organization/{FUND}",
        json={"ins": CHILD_INS, "born": "2015-06-20", "protected": False},
    )
    await put(dmp, "/state", state="closed")
    await put(dmp, "/state", state="open")
    await said("DELETE", dmp.path(""), HOLDER)


async def test_what_is_looked_for_is_found_by_key(
    migrated_postgresql_url: str, tmp_path: Path, statements: Sent
) -> None:
    """No large table is read through by any statement of a day, nor any index from its beginning to its end."""
    async with whole(migrated_postgresql_url, tmp_path) as dmp:
        statements.clear()
        await a_day(dmp)
        said = {each: on for each, on in statements.items() if not ABOUT_COLUMNS.fullmatch(each)}
    maker = await asyncpg.connect(migrated_postgresql_url)
    await maker.execute(f"{MANY} {MORE} ANALYZE;")
    indexes = await indexes_of(maker)
    await maker.close()
    met: set[str] = set()
    read_through: list[tuple[str, str]] = []
    connections: dict[str, Any] = {}
    for statement, settings in said.items():
        name = settings.get("application_name", "")
        if name not in connections:
            connections[name] = await asyncpg.connect(
                migrated_postgresql_url, server_settings=settings | {"plan_cache_mode": "force_generic_plan"}
            )
        for step in await planned(connections[name], statement):
            met.add(step.get("Relation Name", ""))
            if is_read_through(step, indexes):
                read_through.append((statement, step["Node Type"]))
    unindexed = await planned(connections["dmp"], "SELECT 1 FROM content WHERE document = $1::uuid")
    assert any(is_read_through(step, indexes) for step in unindexed), "else nothing would be noticed"
    for connection in connections.values():
        await connection.close()
    assert read_through == []
    assert LARGE - met == set()


def is_read_through(step: Mapping[str, Any], indexes: Mapping[str, Index]) -> bool:
    """Whether a step meets a large table otherwise than by the first column of one of its indexes."""
    kind = step["Node Type"]
    if kind in BY_INDEX:
        index = indexes[step["Index Name"]]
        return index.table in LARGE and f"({index.first} " not in step.get("Index Cond", "").replace('"', "")
    return step.get("Relation Name") in LARGE and kind not in {"Bitmap Heap Scan", "ModifyTable"}
