"""The pharmaceutical record: what it tells becomes the pharmacies' documents, by the rules and once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from api.identity import Caller, Client
from api.ndjson import Line
from api.schemas.feeds import FeedResult
from api.services.asking import Peer
from api.services.dispensations import DispensationFeed
from api.services.inquiries import InquiryError
from api.services.pharmaceutical_record import HttpPharmaceuticalRecord, PharmaceuticalInquiry
from models.identifiers import Ins
from models.vocabulary import Scope, SubjectType
from tests.api.whole import HOLDER, HOSPITAL, INS, NOBODY_INS, NOW, OTHER_INS, PHARMACY, Json, Whole, whole
from tests.doubles import fhir
from tests.doubles.receiver import KEY, SECRET, Receiver, answering, receiving
from vault.journal.entry import NO_DOSSIER

CALLER = Caller(Client("service", frozenset({Scope.FEEDS}), frozenset({SubjectType.ORGANIZATION})), "test")
PATIENCE_SECONDS = 20
BY_PHARMACY = f"organization/{PHARMACY}"


@pytest.fixture
async def record() -> AsyncIterator[Receiver]:
    """Whoever keeps it, on loopback."""
    async with receiving() as made:
        yield made


async def given(lines: Iterable[Json]) -> AsyncIterator[Line]:
    for number, line in enumerate(lines, 1):
        yield Line(number, fhir.encoded(line))


def feed_of(dmp: Whole) -> DispensationFeed:
    feed = dmp.app.state["dispensations"]
    assert isinstance(feed, DispensationFeed)
    return feed


async def fed(dmp: Whole, *lines: Json) -> list[tuple[str | None, str | None]]:
    """The id and the reason of each."""
    results: list[FeedResult] = [each async for each in feed_of(dmp).results(CALLER, given(lines))]
    return [(each.id, each.reason) for each in results]


async def listed(dmp: Whole, ins: str = INS) -> list[Json]:
    """What the holder reads of the line of treatments."""
    holder = f"person/{dmp.id_of(ins)}"
    answer = await dmp.get("/treatments", holder, ins)
    assert answer.status_code == 200, answer.text
    lines: list[Json] = answer.json()["lines"]
    return lines


def lines_of(*lines: Json) -> bytes:
    return answering(200, b"\n".join(map(fhir.encoded, lines)), Content_Type="application/x-ndjson")


async def test_a_dispensation_is_a_document_of_its_pharmacy(dmp: Whole) -> None:
    """Dated by when it was handed over, in the vault as it came, decided and journaled as a deposit."""
    line = fhir.handed_out(INS, PHARMACY, "D1")
    assert await fed(dmp, line) == [("D1", None)]
    (shown,) = await listed(dmp)
    document = shown["document"]
    assert (shown["kind"], shown["at"]) == ("dispensation", "2026-10-01T08:00:00Z")
    assert document["author"] == {"type": "organization", "id": PHARMACY}
    assert [(each["begins"], each["ends"]) for each in shown["medicines"]] == [("2026-10-01", "2026-10-30")]
    content = await dmp.http.get(f"/v1/documents/{document['id']}/content", headers=dmp.headers(HOLDER))
    assert (content.json(), content.headers["Content-Type"]) == (line, fhir.CONTENT_TYPE)
    entry = next(each for each in await dmp.journal() if each["action"] == "document:deposit")
    assert (entry["decision"], entry["rule"], entry["subject"]["id"]) == (True, "depositor", PHARMACY)


async def test_the_same_dispensation_stands_once(dmp: Whole) -> None:
    """However often it is told; told otherwise it contradicts; what its pharmacy deleted stays deleted."""
    line = fhir.handed_out(INS, PHARMACY, "D1")
    otherwise = line | {"daysSupply": {"value": 8, "code": "d"}}
    assert await fed(dmp, line, line, otherwise) == [("D1", None), ("D1", None), ("D1", "conflict")]
    (shown,) = await listed(dmp)
    gone = f"/v1/documents/{shown['document']['id']}"
    assert (await dmp.http.delete(gone, headers=dmp.headers(BY_PHARMACY))).status_code == 204
    assert await fed(dmp, line) == [("D1", "document-deleted")]
    assert await listed(dmp) == []


async def test_two_that_come_at_once_are_one(dmp: Whole) -> None:
    """Whoever is second finds it there."""
    line = fhir.handed_out(INS, PHARMACY, "D1")
    assert await asyncio.gather(*(fed(dmp, line) for _ in range(4))) == [[("D1", None)]] * 4
    assert len(await listed(dmp)) == 1


async def test_a_line_is_refused_alone(dmp: Whole) -> None:
    """By the rules, by its content, for its length; the others are taken."""
    unknown, malformed = fhir.handed_out(INS, "750000036", "D1"), fhir.handed_out(INS, PHARMACY, "D2", status="?")
    sound, wrong = fhir.handed_out(INS, PHARMACY, "D3"), fhir.handed_out("185057800608492", PHARMACY, "D4")
    told = [("D1", "unknown-subject"), (None, "malformed"), ("D3", None), (None, "identifier")]
    assert await fed(dmp, unknown, malformed, sound, wrong) == told

    async def long() -> AsyncIterator[Line]:
        yield Line(1, None)

    assert [each.error async for each in feed_of(dmp).results(CALLER, long())] == ["The line is too long."]
    refused = next(each for each in await dmp.journal() if not each["decision"])
    assert (refused["action"], refused["rule"]) == ("document:deposit", "unknown-subject")


async def test_nothing_is_kept_of_people_without_a_dossier(dmp: Whole) -> None:
    """Not even the pseudonym: the journal has that a line was refused, and not about whom."""
    assert await fed(dmp, fhir.handed_out(NOBODY_INS, PHARMACY, "D1")) == [("D1", "no-dossier")]
    (entry,) = [each for each in await dmp.entries() if each.rule == "no-dossier"]
    assert (entry.dossier, entry.change) == (NO_DOSSIER, {"lines": "1"})
    assert dmp.id_of(NOBODY_INS) not in str(await dmp.entries())


async def test_a_closed_dossier_takes_nothing(dmp: Whole) -> None:
    """The refusal is in its journal."""
    await dmp.http.put(dmp.path("/state"), json={"state": "closed"}, headers=dmp.headers(HOLDER))
    assert await fed(dmp, fhir.handed_out(INS, PHARMACY, "D1")) == [("D1", "dossier-closed")]


def inquiry_of(dmp: Whole, record: Receiver) -> PharmaceuticalInquiry:
    peer = Peer(record.url, [KEY])
    return PharmaceuticalInquiry(HttpPharmaceuticalRecord(peer, dmp.clock), feed_of(dmp))


async def ask(dmp: Whole, record: Receiver) -> None:
    inquiry = inquiry_of(dmp, record)
    try:
        await inquiry.enter(UUID(dmp.id_of()), Ins.parse(INS), NOW)
    finally:
        await inquiry.close()


async def test_the_record_is_asked_in_a_signed_body(dmp: Whole, record: Receiver) -> None:
    """The INS is there and nowhere else; the same question has the same name; the answer is entered, once."""
    answer = lines_of(fhir.handed_out(INS, PHARMACY, "D1"), fhir.handed_out(INS, PHARMACY, "D2"))
    record.answers.extend([answer, answer, answering(204)])
    for _ in range(3):
        await ask(dmp, record)
    assert [told.says for told in record.told] == [{"question": "dispensations", "ins": INS}] * 3
    assert len({told.identity for told in record.told}) == 1
    assert all(told.is_signed_by(KEY) for told in record.told)
    assert INS not in str([(told.path, told.headers) for told in record.told])
    assert len(await listed(dmp)) == 2


@dataclass(frozen=True)
class Wrong:
    """An answer, what is said of it, and whether another attempt would meet the same."""

    answer: bytes
    what: str
    is_final: bool = False


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(answering(503), "answered 503"),
        Wrong(lines_of(fhir.handed_out(OTHER_INS, PHARMACY, "D1")), "answered about somebody else"),
        Wrong(lines_of(fhir.handed_out(INS, "750000036", "D1")), "lines refused: 1 unknown-subject", is_final=True),
        Wrong(lines_of({"resourceType": "Patient"}), "lines refused: 1 malformed", is_final=True),
    ],
    ids=["unavailable", "somebody else", "unknown pharmacy", "no dispensation"],
)
async def test_an_answer_that_is_none(migrated_sqlite_url: str, tmp_path: Path, record: Receiver, wrong: Wrong) -> None:
    """It is asked again, where that may help; nothing is entered about anybody."""
    async with whole(migrated_sqlite_url, tmp_path) as dmp:
        record.answers.append(wrong.answer)
        with pytest.raises(InquiryError) as failed:
            await ask(dmp, record)
        assert (failed.value.what, failed.value.is_final) == (wrong.what, wrong.is_final)
        assert (await listed(dmp), await listed(dmp, OTHER_INS)) == ([], [])


async def test_an_opening_asks_the_record(migrated_url: str, tmp_path: Path, record: Receiver) -> None:
    """Without anybody doing more: what pharmacies handed out is there soon after, for the holder to read."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    record.answers.append(lines_of(fhir.handed_out(NOBODY_INS, PHARMACY, "D1")))
    settings = {"pharmaceutical_record_url": record.url, "pharmaceutical_record_secret_file": secret}
    async with whole(migrated_url, tmp_path, **settings) as dmp, dmp.app.lifespan():
        opening = {"ins": NOBODY_INS, "born": "1955-08-01", "protected": False}
        headers = dmp.headers(f"organization/{HOSPITAL}")
        assert (await dmp.http.post("/v1/dossiers", json=opening, headers=headers)).status_code == 201
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := await listed(dmp, NOBODY_INS)):  # noqa: ASYNC110 - it comes from elsewhere
                await asyncio.sleep(0.05)
    assert [each["document"]["author"]["id"] for each in found] == [PHARMACY]
    assert json.loads(record.told[0].body)["ins"] == NOBODY_INS
