"""What the fund knows enters by itself when a dossier opens: the whole service, and a fund over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api import notifying
from api.services.inquiries import Inquiries
from models.sheets import relations_of
from tests.api.whole import FUND, INS, NOBODY_INS, NURSE, PHARMACY, PHYSICIAN, Json, Whole, whole
from tests.doubles.fund import Fund, knowing
from tests.doubles.receiver import KEY as SECRET_KEY
from tests.doubles.receiver import SECRET, answering

PATIENCE_SECONDS = 20
HOLDER_INS = NOBODY_INS
DECLARED, REIMBURSED = "treating_physicians", "reimbursements"


@dataclass
class Asked:
    """The service, and the fund that it asks."""

    dmp: Whole
    fund: Fund

    @property
    def holder(self) -> str:
        return f"person/{self.dmp.id_of(HOLDER_INS)}"

    def knows(self, question: str, *lines: Json | bytes) -> None:
        self.fund.knows[question, HOLDER_INS] = list(lines)

    async def open(self) -> None:
        """By the holder, who has no dossier yet."""
        body = {"ins": HOLDER_INS, "born": "1955-08-20"}
        answer = await self.dmp.http.post("/v1/dossiers", json=body, headers=self.dmp.headers(self.holder))
        assert answer.status_code == 201, answer.text

    async def ask(self, method: str, tail: str, **body: object) -> Json:
        headers = self.dmp.headers(self.holder)
        path = self.dmp.path(tail, HOLDER_INS)
        answer = await self.dmp.http.request(method, path, json=body or None, headers=headers)
        assert answer.is_success, answer.text
        told: Json = answer.json() if answer.content else {}
        return told

    async def readiness(self) -> Json:
        checks: Json = (await self.dmp.http.get("/health/ready")).json()["checks"]["inquiries"]
        return checks

    async def ask_fund(self) -> None:
        """As the service does by itself, a minute later."""
        self.dmp.clock.now += timedelta(minutes=1)
        inquiries: Inquiries = self.dmp.app.state["inquiries"]
        assert await inquiries.ask_due() == 1
        await inquiries.look()

    async def failures(self) -> list[str | None]:
        """Of the inquiries that are left."""
        return [failure for (failure,) in await self.dmp.database.read("SELECT failure FROM inquiry")]

    async def lines(self) -> list[str]:
        """The ids of all lines of current documents of reimbursements, by month."""
        listed = (await self.ask("GET", "/documents?space=reimbursements"))["documents"]
        found = []
        for document in listed:
            if document["status"] == "current":
                headers = self.dmp.headers(self.holder)
                answer = await self.dmp.http.get(f"/v1/documents/{document['id']}/content", headers=headers)
                found += [line["id"] for line in answer.json()["lines"]]
        return sorted(found)

    async def physicians(self) -> list[str]:
        accesses = (await self.ask("GET", "/accesses"))["accesses"]
        return [each["id"] for each in accesses if each["access"] == "treating_physician"]


@asynccontextmanager
async def asking(database_url: str, home: Path, organization: str = FUND) -> AsyncIterator[Asked]:
    """The service, and a fund that it asks in the name of this organization."""
    secret = home / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with (
        knowing() as fund,
        whole(database_url, home, fund_url=fund.url, fund_secret_file=secret, fund_organization=organization) as dmp,
    ):
        yield Asked(dmp, fund)
        inquiries: Inquiries = dmp.app.state["inquiries"]
        await inquiries.close()


@pytest.fixture
async def asked(migrated_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    """On each engine in turn."""
    async with asking(migrated_url, tmp_path) as made:
        yield made


def care(identity: str, day: str = "2026-10-01", ins: str = HOLDER_INS, **told: object) -> Json:
    line = {"id": identity, "ins": ins, "care_date": day, "code": "HBQK002", "label": "Radiographie"}
    return line | {"amount": "21.28", "reimbursed": "14.90"} | told


def declared(identity: str, rpps: str = PHYSICIAN, ins: str = HOLDER_INS) -> Json:
    return {"id": identity, "ins": ins, "professional": rpps}


async def test_what_the_fund_knows_enters_by_itself(asked: Asked) -> None:
    """Treating physician and reimbursements, as if the fund had fed them; the journal says so."""
    asked.knows(DECLARED, declared("t-1"))
    asked.knows(REIMBURSED, care("a"), care("b", "2026-09-30"), care("c", "2024-10-15"), care("old", "2024-10-14"))
    with capture_logs() as said:
        await asked.open()
        await asked.ask_fund()
    assert await asked.physicians() == [PHYSICIAN]
    assert await asked.lines() == ["a", "b"]
    entries = (await asked.ask("GET", "/journal?limit=100"))["entries"]
    told = [(each["action"], each["rule"], each["subject"]["id"], each["client"]) for each in entries]
    opened = ("dossier:open", "holder", asked.dmp.id_of(HOLDER_INS), "all")
    assert set(told[-3:-1]) == {
        ("treating_physician:declare", "fund", FUND, "service"),
        ("document:deposit", "fund", FUND, "service"),
    }
    assert told[-1] == opened
    assert [each for each in said if each["log_level"] != "info"] == []
    assert HOLDER_INS not in str(said)


async def test_the_person_is_named_in_the_body_alone(asked: Asked) -> None:
    """Signed, with the first day of two years; neither address nor header says who."""
    await asked.open()
    await asked.ask_fund()
    assert asked.fund.asked == [
        {"question": DECLARED, "ins": HOLDER_INS},
        {"question": REIMBURSED, "ins": HOLDER_INS, "since": "2024-10-15"},
    ]
    for told in asked.fund.told:
        assert told.is_signed_by(SECRET_KEY)
        named = told.path + str(told.headers)
        assert [name for name in (HOLDER_INS, asked.dmp.id_of(HOLDER_INS)) if name in named] == []
    assert len({told.identity for told in asked.fund.told}) == 2


async def test_what_comes_late_or_twice_stands_once(asked: Asked) -> None:
    """Before the answer by the feed, after it by the feed, and asked again: each line is one, no version is made."""
    asked.knows(DECLARED, declared("t-1"))
    asked.knows(REIMBURSED, care("a"), care("b"), care("b"))
    asked.fund.answers.append(answering(503))
    await asked.open()
    await asked.ask_fund()
    assert {each["ok"] for each in await asked.dmp.feed("reimbursements", [care("a"), care("c")])} == {True}
    await asked.ask_fund()
    for _ in range(2):
        results = await asked.dmp.feed("reimbursements", [care("a"), care("b"), care("c")])
        results += await asked.dmp.feed("treating-physicians", [declared("t-1")])
        assert {each["ok"] for each in results} == {True}
    assert await asked.lines() == ["a", "b", "c"]
    listed = (await asked.ask("GET", "/documents?space=reimbursements"))["documents"]
    assert sorted((each["version"], each["status"]) for each in listed) == [(1, "superseded"), (2, "current")]
    assert await asked.physicians() == [PHYSICIAN]
    assert len({told.identity for told in asked.fund.told if told.says["question"] == DECLARED}) == 1


async def test_a_treating_physician_who_was_ended_does_not_come_back(asked: Asked) -> None:
    """The fund fed his declaration, the holder ended it; the answer that comes after tells nothing new."""
    asked.knows(DECLARED, declared("t-1"))
    asked.fund.answers.append(answering(503))
    await asked.open()
    await asked.ask_fund()
    await asked.dmp.feed("treating-physicians", [declared("t-1")])
    await asked.ask("DELETE", f"/treating-physicians/{PHYSICIAN}")
    await asked.ask_fund()
    assert await asked.physicians() == []


async def test_a_line_that_is_refused_keeps_none_from_entering(asked: Asked) -> None:
    """The inquiry is given up with the reasons, where an operator sees it: in readiness and in the figures."""
    asked.knows(DECLARED, declared("t-1", "10001234560"))
    asked.knows(REIMBURSED, care("a"), b"not json", care("b", code="lower"), care("c", "2026-10-02"))
    await asked.open()
    await asked.ask_fund()
    assert await asked.lines() == ["a", "c"]
    assert await asked.failures() == ["lines refused: 1 identifier, 1 malformed, 1 vocabulary"]
    assert await asked.readiness() == {"ok": True, "asked": True, "waiting": 0, "given_up": 1}
    metrics = (await asked.dmp.http.get("/metrics")).text
    assert "\ndmp_inquiries_given_up 1.0\n" in metrics
    assert "\ndmp_inquiries_waiting 0.0\n" in metrics


@pytest.mark.parametrize("question", [DECLARED, REIMBURSED])
async def test_an_answer_about_somebody_else_is_none(asked: Asked, question: str) -> None:
    """Nothing is entered of whom nobody asked about, though he has a dossier."""
    other = declared("x", ins=INS, rpps=NURSE) if question == DECLARED else care("x", ins=INS)
    asked.knows(question, other)
    await asked.open()
    await asked.ask_fund()
    assert await asked.failures() == ["answered about somebody else"]
    statement = "SELECT ties, documents FROM dossier WHERE id = $1::uuid"
    ((ties, documents),) = await asked.dmp.database.read(statement, UUID(asked.dmp.id_of()))
    assert (len(relations_of(ties)), documents) == (1, None)


async def test_closing_asks_nobody_any_more(asked: Asked) -> None:
    """What was to be asked is dropped; reopening does not bring it back."""
    asked.fund.answers.append(answering(503))
    await asked.open()
    await asked.ask_fund()
    assert await asked.failures() == ["answered 503"]
    for state in ("closed", "open"):
        await asked.ask("PUT", "/state", state=state)
        assert await asked.failures() == []


async def test_a_dossier_closed_while_the_fund_answers_takes_nothing(asked: Asked) -> None:
    """Its lines are refused by the rule, and the question is forgotten."""
    await asked.open()
    asked.knows(REIMBURSED, care("a"))
    asked.fund.on_question = lambda: asked.ask("PUT", "/state", state="closed")
    await asked.ask_fund()
    assert await asked.failures() == []
    assert await asked.dmp.database.read("SELECT 1 FROM dossier WHERE documents IS NOT NULL") == []


async def test_a_fund_that_the_directory_does_not_know_enters_nothing(migrated_url: str, tmp_path: Path) -> None:
    """Whatever the settings call it, a pharmacy say; it is not asked either."""
    async with asking(migrated_url, tmp_path, PHARMACY) as asked:
        await asked.open()
        await asked.ask_fund()
        assert (await asked.failures(), asked.fund.told) == (["the directory knows no such fund"], [])


async def test_the_service_asks_by_itself(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it lives, and counts what is left."""
    monkeypatch.setattr(notifying, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(notifying, "_LOOK_SECONDS", 0.01)
    async with asking(migrated_url, tmp_path) as asked, asked.dmp.app.lifespan():
        asked.knows(REIMBURSED, care("a"))
        await asked.open()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await asked.failures():  # noqa: ASYNC110 - what it waits for happens elsewhere
                await asyncio.sleep(0.01)
        assert await asked.lines() == ["a"]


async def test_without_a_fund_nobody_is_asked(dmp: Whole) -> None:
    """No inquiry is written: what is not set is not waited for."""
    body = {"ins": HOLDER_INS, "born": "1955-08-20"}
    holder = f"person/{dmp.id_of(HOLDER_INS)}"
    answer = await dmp.http.post("/v1/dossiers", json=body, headers=dmp.headers(holder))
    assert answer.status_code == 201
    assert await dmp.database.read("SELECT 1 FROM inquiry") == []
